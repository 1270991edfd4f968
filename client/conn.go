package client

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"time"

	"github.com/penstock-go/penstock/loop"
)

// conn is one connection to an upstream. It carries one call at a time: sender is the side that
// writes, in turns of the connection's own; what is read, is read while somebody polls for it.
// An idle connection holds no buffer. Owned by the loop goroutine.
type conn struct {
	sender
	socket    loop.Socket
	transport transport // &socket, but in tests
	task      loop.Task
	pool      *pool
	call      *call            // nil while idle
	input     *loop.ReadBuffer // holds what was read last, while it may be looked at
	remote    *netip.Addr      // what it is connected to; nil for a Unix socket
	number    uint64           // counted by the client
	idleSince time.Duration    // means something while it is idle
	calls     uint32           // that it has carried
	extra     bool             // beyond the limit: not kept
	idle      bool
	acquired  bool // by a call, as the hooks know it
	closed    bool
}

// newConn returns a connection without a socket.
func newConn(p *pool) *conn {
	c := &conn{pool: p}
	c.transport = &c.socket
	c.task.Init(c)
	return c
}

// SocketEvent is called by the loop when the readiness of the socket has changed.
func (c *conn) SocketEvent(r loop.Readiness) {
	call := c.call
	switch {
	case c.closed:
		return
	case call == nil:
		c.noticeIdle(r)
		return
	case r&loop.Writable != 0 && c.sender.waitsForRoom, r&loop.Broken != 0:
		c.Wake()
	}
	if r&(loop.Readable|loop.HalfClosed|loop.Broken) != 0 {
		call.readable()
	}
}

// noticeIdle closes an idle connection that its upstream has closed, or on which it has sent
// what nobody has asked for.
func (c *conn) noticeIdle(r loop.Readiness) {
	if r&(loop.Readable|loop.HalfClosed|loop.Broken) == 0 {
		return
	}
	if !c.quiet() {
		c.pool.discard(c, c.whyNotQuiet())
	}
}

// quiet says whether there is nothing to be read, not even the end.
func (c *conn) quiet() bool {
	if c.transport.PeerClosed() {
		return false
	}
	if !c.transport.Readable() {
		return true
	}
	var one [1]byte
	_, err := c.transport.Read(one[:])
	return err == loop.ErrAgain
}

// Wake has the connection's turn run. It is what the body of a request is polled with.
func (c *conn) Wake() { c.pool.local.loop.Schedule(&c.task) }

// Run is the connection's turn: it sends what is there to be sent.
func (c *conn) Run() {
	if c.call == nil {
		return
	}
	c.send()
	c.keepRest()
}

// fill reads what has come and feeds it to the parser. The error is loop.ErrAgain when nothing
// has, and otherwise one that ends the connection; the end of the stream is told the parser and
// is none.
func (c *conn) fill() error {
	n, err := c.read()
	switch err {
	case nil:
		c.call.parser.Feed(c.input.Bytes[:n])
	case io.EOF:
		c.releaseInput()
		c.call.parser.FeedEOF()
	default:
		return err
	}
	return nil
}

// read reads what has come into input. Errors are those of the transport.
func (c *conn) read() (int, error) {
	if c.input == nil {
		if !c.transport.Readable() {
			return 0, loop.ErrAgain
		}
		c.input = c.pool.local.loop.LendReadBuffer()
	}
	n, err := c.transport.Read(c.input.Bytes[:])
	if err == nil {
		c.call.arrived(n)
	}
	return n, err
}

// releaseInput gives the read buffer back: all that was read has been looked at.
func (c *conn) releaseInput() {
	if c.input != nil {
		c.pool.local.loop.TakeBackReadBuffer(c.input)
		c.input = nil
	}
}

// keepRest copies what is left of what was read if nobody has asked for it in the turn in which it
// came, so that the buffer can be used by others. Bytes that somebody is looking at stay where
// they are.
func (c *conn) keepRest() {
	if c.input == nil || c.call == nil || c.call.lent {
		return
	}
	c.call.parser.Feed(bytes.Clone(c.call.parser.Rest()))
	c.releaseInput()
}

// close gives the connection up, with a reset if the upstream must not take what it has got for
// all of the request.
func (c *conn) close(reset bool) {
	if c.closed {
		return
	}
	c.closed = true
	c.releaseInput()
	c.pool.local.loop.Unschedule(&c.task)
	if reset {
		c.transport.Reset()
	}
	c.transport.Close()
	c.abandon()
}

// Panicked is called by the loop when the connection's turn has panicked, in the body of a
// request most likely.
func (c *conn) Panicked(value any, stack []byte) {
	c.pool.upstream.client.options.Logger.Error("client: a turn of a connection panicked", "panic", value, "stack", string(stack))
	if call := c.call; call != nil {
		call.fail(call.failure(ErrRequest, errors.New("the body of the request panicked")))
	}
}
