package client

import (
	"io"
	"net/url"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// A Response is the answer to a request, from the moment that its head has come. It belongs to
// who got it, who closes its Body; until then it holds a connection, or until Body has ended. Its methods are
// called on the loop that the request was sent from.
type Response struct {
	// Body gives the content, piece by piece, as it is asked for; what is not asked for is
	// not read from the upstream. It ends with io.EOF when the message was complete, and
	// otherwise with an *Error, or with the error of the request's body when that has failed. A chunk is valid until the next
	// Poll or Close. Closing it before its end closes the connection, unless the rest
	// has come already.
	//
	// A body that can be moved from socket to socket has the methods of a server's PipeSource.
	Body pipeline.Source[[]byte]

	call *call
	url  *url.URL // see URL
}

// Head returns the head. It is valid until Body is closed, or ReleaseHead called; its strings are valid
// for ever. Afterwards it is nil.
func (r *Response) Head() *parser.Head {
	if r.call.parser == nil || r.call.headReleased {
		return nil
	}
	return r.call.parser.Head()
}

// ReleaseHead says that Head and Length are not needed any more. A response whose body waits for hours,
// as one of events does, then takes less than a third of the memory meanwhile.
func (r *Response) ReleaseHead() { r.call.headReleased = true }

// Length returns how many bytes the body has, and -1 when that is not known: 0 for an answer to
// HEAD, a 204 and a 304, which have none whatever their fields declare. It is valid as long as Head.
func (r *Response) Length() int64 {
	head := r.Head()
	switch {
	case head == nil:
		return -1
	case r.call.bodiless:
		return 0
	case head.Chunked:
		return -1
	}
	return head.ContentLength
}

// Trailers returns the fields behind a chunked body once Body has given io.EOF, and none before
// (RFC 9110, section 6.5). They are valid until Body is closed; their strings are for ever.
func (r *Response) Trailers() *parser.Fields {
	if c := r.call; c.err == io.EOF && c.parser != nil {
		return c.parser.Trailers()
	}
	return new(parser.Fields)
}

// Close closes Body.
func (r *Response) Close() { r.Body.Close() }

// responseBody is a call as the source of its response's content.
type responseBody call

func (b *responseBody) Poll(w pipeline.Waker) ([]byte, error) {
	c := (*call)(b)
	c.resume()
	for c.state == callAnswered {
		switch event, err := c.parser.Next(); {
		case err != nil:
			return nil, c.fail(c.failure(ErrUpstream, err))
		case event == parser.BodyData:
			c.lent = true
			return c.parser.Data(), nil
		case event == parser.End:
			c.ended()
			continue
		}
		if err := c.conn.fill(); err == loop.ErrAgain {
			c.pause(w)
			return nil, pipeline.ErrPending
		} else if err != nil {
			return nil, c.fail(c.failure(ErrUpstream, err))
		}
	}
	return nil, c.err
}

// resume is the beginning of a Poll: what the last has given is not looked at any more.
func (c *call) resume() {
	c.lent, c.waker = false, nil
	if c.parser == nil && c.state == callAnswered {
		c.parser = c.pool.local.lendParser()
		c.parser.Resume(c.place)
	}
}

// pause is the end of a Poll that has to wait. The connection's buffer goes back, and the parser too
// if nobody needs the head.
func (c *call) pause(w pipeline.Waker) {
	c.conn.releaseInput()
	c.waker = w
	if c.readDeadline == 0 {
		c.await(forBody, c.timeouts.Body)
	}
	if !c.headReleased {
		return
	}
	if place, ok := c.parser.Suspend(); ok {
		c.place = place
		c.giveParserBack()
	}
	if c.conn.sender.complete() {
		c.request = nil
	}
}

// ended is the end of the message: the connection is free for the next, if it can be.
func (c *call) ended() {
	k := c.conn
	reusable := k.sender.complete() && c.parser.Head().KeepAlive && len(c.parser.Rest()) == 0
	c.parser.Feed(nil)
	k.releaseInput()
	c.leave(io.EOF, reusable && k.quiet())
}

// Close ends the exchange. When the rest of the message is there already, the connection can
// still be used again.
func (b *responseBody) Close() {
	c := (*call)(b)
	c.lent, c.waker = false, nil
	for c.state == callAnswered {
		event := parser.NeedData
		if c.parser != nil {
			event, _ = c.parser.Next() // an error comes with NeedData
		}
		switch event {
		case parser.NeedData:
			c.leave(pipeline.ErrClosed, false)
		case parser.End:
			c.ended()
			c.err = pipeline.ErrClosed
		}
	}
	c.giveParserBack()
}
