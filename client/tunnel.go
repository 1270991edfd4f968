package client

import (
	"errors"
	"io"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// tunnel is a call whose upstream has switched to another protocol (RFC 9110, section 7.8), as the
// source of the bytes that come from there. The two directions are independent: what
// comes is read while it is polled, what goes is polled in turns of the connection.
//
//	             FIN from the upstream           the end of what goes
//	both open ──────────────────────────▶ up only ────────────────────▶ over
//	    │ the end of what goes: FIN to the upstream            FIN       ▲
//	    └─────────────────────────────────▶ down only ─────────────────┘
//
// A failure in one direction, and closing, end both at once, by a reset.
type tunnel call

var errNoTunnel = errors.New("client: the upstream has not switched protocols, or the tunnel was begun or closed before")

// Tunnel begins the protocol that a response with status 101 has switched to: up is what is sent from now
// on, and what it returns, in place of Body, are the bytes that come, beginning right behind the head.
//
// What comes ends with io.EOF when the upstream has ended its side; sending goes on then. The io.EOF
// of up is told the upstream behind all that was sent, and what comes can be read on; any other error
// of up resets the connection and is what the other direction ends with. up is polled on the loop
// whenever the upstream takes something, not within a Poll of what comes. When both directions have ended, or
// what comes is closed, the connection is closed, and up with it, in every case once.
//
// No time runs but that in which the upstream takes nothing, which is Timeouts.Body. A second call
// of Tunnel, or one for any other response, closes up and returns a source that ends with an error that says so.
// The bytes of a 101 without Tunnel are those of Body, and nothing is sent.
func (r *Response) Tunnel(up pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	c := r.call
	if c.state != callAnswered || !c.down || c.up || c.conn.sender.broken {
		up.Close()
		return pipeline.Fail[[]byte](errNoTunnel)
	}
	c.up = true
	c.conn.sender.source, c.conn.sender.state = up, senderTunnel
	c.conn.Wake()
	return r.Body
}

func (t *tunnel) Poll(w pipeline.Waker) ([]byte, error) {
	c := (*call)(t)
	c.lent, c.waker = false, nil
	for c.state == callAnswered && c.down {
		if rest := c.rest(); len(rest) > 0 {
			c.parser.Feed(nil)
			c.lent = true
			return rest, nil
		}
		switch n, err := c.conn.read(); err {
		case nil:
			c.lent = true
			return c.conn.input.Bytes[:n], nil
		case loop.ErrAgain:
			c.conn.releaseInput()
			c.waker = w
			if c.headReleased {
				c.giveParserBack()
			}
			return nil, pipeline.ErrPending
		case io.EOF:
			c.conn.releaseInput()
			c.down = false
			c.leaveTunnel()
		default:
			return nil, c.fail(c.failure(ErrUpstream, err))
		}
	}
	if c.state == callAnswered {
		return nil, io.EOF // and the other direction goes on
	}
	return nil, c.err
}

// rest is what came together with the head.
func (c *call) rest() []byte {
	if c.parser == nil {
		return nil
	}
	return c.parser.Rest()
}

func (t *tunnel) Close() {
	c := (*call)(t)
	c.lent, c.waker = false, nil
	c.leave(pipeline.ErrClosed, false)
	c.giveParserBack()
}

// leaveTunnel ends the call when both directions have ended.
func (c *call) leaveTunnel() {
	if !c.down && !c.up {
		c.leave(io.EOF, false)
		c.wake()
	}
}

// upEnded: nothing more is sent through the tunnel.
func (c *call) upEnded() {
	c.up = false
	c.leaveTunnel()
}
