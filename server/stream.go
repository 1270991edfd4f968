package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/penstock-go/penstock/pipeline"
)

// The body of a response that comes from a source.

func (c *core) stepStream(w pipeline.Waker) progress {
	x, flow := c.exchange, c.stream
	if flow.length-flow.sent >= spliceSize {
		if source := c.splices(); source != nil {
			if p, moved := c.stepPipe(source, w); moved {
				return p
			}
		}
	}
	var chunk []byte
	var err error
	if flow.added == (additions{}) {
		chunk, err = flow.source.Poll(w) // not through a function: it is on the way of every event
	} else {
		chunk, err = flow.added.poll(flow.source, w)
	}
	headSent := x == nil || x.headSent
	switch {
	case err == io.EOF:
		return c.endStream()
	case err != nil && err != pipeline.ErrPending && headSent:
		return c.cut(err)
	case err != nil && err != pipeline.ErrPending:
		return c.respondError(err)
	case err != nil && x != nil && x.body != nil && x.body.err == nil && x.awaitsContinue():
		return waits // the body may yet be asked for, and 100 must go before the head
	}
	if !headSent {
		c.sendHead(flow.length)
		if c.state != stateStream {
			return advanced // refused, and answered with an error
		}
	}
	if err == nil {
		return c.sendChunk(chunk)
	}
	return waits
}

// sendHead encodes the head of a response whose body comes from a source or a
// file.
func (c *core) sendHead(length int64) progress {
	x := c.exchange
	if err := c.encodeHead(&x.response, length); err != nil {
		return c.respondError(err)
	}
	if c.stream != nil {
		c.stream.framing = x.framing
	}
	return advanced
}

// sendChunk hands out one piece of a stream.
func (c *core) sendChunk(chunk []byte) progress {
	if len(chunk) == 0 {
		return advanced // an empty chunk would end a chunked body
	}
	flow := c.stream
	c.count(int64(len(chunk)))
	if declared := flow.length; declared >= 0 && flow.sent > declared {
		return c.cut(fmt.Errorf("server: the response's source gave more than the %d bytes that its length declares", declared))
	}
	c.out = c.output()
	if flow.framing == framingChunked {
		c.out.B = strconv.AppendInt(c.out.B, int64(len(chunk)), 16)
		c.out.B = append(c.out.B, "\r\n"...)
	}
	if len(chunk) >= referenceSize {
		c.local.reference.data = chunk
		if flow.framing == framingChunked {
			c.local.reference.tail = c.local.crlf
		}
		return hasReference
	}
	c.out.B = append(c.out.B, chunk...)
	if flow.framing == framingChunked {
		c.out.B = append(c.out.B, "\r\n"...)
	}
	return advanced
}

// count takes note of n bytes of the body that are handed out.
func (c *core) count(n int64) {
	c.stream.sent += n
	if c.exchange != nil {
		c.exchange.sent = c.stream.sent
	}
}

// endStream ends the body of a stream properly, or not at all.
func (c *core) endStream() progress {
	x, flow := c.exchange, c.stream
	if x != nil && !x.headSent {
		if flow.length > 0 {
			return c.respondError(shortBody(0, flow.length))
		}
		length := flow.length
		if flow.extra == nil || flow.extra.trailers == nil {
			length = 0
		}
		c.state = stateSettle
		if p := c.sendHead(length); p != advanced || x.framing != framingChunked {
			return p
		}
	}
	if flow.sent < flow.length {
		return c.cut(shortBody(flow.sent, flow.length))
	}
	if flow.framing == framingChunked {
		if err := c.encodeLastChunk(flow.trailers()); err != nil {
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
	reason := ReasonEvicted
	if !errors.Is(err, pipeline.ErrEvicted) {
		reason = ReasonResponseFailed
	}
	if reason == ReasonResponseFailed && !errors.Is(err, http.ErrAbortHandler) { // that one says that it need not be
		c.logFailure("a response was cut after its head was sent", err)
	}
	c.chooseReset()
	return c.end(reason, err)
}

// chooseReset has the connection reset if its close would look like the body's end.
func (c *core) chooseReset() {
	if c.stream != nil && c.stream.framing == framingUntilClose {
		c.ending = endsByReset
	}
}

// releaseRequest gives the exchange of a stream back: from here on the stream is all that
// the connection holds.
func (c *core) releaseRequest() {
	x, flow := c.exchange, c.stream
	flow.keepAlive, flow.openEnded, flow.cancel = x.keepAlive, x.openEnded, x.cancel
	x.context, x.cancel = nil, nil
	if x.onFinish != nil {
		extra := flow.copyExtra()
		extra.onFinish, extra.status = x.onFinish, x.status
		flow.extra, x.onFinish = extra, nil
	}
	x.response, x.holds = Response{}, false
	x.finish(nil)
	x.parser.Restart()
	x.reset()
	c.exchange = nil
	c.local.takeBackExchange(x)
	c.link.Forget()
}

// canReleaseRequest says whether nothing of the request is needed any more although its
// response goes on.
func (c *core) canReleaseRequest() bool {
	x := c.exchange
	return (c.state == stateStream || c.tunnel() != nil) && x.headSent && x.response.outline.has(releasesRequest) &&
		c.local.options.Hooks.Response == nil && x.wasReceived() && len(x.parser.Rest()) == 0
}

// settleStream is stepSettle for a stream whose request was released.
func (c *core) settleStream() progress {
	keepAlive := c.stream.keepAlive && !c.local.draining
	c.closeStream(errAnswered)
	if !keepAlive {
		return c.end(ReasonAnswered, errAnswered)
	}
	c.state = stateHead
	return advanced
}

// closeStream closes the source of the body that is being sent, if there is one. It is
// forgotten first: should Close panic, it is not closed again.
func (c *core) closeStream(cause error) {
	flow := c.stream
	if flow == nil {
		return
	}
	c.stream = nil
	if cancel := flow.cancel; cancel != nil {
		cancel(cause)
	}
	if flow.extra != nil && flow.extra.onFinish != nil {
		flow.extra.onFinish(flow.extra.status, flow.sent)
	}
	flow.source.Close()
}

// endOpenStream has a stream that would go on until the client leaves end properly at the
// next Poll. It returns whether there was one.
func (c *core) endOpenStream() bool {
	if c.stream == nil || !c.openEnded() || c.stream.length >= 0 {
		return false
	}
	c.stream.addEnd()
	return true
}
