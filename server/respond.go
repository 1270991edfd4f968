package server

import (
	"errors"
	"io"
	"net/http"
	"runtime/debug"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// respond begins to send what the handler, or a Later, has answered.
func (c *core) respond(r *Response) progress {
	x := c.exchange
	if r.outline.kind() == kindComplete {
		return c.respondComplete(r)
	}
	x.openEnded = x.openEnded || r.outline.has(isOpenEnded)
	x.holds = true
	switch r.outline.kind() {
	case kindLater:
		x.later = r.flow.extra.later
		c.state = stateLater
	case kindError:
		return c.respondErrorWith(r.flow.extra.err, r.fields)
	case kindHijack:
		return c.respondHijack(r)
	case kindUpgrade:
		return c.respondUpgrade(r)
	case kindStream:
		x.response, c.stream = *r, r.flow
		if c.local.draining {
			c.endOpenStream()
		}
		if x.withoutBody(r.outline.status()) {
			c.state = stateSettle
			return c.sendHead(r.flow.length)
		}
		c.state = stateStream
	case kindFile:
		x.response, x.file = *r, r.flow.extra.file
		c.state = stateFile
		if x.withoutBody(r.outline.status()) || r.flow.length == 0 {
			c.state = stateSettle
		}
		return c.sendHead(r.flow.length)
	}
	return advanced
}

// respondComplete sends a response that is there.
func (c *core) respondComplete(r *Response) progress {
	x := c.exchange
	size := len(r.text) + len(r.body)
	c.state = stateSettle
	if err := c.encodeHead(r, int64(size)); err != nil {
		return c.respondError(err)
	}
	if size == 0 || x.withoutBody(r.outline.status()) {
		return advanced
	}
	x.sent = int64(size)
	switch {
	case size <= referenceSize && r.body == nil:
		c.out.B = append(c.out.B, r.text...)
	case size <= referenceSize:
		c.out.B = append(c.out.B, r.body...)
	case r.body != nil:
		c.local.reference.data = r.body
		return hasReference
	default:
		x.holds, x.text = true, r.text
		c.state = stateRest
	}
	return advanced
}

// respondError answers an error, before the head of any response is out.
func (c *core) respondError(err error) progress { return c.respondErrorWith(err, nil) }

// respondErrorWith is respondError with fields that the answer has besides its own.
func (c *core) respondErrorWith(err error, fields *fieldNode) progress {
	status, sentence, log := describeError(err)
	var own interface{ Response() Response }
	answersItself := errors.As(err, &own)
	if log && !answersItself {
		c.exchange.status = status
		c.logFailure("a request failed", err)
	}
	c.exchange.closeResponse()
	r := errorResponse(status, sentence)
	if answersItself {
		r = own.Response()
	}
	if r.fields = r.fields.behind(fields); r.outline.kind() != kindComplete {
		r = errorResponse(http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError))
	}
	return c.respond(&r)
}

func errorResponse(status int, sentence string) Response {
	r := Text(status, sentence+"\n")
	if status == http.StatusServiceUnavailable {
		r = r.With("Retry-After", "1")
	}
	return r
}

// refuse answers bytes that are no request, or no whole one in time. The
// connection ends with it: where the next request would begin is not known.
func (c *core) refuse(err error, reason CloseReason) progress {
	status, sentence, _ := describeError(err)
	r := errorResponse(status, sentence)
	c.exchange.keepAlive = false
	if err := c.encodeHead(&r, int64(len(r.text))); err != nil {
		return c.end(ReasonResponseFailed, err)
	}
	c.out.B = append(c.out.B, r.text...)
	return c.end(reason, err)
}

func (c *core) stepLater(w pipeline.Waker) progress {
	x := c.exchange
	r, err := x.later.Poll(w)
	if err == pipeline.ErrPending {
		return waits
	}
	// Closed last: should Close panic, the response that came is already where it
	// will be closed.
	defer x.later.Close()
	x.later = nil
	if err == nil {
		return c.respond(&r)
	}
	return c.respondError(laterFailed(err))
}

// laterFailed is the error to answer when a Later has ended with err.
func laterFailed(err error) error {
	if err == io.EOF {
		return errors.New("server: the source of a Later response ended without a response")
	}
	return err
}

func (c *core) logFailure(what string, err error) {
	var attributes []any
	if x := c.exchange; x != nil {
		r := x.request
		attributes = append(attributes, "method", r.Method(), "target", r.Target(), "status", x.status, "sent", x.sent)
	}
	attributes = append(attributes, "error", err)
	if worker := (*pipeline.PanicError)(nil); errors.As(err, &worker) {
		attributes = append(attributes, "stack", string(worker.Stack))
	}
	c.local.options.Logger.Error(what, attributes...)
}

// stepRest hands out a piece of a large text.
func (c *core) stepRest() progress {
	x := c.exchange
	n := min(len(x.text), flushSize)
	c.out = c.output()
	c.out.B = append(c.out.B, x.text[:n]...)
	if x.text = x.text[n:]; x.text == "" {
		c.state = stateSettle
	}
	return advanced
}

// stepFile hands out the next piece of a file.
func (c *core) stepFile() progress {
	x := c.exchange
	flow := x.response.flow
	length := min(flow.length-x.sent, fileSize)
	c.local.reference = segment{file: x.file, offset: flow.extra.offset + x.sent, length: length}
	if x.sent += length; x.sent == flow.length {
		c.state = stateSettle
	}
	return hasReference
}

// takeReference makes a segment of what was gathered and what is written from
// where it lies.
func (c *core) takeReference() segment {
	s := c.local.reference
	c.local.reference = segment{}
	if c.out != nil {
		s.head = c.out.B
	}
	return s
}

// sendContinue sends 100 Continue at the first demand for a body whose client
// waits for it (RFC 9110, section 10.1.1). Once the final head is out, or when
// part of the body is there, it is not needed. Whoever demands it need not be polled by the
// core, so it leaves with the core's next output.
func (c *core) sendContinue() {
	x := c.exchange
	if !x.awaitsContinue() || x.headSent {
		return
	}
	x.continued = true
	if len(x.parser.Rest()) == 0 {
		x.informational = append(x.informational, "HTTP/1.1 100 Continue\r\n\r\n"...)
		c.link.Wake()
	}
}

func (x *exchange) awaitsContinue() bool {
	return x.parser.Head().ExpectContinue && !x.continued && !x.received
}

// persists says whether the connection can go on to another request after
// response r. It is asked when the head of r is encoded.
func (x *exchange) persists(r *Response) bool {
	if !x.keepAlive || r.outline.has(closesAfter) || x.core.local.draining {
		return false
	}
	if x.received {
		return true
	}
	if x.body == nil || x.body.err != nil && x.body.err != ErrExchangeEnded || x.awaitsContinue() {
		return false
	}
	if r.outline.kind() == kindStream && x.body.err == nil {
		return true // it may be read while the answer is sent
	}
	if head := x.parser.Head(); !head.Chunked && head.ContentLength-x.body.count <= x.core.local.options.DrainLimit {
		return true
	}
	return x.discardFed()
}

// discardFed throws away what has come of the body, without asking for more,
// and says whether that was all of it.
func (x *exchange) discardFed() bool {
	for {
		event, err := x.parser.Next()
		switch {
		case err != nil:
			return false
		case event == parser.End:
			x.received = true
			return true
		case event == parser.NeedData:
			return false
		}
	}
}

// panicked makes a failure of its exchange of a panic in a handler or a stage.
func (c *core) panicked(value any) progress {
	c.logPanic(value)
	if x := c.exchange; x == nil || x.headSent || c.state == stateHead {
		c.chooseReset()
		return c.endGuarded(ReasonResponseFailed, errPanicked)
	}
	return c.respondError(errPanicked)
}

func (c *core) logPanic(value any) {
	c.local.options.Logger.Error("a handler or a stage panicked", "panic", value, "stack", string(debug.Stack()))
}

// errPanicked has been logged with its stack where it was recovered.
var errPanicked = &Error{Code: http.StatusInternalServerError, Message: "Internal Server Error"}
