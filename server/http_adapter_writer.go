package server

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// httpWriter is the http.ResponseWriter of a net/http handler. Owned by the worker.
//
// What is written is kept in the buffer first. If the handler returns before that is full,
// and has not flushed, the response goes to the loop complete. Otherwise it begins: it goes
// to the loop as a stream, and from then on what leaves the buffer goes into the stream.
type httpWriter struct {
	exchange *httpExchange
	header   http.Header
	head     httpHead // taken of header by WriteHeader

	buffer   []byte
	written  int64            // by the handler, in bytes
	stream   *pipeline.Writer // nil until the response has begun
	trailers []Field          // behind the stream; set before that is closed
	state    httpWriterState
	bodiless bool // the request's method is HEAD: what is written is counted, and not sent

	deadline time.Time   // of writing; zero for none
	timer    *time.Timer // until then, while there is a stream
}

type httpWriterState uint8

const (
	httpWrites   httpWriterState = iota
	httpComplete                 // the loop has all of the response
	httpHijacked                 // or the connection is the handler's
)

const (
	// httpBufferSize is how much a handler may write before its response begins.
	httpBufferSize = 2 << 10
	// httpStreamSize is how much of a response that has begun waits for the client before the handler
	// does.
	httpStreamSize = 32 << 10
	// httpCopySize is how much ReadFrom reads at a time.
	httpCopySize = 16 << 10
)

func (w *httpWriter) begin(x *httpExchange) {
	w.exchange = x
	w.head.declared = -1
	w.bodiless = x.request.Method == http.MethodHead
}

// Header returns the fields that WriteHeader sends; see [http.ResponseWriter].
func (w *httpWriter) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

// WriteHeader decides the status and the fields. With a status below 200 it sends an informational
// response at once instead; 100 need not be sent so, as the first Read of the body sends it to a client
// that waits for it. 101 is for a handler that then hijacks the connection, see Hijack: from any other it
// is refused, with a 500 and a log line.
func (w *httpWriter) WriteHeader(status int) {
	switch {
	case w.state == httpHijacked:
		w.exchange.logger.Warn("a net/http handler has called WriteHeader on a connection that it has hijacked")
	case w.head.status != 0:
		w.exchange.logger.Warn("a net/http handler has called WriteHeader more than once",
			"first", w.head.status, "superfluous", status)
	case status < 100 || status > 999:
		panic(fmt.Sprintf("server: WriteHeader needs a status from 100 to 999, and got %d", status))
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.inform(status)
	default:
		w.head.take(w.header, status, w.exchange.logger)
	}
}

// inform has the loop send an informational response.
func (w *httpWriter) inform(status int) {
	x := w.exchange
	fields := informationalFields(w.header)
	x.informing.Add(1)
	// A loop that has stopped sends nothing any more.
	_ = x.loop.Post(func() {
		x.informing.Add(-1)
		if x.origin == nil {
			return
		}
		x.origin.live().core.link.Wake()
		if err := x.origin.inform(status, fields); err != nil {
			x.logger.Warn("an informational response of a net/http handler was not sent", "error", err)
		}
	})
}

// Write writes to the body. Errors: [http.ErrBodyNotAllowed], [http.ErrContentLength],
// [http.ErrHijacked], os.ErrDeadlineExceeded, or one that says that the exchange is over.
func (w *httpWriter) Write(p []byte) (int, error) {
	if err := w.admit(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	if w.stream != nil {
		return w.send(p)
	}
	n := fill(w, p)
	if n == len(p) {
		return n, nil
	}
	if err := w.beginBody(); err != nil {
		return n, err
	}
	more, err := w.send(p[n:])
	return n + more, err
}

// WriteString is Write of a string.
func (w *httpWriter) WriteString(s string) (int, error) {
	if w.stream != nil || len(s) > httpBufferSize-len(w.buffer) {
		return w.Write([]byte(s))
	}
	if err := w.admit(len(s)); err != nil || s == "" {
		return 0, err
	}
	return fill(w, s), nil
}

// admit says whether n more bytes may be written.
func (w *httpWriter) admit(n int) error {
	if w.state == httpHijacked {
		return http.ErrHijacked
	}
	if w.head.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if n == 0 {
		return nil
	}
	if statusHasNoBody(w.head.status) {
		return http.ErrBodyNotAllowed
	}
	w.written += int64(n)
	switch {
	case w.head.declared >= 0 && w.written > w.head.declared:
		return http.ErrContentLength
	case w.state == httpComplete && !w.bodiless:
		return errNoExchange
	}
	return nil
}

// fill puts what there is room for of p into the buffer, and returns how much that is. Most
// handlers write once: then the buffer is as large as what is written.
func fill[T []byte | string](w *httpWriter, p T) int {
	n := min(len(p), httpBufferSize-len(w.buffer))
	if w.buffer != nil && cap(w.buffer)-len(w.buffer) < n {
		grown := make([]byte, len(w.buffer), httpBufferSize)
		copy(grown, w.buffer)
		w.buffer = grown
	}
	w.buffer = append(w.buffer, p[:n]...)
	return n
}

// beginBody begins to send the body: with what is in the buffer.
func (w *httpWriter) beginBody() error {
	w.head.sniff(w.buffer)
	if !w.bodiless {
		w.beginStream()
	}
	_, err := w.send(w.buffer)
	w.buffer = nil
	return err
}

// send hands over a part of the body.
func (w *httpWriter) send(p []byte) (int, error) {
	if w.bodiless {
		if w.exchange.over.Load() {
			return 0, errNoExchange
		}
		return len(p), nil
	}
	n, err := w.stream.Write(p)
	return n, w.explain(err)
}

// explain says of the error of a stream that was closed why it was.
func (w *httpWriter) explain(err error) error {
	switch {
	case err != pipeline.ErrClosed:
		return err
	case !w.deadline.IsZero() && !time.Now().Before(w.deadline):
		return os.ErrDeadlineExceeded
	}
	return errNoExchange
}

// beginStream hands the response over to the loop, with a body that is still to be written.
func (w *httpWriter) beginStream() {
	x := w.exchange
	var source pipeline.Source[[]byte]
	w.stream, source = pipeline.NewWriter(x.loop, httpStreamSize)
	w.startTimer()
	body := &httpStream{Source: source, exchange: x}
	r := w.head.response().streaming(body, w.head.declared)
	if w.head.eventStream {
		r = r.OpenEnded()
	}
	w.answer(r.Trailers(body.trailers))
}

// answer hands the response over.
func (w *httpWriter) answer(r Response) {
	x := w.exchange
	x.answer = r
	if err := x.loop.Post(x.answered); err != nil && w.stream != nil {
		w.stream.CloseWithError(err)
	}
}

// Flush is FlushError for who does not look at the error.
func (w *httpWriter) Flush() { _ = w.FlushError() }

// FlushError sends what was written so far, and the head in any case. It does not wait for the
// client.
func (w *httpWriter) FlushError() error {
	if err := w.admit(0); err != nil {
		return err
	}
	switch {
	case w.state == httpComplete:
		return nil
	case w.bodiless || statusHasNoBody(w.head.status):
		w.complete()
		return nil
	}
	if w.stream == nil {
		if err := w.beginBody(); err != nil {
			return err
		}
	}
	return w.explain(w.stream.Flush())
}

// ReadFrom writes what src gives until io.EOF.
func (w *httpWriter) ReadFrom(src io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{w}, src, make([]byte, httpCopySize))
}

// finish ends the response when the handler has returned.
func (w *httpWriter) finish() {
	if w.admit(0) != nil || w.state == httpComplete {
		return
	}
	if w.stream == nil {
		w.complete()
		return
	}
	w.trailers = w.head.trailersOf(w.header)
	w.endStream(nil)
}

// endStream ends the body: with the error that cuts it, or properly with nil.
func (w *httpWriter) endStream(err error) {
	w.stream.CloseWithError(err)
	if w.timer != nil {
		w.timer.Stop()
	}
}

// complete hands over a response that is all there.
func (w *httpWriter) complete() {
	w.state = httpComplete
	h := &w.head
	h.sniff(w.buffer)
	r := h.response()
	switch {
	case statusHasNoBody(h.status):
	case w.bodiless:
		length := h.declared
		if length < 0 && 0 < w.written && w.written <= httpBufferSize && !h.trailers {
			length = w.written
		}
		r = r.streaming(pipeline.Empty[[]byte](), length)
	case h.trailers || h.chunked || h.declared >= 0 && h.declared != w.written:
		r = r.streaming(pipeline.Once(w.buffer), h.declared)
		trailers := h.trailersOf(w.header)
		r = r.Trailers(func() []Field { return trailers })
	default:
		r.body = w.buffer
	}
	w.answer(r)
}

// streaming returns the response with a body.
func (r Response) streaming(source pipeline.Source[[]byte], length int64) Response {
	r.outline |= kindStream
	r.flow = &flow{source: source, length: length}
	return r
}

// fail ends the response with an error, unless all of it was handed over already.
func (w *httpWriter) fail(err error) bool {
	if w.state != httpWrites {
		return false
	}
	w.state = httpComplete
	if w.stream != nil {
		w.endStream(err)
		return true
	}
	w.exchange.failure = err
	w.answer(Response{})
	return true
}

// abort ends the connection instead of the response.
func (w *httpWriter) abort() {
	switch {
	case w.state != httpWrites:
	case w.stream != nil:
		w.fail(http.ErrAbortHandler)
	default:
		w.state = httpComplete
		w.answer(closeConnection())
	}
}
