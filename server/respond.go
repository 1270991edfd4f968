package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strconv"

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
		x.later = r.flow.later
		c.state = stateLater
	case kindError:
		return c.respondError(r.flow.err)
	case kindStream:
		x.response, x.stream = *r, r.flow.source
		if x.withoutBody(r.outline.status()) {
			c.state = stateSettle
			return c.sendHead(r.flow.length)
		}
		c.state = stateStream
	case kindFile:
		x.response, x.file = *r, r.flow.file
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
		x.holds, x.reference = true, r.body
		return hasReference
	default:
		x.holds, x.text = true, r.text
		c.state = stateRest
	}
	return advanced
}

// respondError answers an error, before the head of any response is out.
func (c *core) respondError(err error) progress {
	status, sentence, log := describeError(err)
	if log {
		c.logFailure("a request failed", status, err)
	}
	c.exchange.closeResponse()
	r := errorResponse(status, sentence)
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
	switch err {
	case nil:
		return c.respond(&r)
	case io.EOF:
		err = errors.New("server: the source of a Later response ended without a response")
	}
	return c.respondError(err)
}

func (c *core) stepStream(w pipeline.Waker) progress {
	x := c.exchange
	chunk, err := x.stream.Poll(w)
	switch {
	case err == io.EOF:
		return c.endStream()
	case err != nil && err != pipeline.ErrPending && x.headSent:
		return c.cut(err)
	case err != nil && err != pipeline.ErrPending:
		return c.respondError(err)
	case err != nil && x.body != nil && x.body.err == nil && x.awaitsContinue():
		return waits // the body may yet be asked for, and 100 must go before the head
	}
	if !x.headSent {
		c.sendHead(x.response.flow.length)
		if c.state != stateStream {
			return advanced // refused, and answered with an error
		}
	}
	if err != nil {
		return waits
	}
	return c.sendChunk(chunk)
}

// sendHead encodes the head of a response whose body comes from a source or a
// file.
func (c *core) sendHead(length int64) progress {
	if err := c.encodeHead(&c.exchange.response, length); err != nil {
		return c.respondError(err)
	}
	return advanced
}

// sendChunk hands out one piece of a stream.
func (c *core) sendChunk(chunk []byte) progress {
	x := c.exchange
	if len(chunk) == 0 {
		return advanced // an empty chunk would end a chunked body
	}
	x.sent += int64(len(chunk))
	if declared := x.response.flow.length; declared >= 0 && x.sent > declared {
		return c.cut(fmt.Errorf("server: the response's source gave more than the %d bytes that its length declares", declared))
	}
	if x.framing == framingChunked {
		c.out = c.output()
		c.out.B = strconv.AppendInt(c.out.B, int64(len(chunk)), 16)
		c.out.B = append(c.out.B, "\r\n"...)
	}
	if len(chunk) >= referenceSize {
		x.reference = chunk
		return hasReference
	}
	c.out = c.output()
	c.out.B = append(c.out.B, chunk...)
	if x.framing == framingChunked {
		c.out.B = append(c.out.B, "\r\n"...)
	}
	return advanced
}

// endStream ends the body of a stream properly, or not at all.
func (c *core) endStream() progress {
	x := c.exchange
	flow := x.response.flow
	if !x.headSent {
		if flow.length > 0 {
			return c.respondError(shortBody(0, flow.length))
		}
		length := flow.length
		if flow.trailers == nil {
			length = 0
		}
		c.state = stateSettle
		if p := c.sendHead(length); p != advanced || x.framing != framingChunked {
			return p
		}
	}
	if x.sent < flow.length {
		return c.cut(shortBody(x.sent, flow.length))
	}
	if x.framing == framingChunked {
		if err := c.encodeLastChunk(flow.trailers); err != nil {
			return c.cut(err)
		}
	}
	c.state = stateSettle
	return advanced
}

func shortBody(sent, declared int64) error {
	return fmt.Errorf("server: the response's source ended after %d of the %d bytes that its length declares", sent, declared)
}

// cut ends the connection in the middle of a response's body.
func (c *core) cut(err error) progress {
	c.logFailure("a response was cut after its head was sent", c.exchange.status, err)
	c.chooseReset()
	return c.end(ReasonResponseFailed, err)
}

// chooseReset has the connection reset if its close would look like the body's end.
func (c *core) chooseReset() {
	if x := c.exchange; x != nil && x.framing == framingUntilClose {
		c.ending = endsByReset
	}
}

func (c *core) logFailure(what string, status int, err error) {
	r := c.exchange.request
	attributes := []any{"method", r.Method(), "target", r.Target(), "status", status, "sent", c.exchange.sent, "error", err}
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

// takeReference makes a segment of what was gathered and what is written from
// where it lies.
func (c *core) takeReference() segment {
	x := c.exchange
	var s segment
	if c.out != nil {
		s.head = c.out.B
	}
	if c.state == stateFile {
		flow := x.response.flow
		s.file, s.offset = x.file, flow.offset+x.sent
		s.length = min(flow.length-x.sent, fileSize)
		if x.sent += s.length; x.sent == flow.length {
			c.state = stateSettle
		}
		return s
	}
	s.data, x.reference = x.reference, nil
	if x.framing == framingChunked {
		s.tail = c.local.crlf
	}
	return s
}

// sendContinue sends 100 Continue at the first demand for a body whose client
// waits for it (RFC 9110, section 10.1.1). Once the final head is out, or when
// part of the body is there, it is not needed.
func (c *core) sendContinue() {
	x := c.exchange
	if !x.awaitsContinue() || x.headSent {
		return
	}
	x.continued = true
	if len(x.parser.Rest()) == 0 {
		c.out = c.output()
		c.out.B = append(c.out.B, "HTTP/1.1 100 Continue\r\n\r\n"...)
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
	x := c.exchange
	if x == nil || x.headSent || c.state == stateHead {
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
