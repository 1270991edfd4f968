package server

import (
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/valyala/bytebufferpool"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// core is the protocol of one connection as a stage: bytes that the client sends
// go in, segments that it gets come out, and both move only when the core is
// polled. It knows no socket and asks for no time; the connection below tells it
// when a time has run out.
//
// Theory. One request is in hand at a time. The next one is not parsed before
// the answer to the last has been handed out, so answers cannot get out of order
// and requests that pile up cost what the link holds of them, no more.
//
//	head ──▶ handler ──▶ later ──▶ stream ──▶ settle ──▶ head
//	  │                 (waits)   (waits)       │ unread body
//	  ▼                                         ▼
//	done ◀──────────────────────────────────── drain ──▶ head
//
// From handler and later there is another way, which does not come back: see tunnel.
//
// A stream that waits may have given its request back: exchange is nil, and stream is all
// that the core holds. See Response.ReleaseRequest.
//
// Rules:
//
//  1. A step either makes progress, or returns ErrPending having left the waker
//     with whom it waits for, or ends the connection.
//  2. Output is gathered in one buffer over all the steps of a Poll, and leaves
//     in one segment when nothing more can be done, or when there is enough.
//  3. Before the head of a response is out, every failure becomes a response.
//     After it, every failure ends the connection.
//  4. Done is for good. What was gathered before is still handed out.
//
// Owned by the loop goroutine.
type core struct {
	local        *local
	link         link
	exchange     *exchange // nil while idle, and while a stream waits that has released its request
	stream       *flow     // whose body is being sent, or nil
	out          *bytebufferpool.ByteBuffer
	writeTimeout time.Duration
	state        coreState
	reason       CloseReason // why it is done
	ending       ending      // how the connection is closed when it is done
	waits        bool        // the last segment was all that there is for now
	requests     uint32      // heads read on this connection
}

type ending uint8

const (
	endsAtOnce     ending = iota
	endsLate              // the client may still be sending
	endsByReset           // nothing else tells the client that its answer was cut
	endsByHandover        // it is not the server's any more, see Hijack
)

// link is what a core needs of the connection below it. Poll gives the bytes
// that the client sends; Release says that the last chunk is not needed any more, Forget that no
// request is there that could ask for addresses; Wake has the core polled.
type link interface {
	pipeline.Source[[]byte]
	pipeline.Waker // has the core polled again
	Release()
	Forget()
	RemoteAddr() netip.AddrPort
	LocalAddr() netip.AddrPort
}

type coreState uint8

const (
	stateHead       coreState = iota // wants a request's head
	stateHandler                     // the handler runs
	stateLater                       // waits for the response
	stateStream                      // sends the response's body
	stateRest                        // sends a large complete body in pieces
	stateFile                        // hands out the range of a file
	stateSettle                      // the answer is handed out
	stateDrain                       // throws away the rest of the request's body
	stateTunnel                      // hands out what the stage of an Upgrade gives
	stateHalfClosed                  // that has ended, and what the client sends is still read
	stateTimedOut                    // refuses a head that took too long
	stateDone
)

// A segment is what the core hands out to be written: head, data and tail in this
// order, then a range of a file or what is in a pipe. It is valid until the next Poll or
// Close, except for the pipe: that is to be given back by whoever has the segment.
type segment struct {
	head, data, tail []byte
	file             *os.File
	pipe             *loop.Pipe
	offset, length   int64 // of the file; the pipe has no offset
}

const (
	// flushSize is how much gathered output is enough for one segment.
	flushSize = 32 << 10
	// referenceSize is the size from which body data is written from where it
	// lies; below, copying it beside what surrounds it is cheaper.
	referenceSize = 8 << 10
	// fileSize is how much of a file goes into one segment: sendfile(2) may wait
	// for the disk, and others wait for the loop meanwhile.
	fileSize = 64 << 10
	// stepsPerPoll bounds how long one Poll may hold the loop; a request that is
	// answered at once takes two.
	stepsPerPoll = 2 * turnRequests
)

// progress is what a step has come to.
type progress uint8

const (
	advanced     progress = iota // the next step can be taken
	waits                        // for whoever has been left the waker
	hasReference                 // body data is to be written from where it lies
	done                         // the connection ends; see reason
)

// Poll returns the next segment; ErrPending; io.EOF when the connection is to be
// closed after what was handed out; or the error that cuts it. When it returns a
// segment and waits is set, polling again would give ErrPending, and the waker has
// been left already.
func (c *core) Poll(w pipeline.Waker) (segment, error) {
	c.recycleOutput()
	c.local.refresh()
	c.waits = false
	if c.exchange != nil && c.exchange.informational != nil {
		c.sendInformational()
	}
	for steps := 0; ; {
		p := c.guardedSteps(w, &steps)
		if p == hasReference {
			return c.takeReference(), nil
		}
		if p == waits {
			c.rest()
			c.waits = true
		}
		switch {
		case c.out != nil && len(c.out.B) > 0:
			return segment{head: c.out.B}, nil
		case p == waits:
			return segment{}, pipeline.ErrPending
		case p == done:
			return segment{}, c.reason.error()
		case steps >= stepsPerPoll:
			w.Wake()
			return segment{}, pipeline.ErrPending
		}
	}
}

// guardedSteps takes steps until one does not advance, or enough has been
// gathered, and turns a panic of a handler or a stage into a failure of its
// exchange.
func (c *core) guardedSteps(w pipeline.Waker, steps *int) (p progress) {
	defer func() {
		if value := recover(); value != nil {
			p = c.panicked(value)
		}
	}()
	for p == advanced && *steps < stepsPerPoll && (c.out == nil || len(c.out.B) < flushSize) {
		*steps++
		p = c.step(w)
	}
	return p
}

func (c *core) step(w pipeline.Waker) progress {
	switch c.state {
	case stateHead:
		return c.stepHead(w)
	case stateSettle:
		return c.stepSettle()
	case stateLater:
		return c.stepLater(w)
	case stateStream:
		return c.stepStream(w)
	case stateRest:
		return c.stepRest()
	case stateFile:
		return c.stepFile()
	case stateDrain:
		return c.stepDrain(w)
	case stateTunnel:
		return c.stepTunnel(w)
	case stateHalfClosed:
		return c.stepHalfClosed()
	case stateTimedOut:
		return c.refuse(errHeadTimeout, ReasonHeadTimeout)
	}
	return done
}

// stepHead reads on in a head, and has the request answered when it is whole.
func (c *core) stepHead(w pipeline.Waker) progress {
	x := c.exchange
	if x == nil {
		chunk, err := c.link.Poll(w)
		if err != nil {
			return c.inputEnded(err)
		}
		x = c.local.lendExchange(c)
		c.exchange = x
		x.feed(chunk)
	}
	event, err := x.parser.Next()
	switch {
	case err == io.EOF:
		return c.inputEnded(err)
	case err != nil:
		return c.refuse(err, ReasonBadRequest)
	case event == parser.HeadReady:
		return c.dispatch()
	}
	chunk, err := c.link.Poll(w)
	switch err {
	case nil:
		x.feed(chunk)
	case io.EOF:
		x.parser.FeedEOF()
	default:
		return c.inputEnded(err)
	}
	return advanced
}

// inputEnded is the end of the input where a request could have begun.
func (c *core) inputEnded(err error) progress {
	switch err {
	case pipeline.ErrPending:
		return waits
	case io.EOF:
		return c.end(ReasonClientClosed, ErrClientGone)
	}
	return c.end(ReasonConnectionLost, ErrClientGone)
}

// dispatch has the request, whose head is ready, answered by the handler.
func (c *core) dispatch() progress {
	x := c.exchange
	c.requests++
	c.state = stateHandler
	err := x.begin(x.parser.Head())
	if hook := c.local.options.Hooks.Request; hook != nil {
		hook(x.request)
	}
	if err != nil {
		r := Fail(err)
		return c.respond(&r)
	}
	stuck := c.local.loop.Stuck()
	r := c.local.handler(x.request)
	if !stuck && c.local.loop.Stuck() {
		c.blame()
	}
	return c.respond(&r)
}
