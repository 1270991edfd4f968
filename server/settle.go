package server

import (
	"io"
	"net/http"

	"github.com/penstock-go/penstock/pipeline"
)

// How an exchange ends, and what becomes of its connection.

// stepSettle ends the exchange whose answer has been handed out, and decides what
// becomes of the connection.
func (c *core) stepSettle() progress {
	x := c.exchange
	if x == nil {
		return c.settleStream()
	}
	x.finish(errAnswered)
	switch {
	case !x.keepAlive || c.local.draining:
		return c.end(ReasonAnswered, errAnswered)
	case x.received:
		c.nextRequest()
	default:
		c.state = stateDrain
	}
	return advanced
}

func (c *core) nextRequest() {
	c.exchange.parser.Restart()
	c.exchange.reset()
	c.state = stateHead
}

// stepDrain throws away a piece of the body that nobody read. None of it is ever
// taken for a request.
func (c *core) stepDrain(w pipeline.Waker) progress {
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
		return waits
	default:
		return c.end(ReasonBadRequest, errAnswered)
	}
	return advanced
}

// Close ends whatever is in hand. The client has gone, or must go.
func (c *core) Close() { c.cancel(ReasonConnectionLost) }

// cancel is Close for a reason.
func (c *core) cancel(reason CloseReason) {
	c.endGuarded(reason, ErrClientGone)
	c.recycleOutput()
}

// end makes the core done, for reason, and releases everything but the output
// that was gathered. The first reason stays.
func (c *core) end(reason CloseReason, cause error) progress {
	if c.state != stateDone {
		c.state, c.reason = stateDone, reason
	}
	if x := c.exchange; x != nil {
		if c.ending == endsAtOnce && (!x.received || len(x.parser.Rest()) > 0) {
			c.ending = endsLate
		}
		x.finish(cause)
		c.exchange = nil
		c.local.takeBackExchange(x)
	}
	c.closeStream(cause)
	c.link.Release()
	return done
}

// endGuarded is end where a panic in what is being closed has nobody above to
// recover it: it is logged, and the rest is closed all the same.
func (c *core) endGuarded(reason CloseReason, cause error) progress {
	for !c.tryToEnd(reason, cause) {
	}
	return done
}

// tryToEnd returns false when something panicked. What panics is not closed
// again, so the next try gets further.
func (c *core) tryToEnd(reason CloseReason, cause error) (ended bool) {
	defer func() {
		if value := recover(); value != nil {
			c.logPanic(value)
		}
	}()
	c.end(reason, cause)
	return true
}

// rest gives back what a core that waits does not need: the chunk of input when nobody
// can be looking at it, and the exchange when the connection is idle or a stream has no use
// for it.
func (c *core) rest() {
	x := c.exchange
	if x == nil || x.body != nil && x.body.lent {
		return
	}
	if t := c.tunnel(); t != nil && t.lent {
		return
	}
	x.keepRest()
	c.link.Release()
	switch {
	case c.state == stateHead && x.parser.Idle():
		c.exchange = nil
		c.local.takeBackExchange(x)
	case c.canReleaseRequest():
		c.releaseRequest()
	}
}

// The connection asks what the core waits for, and says when it has waited too
// long.

type phase uint8

const (
	phaseIdle       phase = iota // for a request
	phaseHead                    // for the rest of a head
	phaseBody                    // for the body, which somebody has asked for
	phaseHandler                 // for the handler: no time runs
	phaseEvents                  // for an event, or until the next comment is due
	phaseWrite                   // for the client to take what it is sent
	phaseLinger                  // for the client to stop sending
	phaseHalfClosed              // for the other end of a tunnel to take what the client sends
)

func (c *core) phase() phase {
	x := c.exchange
	switch {
	case c.stream != nil && c.stream.ping > 0:
		return phaseEvents
	case x == nil && c.stream != nil:
		return phaseHandler
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
func (c *core) openEnded() bool {
	if c.exchange == nil {
		return c.stream != nil && c.stream.openEnded
	}
	return c.exchange.openEnded
}

// silentTooLong has a comment sent on the event stream at the next Poll.
func (c *core) silentTooLong() { c.stream.addComment() }

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
