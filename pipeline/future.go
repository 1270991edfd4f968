package pipeline

import "sync/atomic"

// A Future is the stream of one result that comes later, from any goroutine: a value and then io.EOF, or an error.
//
// Resolve, Reject and Done may be called on any goroutine, Poll and Close on the loop's only. A result that was not
// read when the future is closed is released.
type Future[T any] struct {
	queue   *Queue[T]
	settled atomic.Bool // one call of Resolve or Reject is the first, and only that one touches queue
}

// NewFuture returns a future without a result, which is polled on loop.
func NewFuture[T any](loop Poster) *Future[T] {
	return &Future[T]{queue: NewQueue[T](loop, 1, Refuse)}
}

// Resolve makes v the result. It never blocks. It returns ErrClosed when the consumer has closed the future, or when
// there was a result before; v stays the caller's then. If the loop refuses to run the consumer (it has stopped), the
// future is closed, v is released, and the loop's error comes back.
func (f *Future[T]) Resolve(v T) error {
	if !f.settled.CompareAndSwap(false, true) {
		return ErrClosed
	}
	err := f.queue.Push(v)
	f.queue.Finish(nil)
	return err
}

// Reject makes err the result: the stream ends with it, and with io.EOF if err is nil. It never blocks. It returns
// ErrClosed when the consumer has closed the future, or when there was a result before.
func (f *Future[T]) Reject(err error) error {
	if !f.settled.CompareAndSwap(false, true) {
		return ErrClosed
	}
	select {
	case <-f.queue.Done():
		return ErrClosed
	default:
	}
	f.queue.Finish(err)
	return nil
}

// Done returns a channel that is closed when the consumer has closed the future, so that who works on the result can
// stop.
func (f *Future[T]) Done() <-chan struct{} { return f.queue.Done() }

// Poll returns the result; see Source.
func (f *Future[T]) Poll(w Waker) (T, error) { return f.queue.Poll(w) }

// Close closes the future: a result that was not read is released, Done is closed, and there can be none any more.
func (f *Future[T]) Close() { f.queue.Close() }
