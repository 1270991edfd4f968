package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

// An Executor runs blocking work on another goroutine, or refuses it with an error; it does not block. *loop.Pool is
// an Executor.
type Executor interface{ Submit(task func()) error }

var errExited = errors.New("pipeline: the work of an Offload ended its goroutine instead of returning")

// Offload returns the stream of one value, the result of work, which runs on a goroutine of pool. It is submitted by the
// first Poll, that is when somebody wants it; if pool refuses, the stream ends with its error, unchanged, and so it
// does with an error of work. If work panics, it ends with a *PanicError.
//
// Close cancels ctx, and nothing else does. Work that has not begun by then never runs. A result that comes after
// Close, or that was not read before it, is released: if it has a method Close() or Close() error, that is called, on
// the loop, or on the worker's goroutine if the loop has stopped. A value that comes with an error is not looked at.
func Offload[T any](loop Poster, pool Executor, work func(ctx context.Context) (T, error)) Source[T] {
	return &offloaded[T]{loop: loop, pool: pool, work: work}
}

// offloaded is owned by the loop's goroutine. The worker never touches it: it runs task, and hands what came of it to
// deliver through Post. So there is one completion, and on the loop it comes either before Close or after it.
type offloaded[T any] struct {
	loop   Poster
	pool   Executor
	work   func(context.Context) (T, error) // nil once submitted or closed
	cancel context.CancelFunc               // nil before the first Poll and once closed
	waker  Waker                            // of the latest Poll if that returned ErrPending
	value  T
	ready  bool  // value is there to be read
	end    error // what Poll returns once value is not there
}

func (s *offloaded[T]) Poll(w Waker) (T, error) {
	if s.work != nil {
		s.start()
	}
	var zero T
	switch {
	case s.ready:
		v := s.value
		s.value, s.ready = zero, false
		return v, nil
	case s.end != nil:
		return zero, s.end
	}
	s.waker = w
	return zero, ErrPending
}

func (s *offloaded[T]) Close() {
	if s.end == nil || s.ready {
		s.end = ErrClosed
	}
	s.work = nil
	if cancel := s.cancel; cancel != nil {
		s.cancel = nil
		cancel()
	}
	if s.ready {
		var zero T
		v := s.value
		s.value, s.ready = zero, false
		release(v)
	}
}

// start submits the work.
func (s *offloaded[T]) start() {
	ctx, cancel := context.WithCancel(context.Background())
	work := s.work
	s.work, s.cancel = nil, cancel
	err := s.pool.Submit(func() {
		if ctx.Err() == nil { // closed before it began
			s.run(ctx, work)
		}
	})
	if err != nil {
		s.end = ending(err)
	}
}

// run runs on the worker's goroutine. It posts from a deferred function, so that a panic and a runtime.Goexit complete
// the stream too.
func (s *offloaded[T]) run(ctx context.Context, work func(context.Context) (T, error)) {
	var v T
	err := errExited
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
		if refused := s.loop.Post(func() { s.deliver(v, err) }); refused != nil && err == nil {
			release(v)
		}
	}()
	v, err = work(ctx)
}

// deliver runs on the loop, once.
func (s *offloaded[T]) deliver(v T, err error) {
	if s.end != nil { // closed
		if err == nil {
			release(v)
		}
		return
	}
	if err != nil {
		s.end = ending(err)
	} else {
		s.value, s.ready, s.end = v, true, io.EOF
	}
	if w := s.waker; w != nil {
		s.waker = nil
		w.Wake()
	}
}

// PanicError ends the stream of an Offload whose work panicked, or of an OffloadIter whose iterator did.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // the stack of the panic, as debug.Stack formats it
}

// Error says what the work panicked with; the stack is left to the log.
func (e *PanicError) Error() string {
	return fmt.Sprintf("pipeline: work on a pool panicked: %v", e.Value)
}

// Unwrap returns Value if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
