package server

import (
	"context"
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// Go has f answer the request on a goroutine of the server's workers, where it may block: see
// [Options.Workers]. When all are busy and [Options.WorkQueue] requests wait for them, the
// answer is 503 with Retry-After. A panic of f is a 500, logged with its stack.
//
// ctx is a child of the request's context. It is cancelled when the client has left, and when
// the answer is there. What f answers after that is closed, and sent to nobody.
//
// f must not use the request, which belongs to the loop: what it needs of it is taken out before.
func Go(r *Request, f func(ctx context.Context) Response) Response { return GoOn(r.workers(), r, f) }

// GoOn is [Go] on another pool than the server's, such as a *loop.Pool for what may not take
// the workers from everything else. What it refuses is answered as [Fail] answers its error.
func GoOn(pool pipeline.Executor, r *Request, f func(ctx context.Context) Response) Response {
	return Later(newWork(pool, r, nil, f))
}

// GoBody is [Go] for work that reads the request's body. A Read waits until the client has sent
// something, which it is asked for then and not before. The errors are those of [Request.Body],
// and [ErrExchangeEnded] when the client has left and when f has returned.
func GoBody(r *Request, f func(ctx context.Context, body io.Reader) Response) Response {
	return GoBodyOn(r.workers(), r, f)
}

// GoBodyOn is [GoBody] on another pool than the server's; see [GoOn]. When pool refuses, the body is not
// asked for.
func GoBodyOn(pool pipeline.Executor, r *Request, f func(ctx context.Context, body io.Reader) Response) Response {
	body := pipeline.NewReader(r.Loop(), r.Body)
	return Later(newWork(pool, r, body, func(ctx context.Context) Response { return f(ctx, body) }))
}

// work is a response that is made on a pool, as the source of a Later. It has the request's
// body read as well, since that is polled only while the response is, within the turn of the
// connection. Owned by the loop goroutine.
type work struct {
	result pipeline.Source[releasable]
	body   *pipeline.Reader // nil when it is not wanted
	cancel context.CancelCauseFunc
	came   bool
}

// newWork has f run on pool at the first Poll.
func newWork(pool pipeline.Executor, r *Request, body *pipeline.Reader, f func(context.Context) Response) *work {
	parent := r.live().context // if nobody has asked for it, it need not be made
	if parent == nil {
		parent = context.Background()
	}
	ctx, cancel := context.WithCancelCause(parent)
	result := pipeline.Offload(r.Loop(), pool, func(context.Context) (releasable, error) {
		return releasable{f(ctx)}, nil
	})
	return &work{result: result, body: body, cancel: cancel}
}

func (s *work) Poll(w pipeline.Waker) (Response, error) {
	a, err := s.result.Poll(w)
	if err == pipeline.ErrPending && s.body != nil {
		s.body.PollWith(w)
	}
	s.came = s.came || err == nil
	return a.response, err
}

// Close ends what the worker may still be doing, and gives up what it will answer.
func (s *work) Close() {
	cause := ErrClientGone
	if s.came {
		cause = errAnswered
	}
	s.cancel(cause)
	if s.body != nil {
		s.body.CloseWithError(ErrExchangeEnded)
	}
	s.result.Close()
}

// releasable is a response that is released if it comes when nobody is left to send it to.
type releasable struct{ response Response }

// Close closes what the response owns.
func (a releasable) Close() { a.response.Discard() }
