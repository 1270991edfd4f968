package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	"github.com/penstock-go/penstock/pipeline"
)

// Handlers of net/http, run on a pool.
//
// Theory. The handler runs on a worker, straight through, and blocks when it likes; the
// exchange lives on the loop. An httpExchange stands on both sides. The core polls it for
// the response, and then for the response's body; the worker runs the handler with an
// httpWriter. A handler that returns before it has written much has its answer kept by
// the writer, and it reaches the loop complete, by one post: that is the common case. A
// handler that flushes, or writes more, has its response begin then, as a stream.
//
//	loop    Poll ─▶ submit            answered ─▶ response ─▶ core
//	worker             run ─▶ ServeHTTP ─▶ post ──┘
//
// Rules:
//
//  1. What belongs to the loop is touched on the loop only; the worker posts. What the
//     worker hands over it writes before the post, and does not touch after it.
//  2. The request's body is polled within a Poll of the core, whose turn counts its bytes
//     and runs its times. The worker that wants some has the core polled.
//  3. The exchange is over when the response it gave is closed, or when it is closed before
//     it gave one. From then on the handler's context is cancelled, its reads and writes
//     fail, and nothing touches the Request.

// An HTTPOption changes how [FromHTTP] runs a handler.
type HTTPOption func(*httpAdapter)

// HTTPOn has the handler run on pool, such as a *loop.Pool, in place of the server's own
// workers. A handler occupies its worker until it returns: for one that keeps connections
// (event streams, WebSockets) an Executor that starts a goroutine for each may be right.
// What pool refuses is answered as [Fail] answers its error.
func HTTPOn(pool pipeline.Executor) HTTPOption {
	return func(a *httpAdapter) { a.pool = pool }
}

// FromHTTP returns a handler that has h, a handler of net/http, answer. h runs on the server's
// workers, see [HTTPOn], and may block. It finds what it finds under net/http:
//
//   - The request has the client's method, target, fields and address. Its context is cancelled
//     when the client has gone, when the exchange has ended, and, as net/http does it, when the
//     client closes its sending side behind the request, which is answered all the same; it has an
//     [http.LocalAddrContextKey], and an [http.ServerContextKey] whose server only stands
//     for this one. The body is read while the client sends it, as fast as h reads;
//     [Options.BodyLimit] and the server's timeouts hold. Trailers are in Trailer
//     once the body has ended. The request may be kept.
//   - The ResponseWriter buffers up to 2 KiB, finds out the content type, counts the
//     content's length, sends trailers and informational responses; writing blocks while
//     the client does not take what it was sent. It is also an [http.Flusher], an
//     [http.Hijacker], an [io.ReaderFrom], an [io.StringWriter], and has all of
//     [http.ResponseController].
//   - A panic is a 500, or cuts the response if that has begun, and is logged;
//     [http.ErrAbortHandler] ends the connection.
//
// It differs from net/http in this: reading the body and writing the response at the same
// time is always allowed; the exchange of a client that closes its sending side ends at once when
// that is sent text/event-stream; Date is always sent; the fields Connection and Transfer-Encoding are
// the server's, but for Connection: close; OPTIONS * reaches h as any other request; a panic
// before the response has begun is answered.
func FromHTTP(h http.Handler, o ...HTTPOption) Handler {
	a := &httpAdapter{handler: h, server: &http.Server{Handler: h}}
	for _, option := range o {
		option(a)
	}
	return a.answer
}

// httpAdapter is what the requests to one net/http handler share. Immutable.
type httpAdapter struct {
	handler http.Handler
	server  *http.Server      // what http.ServerContextKey gives
	pool    pipeline.Executor // nil: the server's workers
}

// answer is the Handler.
func (a *httpAdapter) answer(r *Request) Response {
	x := &httpExchange{
		adapter: a,
		origin:  r,
		loop:    r.Loop(),
		logger:  r.live().core.local.options.Logger,
		pool:    a.pool,
		ending:  errNoExchange,
	}
	if a.pool == nil {
		x.pool = r.workers()
	}
	if err := x.begin(r); err != nil {
		return Fail(err)
	}
	x.writer.begin(x)
	r.live().watcher = x
	return Later(x)
}

// httpExchange is a request that a net/http handler answers, as the source of its response.
type httpExchange struct {
	adapter *httpAdapter
	loop    pipeline.Poster
	logger  *slog.Logger
	pool    pipeline.Executor

	request *http.Request
	context context.Context
	values  httpContext // the parent of context
	cancel  context.CancelCauseFunc
	body    *httpBody // nil without one

	writer   httpWriter // owned by the worker
	answer   Response   // the worker's until it is posted, the loop's from then on
	failure  error      // likewise; instead of answer
	hijacked *hijacking // likewise; nil unless the handler has asked for the connection

	over      atomic.Bool  // the exchange: set by the loop
	informing atomic.Int32 // informational responses on their way from the worker to the loop

	// Owned by the loop.
	origin *Request // nil once the exchange is over
	waker  pipeline.Waker
	ending error // why, for the handler's context
	state  httpState
}

type httpState uint8

const (
	httpNew     httpState = iota // not submitted
	httpRuns                     // the handler runs
	httpAnswers                  // the response is there to be polled
	httpGiven                    // it was given
	httpClosed                   // closed before that
)

// Poll gives the response. The first has the handler run.
func (x *httpExchange) Poll(w pipeline.Waker) (Response, error) {
	switch x.state {
	case httpNew:
		x.state = httpRuns
		x.pollBody(w) // nobody has asked yet: who does from now on has the core polled
		if err := x.pool.Submit(x.run); err != nil {
			x.state = httpAnswers
			x.failure = err
			return Response{}, err
		}
	case httpAnswers:
		if x.failure != nil {
			return Response{}, x.failure
		}
		x.state = httpGiven
		if x.hijacked != nil {
			x.hijacked.keepContext(x.origin.live())
		}
		return x.answer, nil
	case httpGiven:
		return Response{}, io.EOF
	case httpClosed:
		return Response{}, pipeline.ErrClosed
	}
	x.waker = w
	x.pollBody(w)
	return Response{}, pipeline.ErrPending
}

// Close ends the exchange, unless its response was given and has only begun: that ends it.
func (x *httpExchange) Close() {
	x.waker = nil
	switch x.state {
	case httpGiven:
		if x.writer.stream == nil {
			x.ending = errAnswered
			x.end()
		}
		return
	case httpAnswers:
		x.discard()
	}
	x.state = httpClosed
	x.end()
}

// end is the end of the exchange: nothing touches the Request any more. The context of a handler
// that has hijacked the connection is its own until it returns.
func (x *httpExchange) end() {
	if x.origin == nil {
		return
	}
	x.origin = nil
	x.over.Store(true)
	if x.body != nil {
		x.body.reader.CloseWithError(errNoExchange)
	}
	if x.state != httpGiven || x.hijacked == nil {
		x.cancel(x.ending)
	}
}

// clientHalfClosed cancels the handler's context, and nothing else: who sends no more may still wait for
// the answer.
func (x *httpExchange) clientHalfClosed() { x.cancel(errClientHalfClosed) }

// errClientHalfClosed is why the context of a handler has ended whose exchange goes on.
var errClientHalfClosed = errors.New("server: the client has closed its sending side")

// answered runs on the loop when the worker has posted the response, or the failure.
func (x *httpExchange) answered() {
	if x.state != httpRuns { // nobody waits for it any more
		x.discard()
		return
	}
	x.state = httpAnswers
	if x.body != nil && x.origin.live().awaitsContinue() {
		x.origin.Body.Close() // the client need not send it any more (RFC 9110, section 10.1.1)
	}
	if w := x.waker; w != nil {
		w.Wake()
	}
}

// pollBody hands the handler the next chunk of the request's body, if it waits for one. It is
// called within a Poll of the core. Informational responses that the handler has sent before go first: they
// have the core polled again.
func (x *httpExchange) pollBody(w pipeline.Waker) {
	if x.body != nil && x.origin != nil && x.informing.Load() == 0 {
		x.body.reader.PollWith(w)
	}
}

// discard releases a response that nobody will poll.
func (x *httpExchange) discard() {
	if worker := (*pipeline.PanicError)(nil); errors.As(x.failure, &worker) {
		x.logPanic(worker) // which otherwise the core does
	}
	if h := x.hijacked; h != nil {
		h.taken(nil, nil, ErrClientGone)
	}
	x.answer.Discard()
}

// httpStream is the body of a response that goes on being written. While it is polled, the
// request's body is too. Owned by the loop.
type httpStream struct {
	pipeline.Source[[]byte]
	exchange *httpExchange
	ended    bool // the handler has ended it; a shutdown ends one that is open-ended without that
}

func (s *httpStream) Poll(w pipeline.Waker) ([]byte, error) {
	s.exchange.pollBody(w)
	chunk, err := s.Source.Poll(w)
	if err == io.EOF {
		s.ended = true
		s.exchange.ending = errAnswered
	}
	return chunk, err
}

// trailers returns the fields behind the body. Until that has ended they are the handler's.
func (s *httpStream) trailers() []Field {
	if !s.ended {
		return nil
	}
	return s.exchange.writer.trailers
}

// Close ends the exchange.
func (s *httpStream) Close() {
	s.Source.Close()
	s.exchange.end()
}

// run is the worker.
func (x *httpExchange) run() {
	if x.over.Load() {
		x.writer.fail(errNoExchange) // the client has gone before there was a worker for it
		return
	}
	returned := false
	defer func() {
		if !returned {
			x.panicked(recover())
		}
		if x.hijacked != nil {
			x.hijacked.cancel(errAnswered)
			x.cancel(errAnswered)
		}
	}()
	x.adapter.handler.ServeHTTP(&x.writer, x.request)
	returned = true
	x.writer.finish()
	if form := x.request.MultipartForm; form != nil {
		if err := form.RemoveAll(); err != nil {
			x.logger.Error("the files of a multipart form could not be removed", "error", err)
		}
	}
}

// errExitedHandler fails a request whose handler has called runtime.Goexit.
var errExitedHandler = errors.New("server: the net/http handler ended its goroutine instead of returning")

// panicked runs on the worker when the handler has not returned; value is nil when it has
// called runtime.Goexit.
func (x *httpExchange) panicked(value any) {
	switch {
	case value == nil:
		x.writer.fail(errExitedHandler)
	case value == http.ErrAbortHandler:
		x.writer.abort()
	default:
		failure := &pipeline.PanicError{Value: value, Stack: debug.Stack()}
		if x.writer.stream != nil || !x.writer.fail(failure) {
			x.logPanic(failure)
			x.writer.fail(errPanicked)
		}
	}
}

func (x *httpExchange) logPanic(p *pipeline.PanicError) {
	x.logger.Error("a net/http handler panicked", "panic", p.Value, "stack", string(p.Stack))
}

// closeConnection is a response that ends the connection without a byte of an answer.
func closeConnection() Response {
	return Hijack(func(conn net.Conn, _ []byte, err error) {
		if err == nil {
			_ = conn.Close() // nobody is left who could be told
		}
	})
}
