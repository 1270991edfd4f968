package client

import (
	"io"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// A response's content that goes from the upstream's socket to another without being looked at: with these
// methods a body is what package server calls a PipeSource.

// Pipeable reports whether what comes next may be moved: it has a declared length, and nothing of it has been
// read yet.
func (b *responseBody) Pipeable() bool {
	c := (*call)(b)
	if c.state != callAnswered {
		return false
	}
	if c.parser == nil {
		return c.place.Remaining() > 0
	}
	return c.parser.Remaining() > 0
}

// PollPipe moves the next bytes of the content, at least one and at most limit, into p, which is empty, and
// returns how many. Errors are those of Poll. Zero without an error says that what is next cannot be
// moved, and is to be polled.
func (b *responseBody) PollPipe(w pipeline.Waker, p *loop.Pipe, limit int64) (int64, error) {
	c := (*call)(b)
	c.resume()
	if c.state != callAnswered {
		return 0, c.err
	}
	remaining := c.parser.Remaining()
	if remaining == 0 {
		return 0, nil
	}
	c.conn.releaseInput()
	n, err := c.conn.transport.SpliceIn(p, int(min(limit, remaining)))
	switch err {
	case nil:
		c.arrived(n)
		c.parser.Skip(int64(n))
		return int64(n), nil
	case loop.ErrAgain:
		c.pause(w)
		return 0, pipeline.ErrPending
	case io.EOF:
		c.parser.FeedEOF()
		_, err = b.Poll(w) // says what is missing
		return 0, err
	}
	return 0, c.fail(c.failure(ErrUpstream, err))
}
