package server

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/valyala/bytebufferpool"

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
	exchange     *exchange // nil while idle
	out          *bytebufferpool.ByteBuffer
	writeTimeout time.Duration
	state        coreState
	reason       CloseReason // why it is done
	lingers      bool        // done, and the client may still be sending
	resets       bool        // done, and only a reset tells that the answer was cut
	requests     uint32      // heads read on this connection
}

// link is what a core needs of the connection below it. Poll gives the bytes
// that the client sends; Release says that the last chunk is not needed any more.
type link interface {
	pipeline.Source[[]byte]
	Release()
	RemoteAddr() netip.AddrPort
	LocalAddr() netip.AddrPort
}

type coreState uint8

const (
	stateHead     coreState = iota // wants a request's head
	stateHandler                   // the handler runs
	stateLater                     // waits for the response
	stateStream                    // sends the response's body
	stateRest                      // sends a large complete body in pieces
	stateFile                      // hands out the range of a file
	stateSettle                    // the answer is handed out
	stateDrain                     // throws away the rest of the request's body
	stateTimedOut                  // refuses a head that took too long
	stateDone
)

// A segment is what the core hands out to be written: head, data and tail in this
// order, then a range of a file. It is valid until the next Poll or Close.
type segment struct {
	head, data, tail []byte
	file             *os.File
	offset, length   int64
}

const (
	// flushSize is how much gathered output is enough for one segment.
	flushSize = 32 << 10
	// referenceSize is the size from which body data is written from where it
	// lies; below, copying it beside what surrounds it is cheaper.
	referenceSize = 8 << 10
	// fileSize is how much of a file goes into one segment: sendfile(2) may wait
	// for the disk, and others wait for the loop meanwhile.
	fileSize = turnBytes
	// stepsPerPoll bounds how long one Poll may hold the loop; a request that is
	// answered at once takes two.
	stepsPerPoll = 2 * turnRequests
)

// Poll returns the next segment; ErrPending; io.EOF when the connection is to be
// closed after what was handed out; or the error that cuts it.
func (c *core) Poll(w pipeline.Waker) (segment, error) {
	c.recycleOutput()
	c.local.refreshDate()
	for steps := 0; ; {
		err := c.guardedSteps(w, &steps)
		switch {
		case err == errReference:
			return c.takeReference(), nil
		case err == pipeline.ErrPending:
			c.rest()
		}
		switch {
		case c.out != nil && len(c.out.B) > 0:
			return segment{head: c.out.B}, nil
		case err != nil:
			return segment{}, err
		case steps >= stepsPerPoll:
			w.Wake()
			return segment{}, pipeline.ErrPending
		}
	}
}

// Close ends whatever is in hand. The client has gone, or must go.
func (c *core) Close() { c.cancel(ReasonConnectionLost) }

// cancel is Close for a reason.
func (c *core) cancel(reason CloseReason) {
	c.endGuarded(reason, errClientGone)
	c.recycleOutput()
}

// guardedSteps runs steps until one ends the Poll, or enough has been gathered,
// and turns a panic of a handler or a stage into a failure of its exchange.
func (c *core) guardedSteps(w pipeline.Waker, steps *int) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = c.panicked(value)
		}
	}()
	for *steps < stepsPerPoll {
		*steps++
		if err := c.step(w); err != nil {
			return err
		}
		if c.out != nil && len(c.out.B) >= flushSize {
			return nil
		}
	}
	return nil
}

// errReference ends a Poll with body data that is written from where it lies.
var errReference = errors.New("server: a segment with a reference is ready")

func (c *core) step(w pipeline.Waker) error {
	switch c.state {
	case stateHead:
		return c.stepHead(w)
	case stateLater:
		return c.stepLater(w)
	case stateStream:
		return c.stepStream(w)
	case stateRest:
		return c.stepRest()
	case stateFile:
		return errReference // the next piece
	case stateSettle:
		return c.stepSettle()
	case stateDrain:
		return c.stepDrain(w)
	case stateTimedOut:
		return c.refuse(errHeadTimeout, ReasonHeadTimeout)
	}
	return c.reason.error()
}

// stepHead reads on in a head, and has the request answered when it is whole.
func (c *core) stepHead(w pipeline.Waker) error {
	x := c.exchange
	if x == nil {
		chunk, err := c.link.Poll(w)
		if err != nil {
			return c.inputEnded(err)
		}
		x = c.local.lendExchange(c)
		c.exchange = x
		x.parser.Feed(chunk)
	}
	event, err := x.parser.Next()
	if err == io.EOF {
		return c.inputEnded(err)
	}
	if err != nil {
		return c.refuse(err, ReasonBadRequest)
	}
	if event == parser.HeadReady {
		return c.dispatch()
	}
	chunk, err := c.link.Poll(w)
	switch err {
	case nil:
		x.parser.Feed(chunk)
	case io.EOF:
		x.parser.FeedEOF()
	default:
		return c.inputEnded(err)
	}
	return nil
}

// inputEnded is the end of the input where a request could have begun.
func (c *core) inputEnded(err error) error {
	switch err {
	case pipeline.ErrPending:
		return err
	case io.EOF:
		return c.end(ReasonClientClosed, errClientGone)
	}
	return c.end(ReasonConnectionLost, errClientGone)
}

// dispatch has the request, whose head is ready, answered by the handler.
func (c *core) dispatch() error {
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
	r := c.local.handler(x.request)
	return c.respond(&r)
}

// stepSettle ends the exchange whose answer has been handed out, and decides what
// becomes of the connection.
func (c *core) stepSettle() error {
	x := c.exchange
	x.finish(errAnswered)
	switch {
	case !x.keepAlive:
		return c.end(ReasonAnswered, errAnswered)
	case x.received:
		c.nextRequest()
	default:
		c.state = stateDrain
	}
	return nil
}

func (c *core) nextRequest() {
	c.exchange.parser.Restart()
	c.exchange.reset()
	c.state = stateHead
}

// stepDrain throws away a piece of the body that nobody read. None of it is ever
// taken for a request.
func (c *core) stepDrain(w pipeline.Waker) error {
	x := c.exchange
	data, err := x.pollBody(w)
	switch err {
	case nil:
		x.drained += int64(len(data))
		if x.drained > c.local.options.DrainLimit {
			return c.end(ReasonAnswered, errAnswered)
		}
	case io.EOF:
		c.nextRequest()
	case pipeline.ErrPending:
		return err
	default:
		return c.end(ReasonBadRequest, errAnswered)
	}
	return nil
}

// end makes the core done, for reason, and releases everything but the output
// that was gathered. The first reason stays.
func (c *core) end(reason CloseReason, cause error) error {
	if c.state != stateDone {
		c.state, c.reason = stateDone, reason
	}
	if x := c.exchange; x != nil {
		c.lingers = !x.received || len(x.parser.Rest()) > 0
		x.finish(cause)
		c.exchange = nil
		c.local.takeBackExchange(x)
	}
	c.link.Release()
	return c.reason.error()
}

// endGuarded is end where a panic in what is being closed has nobody above to
// recover it: it is logged, and the rest is closed all the same.
func (c *core) endGuarded(reason CloseReason, cause error) error {
	for !c.tryToEnd(reason, cause) {
	}
	return c.reason.error()
}

// tryToEnd returns false when something panicked. What panics is not closed
// again, so the next try gets further.
func (c *core) tryToEnd(reason CloseReason, cause error) (done bool) {
	defer func() {
		if value := recover(); value != nil {
			c.logPanic(value)
		}
	}()
	c.end(reason, cause)
	return true
}

// rest gives back what a core that waits does not need: the exchange when the
// connection is idle, and the chunk of input when nobody can be looking at it.
func (c *core) rest() {
	x := c.exchange
	if x == nil || len(x.parser.Rest()) > 0 || x.body != nil && x.body.lent {
		return
	}
	c.link.Release()
	if c.state == stateHead && x.parser.Idle() {
		c.exchange = nil
		c.local.takeBackExchange(x)
	}
}

// The connection asks what the core waits for, and says when it has waited too
// long.

type phase uint8

const (
	phaseIdle    phase = iota // for a request
	phaseHead                 // for the rest of a head
	phaseBody                 // for the body, which somebody has asked for
	phaseHandler              // for the handler: no time runs
	phaseWrite                // for the client to take what it is sent
	phaseLinger               // for the client to stop sending
)

func (c *core) phase() phase {
	x := c.exchange
	switch {
	case x == nil:
		return phaseIdle
	case c.state == stateHead && x.parser.Started():
		return phaseHead
	case c.state == stateHead:
		return phaseIdle
	case x.awaitsBody:
		return phaseBody
	}
	return phaseHandler
}

// openEnded says whether the exchange ends when the client closes its sending
// side.
func (c *core) openEnded() bool { return c.exchange != nil && c.exchange.openEnded }

// headTimedOut has a head that took too long answered with 408 at the next Poll.
func (c *core) headTimedOut() { c.state = stateTimedOut }

var errHeadTimeout = &Error{http.StatusRequestTimeout, "The request's head took too long."}

// bodyTimedOut fails the body for whoever reads it, or ends the connection when
// it was being thrown away.
func (c *core) bodyTimedOut() {
	if c.state == stateDrain || c.exchange.body == nil {
		c.end(ReasonBodyTimeout, errAnswered)
		return
	}
	c.exchange.body.fail(errBodyTimeout)
}
