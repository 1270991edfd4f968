package server

import (
	"fmt"
	"io"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// A PipeSource is a source of bytes that come from another socket, and that can be moved
// from there to the client without being copied through the process (splice(2)). A body whose
// length is declared ([Response.Length]) is moved so as long as much of it is left; in
// every other case the source is only polled. Stages see bytes: a body that has any is polled.
// All its methods are called on the goroutine of one loop.
//
// Poll, Pipeable and PollPipe may be called in any order: each goes on where the last has
// ended, and what ends the stream ends it for both. Close is that of any source.
type PipeSource interface {
	pipeline.Source[[]byte]

	// Pipeable reports whether what comes next may be moved. It may change with every
	// Poll and PollPipe: a source is not pipeable while it holds bytes that it has read.
	Pipeable() bool

	// PollPipe moves the next bytes, at least one and at most limit, into p, which is empty,
	// and returns how many. p is the caller's again when it returns. Errors are those of Poll:
	// pipeline.ErrPending, with w to be woken, when there is nothing yet; io.EOF at the end;
	// and then nothing is in p. Zero without an error says that what is next cannot be moved
	// after all, and is to be polled.
	PollPipe(w pipeline.Waker, p *loop.Pipe, limit int64) (int64, error)
}

// spliceSize is how much has to be left of a body for it to be moved. A piece that is moved
// takes three system calls and one that is copied two, and what fits into two reads is copied
// as cheaply: bodies of 48 KiB show no difference. Of 64 MiB, moving takes four fifths of the
// processor time through a gateway, and less than half of it in the benchmark Relay (on loopback);
// from 96 KiB to 1 MiB Relay shows less at best, and no more than its own spread in the median.
const spliceSize = 64 << 10

// stepPipe hands out the next piece of a stream in a pipe. It returns false when the piece
// has to be copied instead.
func (c *core) stepPipe(source PipeSource, w pipeline.Waker) (p progress, moved bool) {
	pipe, err := c.local.loop.LendPipe()
	if err != nil {
		return advanced, false
	}
	defer func() {
		if p != hasReference {
			c.local.loop.TakeBackPipe(pipe) // also when the source has panicked
		}
	}()
	// A pipe counts pages and not bytes: it may have room for more than a turn's share.
	limit := min(c.stream.length-c.stream.sent, turnWrites)
	n, err := source.PollPipe(w, pipe, limit)
	switch {
	case n != int64(pipe.Len()) || n > limit || err != nil && n != 0:
		return c.cut(fmt.Errorf("server: the response's source was to move up to %d bytes into a pipe, moved %d, said %d and returned the error %v",
			limit, pipe.Len(), n, err)), true
	case err == pipeline.ErrPending:
		return waits, true
	case err == io.EOF:
		return c.endStream(), true
	case err != nil:
		return c.cut(err), true
	case n == 0:
		return advanced, false
	}
	c.count(n)
	c.local.reference = segment{pipe: pipe, length: n}
	return hasReference, true
}

// splices returns the source of the body that is being sent if its next piece can be moved
// through a pipe. There is a framing when the head was sent.
func (c *core) splices() PipeSource {
	flow := c.stream
	if flow.framing != framingLength || flow.added != (additions{}) {
		return nil
	}
	source, ok := flow.source.(PipeSource)
	if !ok || !source.Pipeable() {
		return nil
	}
	return source
}

// release gives back the pipe of a segment that is not to be written any further.
func (l *local) release(s *segment) {
	if s.pipe != nil {
		l.loop.TakeBackPipe(s.pipe)
		s.pipe = nil
	}
}
