package server

import (
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// tunnel is a connection behind an [Upgrade]: the stage that is its protocol now, and what that
// reads. As the source of the core's stream it is what the stage gives.
//
// Theory. The two directions are independent. The core polls the stage and writes what it
// gives, as any stream. The input is polled by whoever has it: the stage within its own poll,
// or the other end of a proxied connection, in a turn of that.
//
//	            the stage ends                 the input ends or is closed,
//	tunnel ───────────────────▶ half-closed ───────────────────────────────▶ done
//	  │      its input is open                 or is not read for too long    ▲
//	  └───────────────────────────────────────────────────────────────────────┘
//	          the stage ends behind its input, or fails
//
// Rules:
//
//  1. What the client sends is read from the socket only in a Poll of the input.
//  2. The client's end is the input's io.EOF and nothing else. It is noticed when the input
//     is polled.
//  3. When the stage has ended it is not polled any more, but it is closed only when the core is
//     done: closing it closes its input, which somebody may be reading.
//  4. With the core done, or before its head was sent, the input is closed for whoever still has it.
//
// Owned by the loop goroutine.
type tunnel struct {
	core   *core // nil before the head of the response is sent, and once closed
	output pipeline.Source[[]byte]
	rest   []byte         // came together with the request
	waker  pipeline.Waker // of who waits for input
	end    error          // what the input has ended with, sticky
	lent   bool           // the input's last chunk may still be looked at
	moved  bool           // a chunk was read since the connection has last looked
}

// Poll gives what the stage gives.
func (t *tunnel) Poll(w pipeline.Waker) ([]byte, error) { return t.output.Poll(w) }

// Close ends the input and closes the stage.
func (t *tunnel) Close() {
	t.endInput(ErrClientGone)
	t.core, t.rest = nil, nil
	if output := t.output; output != nil {
		t.output = nil
		output.Close()
	}
}

// endInput ends the input. A core whose own side has ended is then done.
func (t *tunnel) endInput(err error) {
	if t.end == nil {
		t.end = err
	}
	t.waker, t.lent = nil, false
	if c := t.core; c != nil && c.state == stateHalfClosed {
		c.link.Wake()
	}
}

// inputArrived wakes whoever waits for input.
func (t *tunnel) inputArrived() {
	if w := t.waker; w != nil {
		t.waker = nil
		w.Wake()
	}
}

// tunnelInput is a tunnel as what its stage reads.
type tunnelInput tunnel

func (i *tunnelInput) Poll(w pipeline.Waker) ([]byte, error) {
	t := (*tunnel)(i)
	t.lent = false
	switch {
	case t.end != nil:
		return nil, t.end
	case t.core == nil:
		return nil, pipeline.ErrClosed
	case len(t.rest) > 0:
		chunk := t.rest
		t.rest, t.moved = nil, true
		return chunk, nil
	}
	t.waker = nil
	chunk, err := t.core.link.Poll(w)
	switch err {
	case nil:
		t.lent, t.moved = true, true
	case pipeline.ErrPending:
		t.waker = w
	default:
		if err != io.EOF {
			err = lostClient(err)
		}
		t.endInput(err)
	}
	return chunk, err
}

// Close says that the stage wants no more of what the client sends.
func (i *tunnelInput) Close() {
	t := (*tunnel)(i)
	if t.endInput(pipeline.ErrClosed); t.core != nil {
		t.rest = nil
		t.core.link.Release()
	}
}

// tunnel returns the tunnel that the core is in, or nil.
func (c *core) tunnel() *tunnel {
	if c.state != stateTunnel && c.state != stateHalfClosed {
		return nil
	}
	return c.stream.source.(*tunnel)
}

// stepTunnel hands out what the stage gives.
func (c *core) stepTunnel(w pipeline.Waker) progress {
	chunk, err := c.stream.source.Poll(w)
	switch err {
	case nil:
		return c.sendChunk(chunk)
	case pipeline.ErrPending:
		return waits
	case io.EOF:
		c.state = stateHalfClosed
		return advanced
	}
	return c.cut(err)
}

// stepHalfClosed waits for the end of the input, behind that of the stage. The client may
// still be sending unless that was its own end.
func (c *core) stepHalfClosed() progress {
	t := c.tunnel()
	if t.end == nil {
		return waits
	}
	if t.end != io.EOF {
		c.ending = endsLate
	}
	return c.end(ReasonAnswered, errAnswered)
}

// halfClosed says whether everything was sent that there will ever be, and the client's side is
// still read.
func (c *core) halfClosed() bool { return c.state == stateHalfClosed }
