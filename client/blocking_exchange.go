package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// blocking is a request of DoContext. The goroutine that waits, the end of the context and whoever reads the response's
// body touch the first part only, and reach the rest by posts.
//
// Rules:
//
//  1. The goroutine that waits gets one outcome, which is there for it also when it has stopped waiting.
//  2. There is one way out, leave, on the loop: what the request has is closed, the context is not watched any
//     more, and the loop is given back. It comes with the end of the response's body, an error, Close of the
//     reader, or the end of the context.
//  3. When the context ends, the reader is told at once, without the loop: that may be in a long turn, or have ended.
type blocking struct {
	client   *Client
	ctx      context.Context
	loop     *loop.Loop
	upload   *upload                         // nil unless a goroutine has to read the body
	again    func() pipeline.Source[[]byte]  // see following
	upstream string                          // in errors
	outcome  chan blockingResult             // has room for the one
	reader   atomic.Pointer[pipeline.Reader] // of the response's body
	trailers atomic.Pointer[parser.Fields]   // behind the response's body
	unwatch  func() bool                     // set before the loop knows of the exchange

	// Owned by the loop goroutine.
	sent     *Request
	task     loop.Task
	source   pipeline.Source[*Response]
	response *Response // nil until it has come
	end      error     // nil until it is over
}

// blockingResult is what DoContext returns.
type blockingResult struct {
	response *BlockingResponse
	err      error
}

func newBlocking(c *Client, ctx context.Context, r *BlockingRequest) *blocking {
	e := &blocking{client: c, ctx: ctx, upstream: hostOf(r.URL), outcome: make(chan blockingResult, 1)}
	e.task.Init(e)
	e.sent = e.request(r)
	return e
}

// closeBody closes the body of a request that no loop knows of.
func (e *blocking) closeBody() {
	if e.upload != nil {
		e.upload.closeReader()
	}
}

// begin has the loop begin. The loop was taken.
func (e *blocking) begin() {
	if e.upload != nil {
		e.upload.loop = e.loop
	}
	e.source = &following{client: e.client, loop: e.loop, request: e.sent, again: e.again, ownsBody: e.sent.Body != nil}
	begun := make(chan struct{})
	e.unwatch = context.AfterFunc(e.ctx, func() {
		<-begun
		e.contextEnded()
	})
	err := e.loop.Post(e.Wake)
	close(begun)
	if err != nil {
		e.leave(err)
		e.outcome <- blockingResult{err: &Error{Kind: ErrClientClosed, Upstream: e.upstream, Cause: err}}
	}
}

// contextEnded is called on a goroutine of its own.
func (e *blocking) contextEnded() {
	if r := e.reader.Load(); r != nil {
		r.CloseWithError(e.contextError())
	}
	_ = e.loop.Post(e.cancel) // refused by a loop that has ended, and everything of the request with it
}

// cancel runs on the loop when the context has ended.
func (e *blocking) cancel() {
	if r := e.reader.Load(); r != nil {
		r.CloseWithError(e.contextError()) // which contextEnded may not have seen
	}
	e.leave(e.contextError())
}

// Wake has the exchange take a turn.
func (e *blocking) Wake() {
	if e.end == nil {
		e.loop.Schedule(&e.task)
	}
}

// Run polls for the response.
func (e *blocking) Run() {
	if e.end != nil || e.response != nil {
		return
	}
	response, err := e.source.Poll(e)
	switch {
	case err == pipeline.ErrPending:
	case err != nil:
		e.fail(err)
	default:
		e.answered(response)
	}
}

// Panicked is called by the loop when the turn has panicked: in the cookie jar, or in a function of the request.
func (e *blocking) Panicked(value any, stack []byte) {
	e.client.options.Logger.Error("client: a turn of a request panicked", "panic", value, "stack", string(stack))
	cause := errors.New("the cookie jar or another function that it calls panicked")
	e.fail(&Error{Kind: ErrRequest, Upstream: e.upstream, Cause: cause})
}

func (e *blocking) fail(err error) {
	if e.end == nil {
		e.leave(err)
		e.outcome <- blockingResult{err: err}
	}
}

// leave is the one way out.
func (e *blocking) leave(err error) {
	if e.end != nil {
		return
	}
	e.end = err
	e.unwatch()
	e.loop.Unschedule(&e.task)
	if e.response != nil {
		e.response.Close()
	}
	e.source.Close()
	e.client.blockingLoops.giveBack(e.loop)
}

// answered hands the response to who waits for it.
func (e *blocking) answered(response *Response) {
	e.response = response
	head := response.Head()
	answer := &BlockingResponse{
		Status:   head.Status,
		Reason:   head.Reason,
		Fields:   head.Fields.Clone(),
		Length:   response.Length(),
		URL:      response.URL(),
		trailers: &e.trailers,
	}
	if answer.Length == 0 {
		e.leave(io.EOF) // the connection need not wait for somebody to read nothing
		answer.Body = http.NoBody
	} else {
		r := pipeline.NewReader(e.loop, (*blockingBody)(e))
		e.reader.Store(r)
		answer.Body = r
	}
	e.outcome <- blockingResult{response: answer}
}

// blockingBody is the exchange as the source of its response's content.
type blockingBody blocking

func (b *blockingBody) Poll(w pipeline.Waker) ([]byte, error) {
	e := (*blocking)(b)
	if e.end != nil {
		return nil, e.end
	}
	chunk, err := e.response.Body.Poll(w)
	if err == io.EOF {
		trailers := e.response.Trailers().Clone()
		e.trailers.Store(&trailers)
	}
	if err != nil && err != pipeline.ErrPending {
		e.leave(err)
	}
	return chunk, err
}

func (b *blockingBody) Close() { (*blocking)(b).leave(pipeline.ErrClosed) }
