package pipeline

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"sync"
)

// Theory.
//
// An iterator that blocks is driven on the pool, in batches. A batch is one task: it calls next until ahead values
// wait for the consumer, or until the iterator has ended. So a client that is slow holds no worker, and one that is
// quick is served by one task without end. Values go to the loop through a Queue, which wakes the consumer at the
// first of them, and never has more than one post on its way.
//
// Rules, and what each is for:
//
//   - The iterator, that is next and stop, is owned by the loop while idle is set, else by the batch that was submitted.
//     It is passed on under mu: so its functions are never called at the same time, and each call comes after the one
//     before it. A batch gives it back only when it ends for want of room.
//   - A worker takes room for a value before it asks for it, and the consumer gives it back when it has the value: the
//     values that wait, and the one that is being made, are never more than ahead.
//   - The consumer starts a batch when it has the iterator and there is room for half of ahead. So while more is to
//     come a batch runs, or a value waits whose taking starts one.
//   - Who owns the iterator when it is to be stopped stops it, off the loop: the batch that finds the source closed, or
//     a task that Close submits. Nobody owns it afterwards.

// OffloadIter returns the stream of the values of an iterator that blocks, such as the rows of a database, up to its
// end or to the first error it yields. It runs on goroutines of pool, at most ahead values ahead of the consumer, and
// holds none while it is that far ahead: the next batch is submitted when half of them were taken. The goroutine may
// be another for each batch, but there is one at a time. Within a batch each value is handed on as soon as it is there.
//
// The iterator is made by seq and begins with the first Poll, on a goroutine of pool. If pool refuses that, the stream
// ends with its error, unchanged; if it refuses a later batch, it is asked again as each value is taken that is still
// there, and after the last of them the stream ends with its error. If seq or the iterator panics, the stream ends
// with a *PanicError, and if it ends its goroutine (runtime.Goexit) with an error that says so.
//
// Close cancels ctx, and nothing else does. An iterator that has begun and has not ended by then is stopped: its yield
// returns false, once. That is done on a goroutine of pool, when what it is doing returns, or, if pool refuses, on one
// of its own, since it may block. One that has not begun by then never does.
//
// A value must stay as it is when the next is made: an iterator that uses a buffer again yields copies. Values are
// handed on, and may wait, while it goes on.
//
// A value that was not read is released, on the loop, or, if it came after Close, on the worker's goroutine. A value
// that comes with an error is not looked at. OffloadIter panics if ahead is less than 1.
func OffloadIter[T any](
	loop Poster, pool Executor, ahead int, seq func(ctx context.Context) iter.Seq2[T, error],
) Source[T] {
	if ahead < 1 {
		panic(fmt.Sprintf("pipeline: OffloadIter was told to be %d values ahead, at least 1 was expected", ahead))
	}
	s := &offloadedIter[T]{
		queue: NewQueue[T](loop, ahead, Refuse), pool: pool, ahead: ahead, seq: seq,
		idle: true, room: ahead,
	}
	s.batchFunc = s.batch
	return s
}

var errIterExited = errors.New("pipeline: the iterator of an OffloadIter ended its goroutine instead of returning")

// offloadedIter is shared by the loop's goroutine and, one after the other, those of the workers.
type offloadedIter[T any] struct {
	queue     *Queue[T]
	pool      Executor
	ahead     int
	batchFunc func() // s.batch, made once for all batches

	ctx    context.Context    // nil before the first Poll, then not changed
	cancel context.CancelFunc // likewise

	// Owned by who owns the iterator.
	seq     func(context.Context) iter.Seq2[T, error]
	next    func() (T, error, bool) // nil before the first batch
	stop    func()                  // likewise
	failure error                   // what the iterator panicked with

	mu     sync.Mutex // guards what follows; never held while foreign code runs
	idle   bool       // the loop owns the iterator: Poll may submit a batch, Close may stop it
	room   int        // how many values more may be made
	closed bool       // for the batch that runs
}

func (s *offloadedIter[T]) Poll(w Waker) (T, error) {
	if s.cancel == nil {
		s.ctx, s.cancel = context.WithCancel(context.Background())
		s.advance(0)
	}
	v, err := s.queue.Poll(w)
	if err == nil {
		s.advance(1)
	}
	return v, err
}

func (s *offloadedIter[T]) Close() {
	s.mu.Lock()
	owner := s.idle
	s.idle, s.closed = false, true
	s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
	if owner && s.stop != nil && s.pool.Submit(s.stop) != nil {
		go s.stop()
	}
	s.queue.Close()
}

// advance runs on the loop when the consumer has taken a number of values. It submits the next batch when it is time.
func (s *offloadedIter[T]) advance(taken int) {
	s.mu.Lock()
	s.room += taken
	submit := s.idle && 2*s.room >= s.ahead
	if submit {
		s.idle = false
	}
	s.mu.Unlock()
	if !submit {
		return
	}
	err := s.pool.Submit(s.batchFunc)
	if err == nil {
		return
	}
	s.mu.Lock()
	s.idle = true
	last := s.room == s.ahead
	s.mu.Unlock()
	if last { // no value is left whose taking could try again
		s.queue.Finish(err)
	}
}

// batch runs on a worker's goroutine and owns the iterator.
func (s *offloadedIter[T]) batch() {
	returned := false
	defer func() {
		if !returned { // runtime.Goexit in the iterator goes through next
			s.queue.Finish(errIterExited)
		}
	}()
	for s.takeRoom() {
		if s.next == nil {
			s.next, s.stop = iter.Pull2(s.iterate)
		}
		v, err, more := s.next()
		if !more || err != nil {
			s.finish(more, err)
			break
		}
		if !s.push(v) {
			break
		}
	}
	returned = true
}

// takeRoom reports whether the batch may ask for one value more. If not, it does not own the iterator any more.
func (s *offloadedIter[T]) takeRoom() bool {
	s.mu.Lock()
	closed := s.closed
	more := !closed && s.room > 0
	if more {
		s.room--
	} else {
		s.idle = !closed
	}
	s.mu.Unlock()
	if closed && s.stop != nil {
		s.stop()
	}
	return more
}

// iterate is the iterator, as the coroutine that next and stop run. It recovers a panic where its stack still is.
func (s *offloadedIter[T]) iterate(yield func(T, error) bool) {
	defer func() {
		if p := recover(); p != nil {
			s.failure = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	s.seq(s.ctx)(yield)
}

// finish ends the stream as the iterator has ended: it has returned, or it has yielded err.
func (s *offloadedIter[T]) finish(yielded bool, err error) {
	if !yielded {
		err = s.failure // nil for io.EOF
	}
	s.queue.Finish(err)
	if yielded {
		s.stop() // at once, as the worker is here, and behind Finish, as it may block
	}
}

// push hands v to the consumer, or, if there is none any more, ends the iterator.
func (s *offloadedIter[T]) push(v T) bool {
	err := s.queue.Push(v)
	if err == nil {
		return true
	}
	s.cancel() // not needed if it was Close, but if the loop has stopped
	s.stop()
	if err == ErrClosed { // else the queue has released it
		release(v)
	}
	return false
}
