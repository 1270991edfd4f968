package layer

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Timeout answers with 503 and Retry-After when the response has not come after d, counted
// from when the handler has returned: the handler's [server.Later] is closed then, and the
// request's context is cancelled with a *[TimeoutError], which [context.Cause] returns. A
// response that has come is not limited, however long its body takes; a handler that
// blocks the loop cannot be interrupted. If d is not positive there is no limit.
func Timeout(d time.Duration) server.Layer {
	return func(next server.Handler) server.Handler {
		if d <= 0 {
			return next
		}
		failure := &TimeoutError{After: d}
		return func(r *server.Request) server.Response {
			ctx, cancel := context.WithCancelCause(r.Context()) // it ends with the exchange in any case
			r.SetContext(ctx)
			return next(r).MapLater(func(src pipeline.Source[server.Response]) pipeline.Source[server.Response] {
				return newDeadline(src, r.After(d), func() server.Response {
					cancel(failure)
					return server.Fail(failure)
				})
			})
		}
	}
}

// TimeoutError is the cause of the context of a request that [Timeout] has answered. It
// is answered with 503, and it is a [context.DeadlineExceeded].
type TimeoutError struct {
	After time.Duration // how long the response was waited for
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("layer: the handler's response had not come after %v", e.After)
}

// Status returns the status code to answer.
func (e *TimeoutError) Status() int { return http.StatusServiceUnavailable }

// Public returns the sentence for the client.
func (e *TimeoutError) Public() string { return "The answer did not come in time." }

// Unwrap returns context.DeadlineExceeded.
func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

// deadline races a source with a timer: it gives what the source gives, or, if the timer is
// first, what late returns, and then nothing more. The source is asked first, so one that is
// in time with its value never loses.
//
// Both are closed with the deadline itself, which whoever polls does as soon as it has the
// one response. Owned by the loop goroutine.
type deadline[T any] struct {
	source pipeline.Source[T]             // nil once closed
	timer  pipeline.Source[time.Duration] // nil once closed
	late   func() T
	end    error
}

func newDeadline[T any](src pipeline.Source[T], timer pipeline.Source[time.Duration], late func() T) *deadline[T] {
	return &deadline[T]{source: src, timer: timer, late: late}
}

func (s *deadline[T]) Poll(w pipeline.Waker) (T, error) {
	var zero T
	if s.end != nil {
		return zero, s.end
	}
	v, err := s.source.Poll(w)
	if err != pipeline.ErrPending {
		s.end = err
		return v, err
	}
	switch _, err := s.timer.Poll(w); err {
	case nil:
		s.end = io.EOF
		return s.late(), nil
	case pipeline.ErrPending:
		return zero, err
	default:
		s.end = err
		return zero, err
	}
}

func (s *deadline[T]) Close() {
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	source, timer := s.source, s.timer
	s.source, s.timer = nil, nil
	if timer != nil {
		timer.Close()
	}
	if source != nil {
		source.Close()
	}
}
