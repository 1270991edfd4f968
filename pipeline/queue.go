package pipeline

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// A Poster runs a function on the goroutine of the loop that polls, and orders it after what its caller did before.
// An error means that the function will never run; otherwise it runs exactly once, and not within Post. Post is
// called on any goroutine. *loop.Loop is a Poster.
type Poster interface{ Post(func()) error }

// FullPolicy says what a Push to a full Queue does.
type FullPolicy uint8

const (
	Refuse     FullPolicy = iota // Push returns ErrFull
	DropOldest                   // the value that has waited longest is dropped
	DropNewest                   // the value just pushed is dropped
)

// ErrFull is returned by Push when the queue is full and its policy is Refuse. The value stays the caller's.
var ErrFull = errors.New("pipeline: the queue is full; push again when the consumer has read from it")

// A Queue is a bounded queue from any goroutine to a loop: others push, the loop polls it as a Source. However many
// values are pushed, at most one function is waiting in the loop's Post because of it, and none if nobody polls.
//
// Push, Finish, Dropped and Done may be called on any goroutine, Poll and Close on the loop's only.
type Queue[T any] struct {
	loop     Poster
	policy   FullPolicy
	capacity int
	wakeFunc func() // q.wake, made once for all posts
	done     chan struct{}

	mu      sync.Mutex // guards what follows; never held while foreign code runs
	values  ring[T]
	end     error // set by Finish, or by Close with values left
	closed  bool
	posted  bool  // wakeFunc is waiting in the loop
	waker   Waker // of the latest Poll if that returned ErrPending, until it is woken
	dropped uint64
}

// NewQueue returns an empty queue that holds up to capacity values and is polled on loop. Memory grows with the values
// that wait. It panics if capacity is less than 1.
func NewQueue[T any](loop Poster, capacity int, policy FullPolicy) *Queue[T] {
	if capacity < 1 {
		panic(fmt.Sprintf("pipeline: NewQueue was given the capacity %d, at least 1 was expected", capacity))
	}
	q := &Queue[T]{loop: loop, policy: policy, capacity: capacity, done: make(chan struct{})}
	q.wakeFunc = q.wake
	return q
}

// Push adds v to the queue. It never blocks. The errors are ErrClosed when the consumer has closed the queue or Finish
// was called, and ErrFull when it is full and the policy is Refuse; v stays the caller's then. If the loop refuses to
// run the consumer (it has stopped), the queue is closed, v in it is released, and the loop's error comes back.
//
// A value that the policy drops is counted, and released on the goroutine of this call.
func (q *Queue[T]) Push(v T) error {
	q.mu.Lock()
	if q.closed || q.end != nil {
		q.mu.Unlock()
		return ErrClosed
	}
	if q.values.count < q.capacity {
		q.values.push(v, q.capacity)
		return q.unlockAndPost()
	}
	if q.policy == Refuse {
		q.mu.Unlock()
		return ErrFull
	}
	q.dropped++
	if q.policy == DropOldest {
		oldest := q.values.pop()
		q.values.push(v, q.capacity)
		v = oldest
	}
	err := q.unlockAndPost()
	release(v)
	return err
}

// Finish ends the queue: after the values that wait in it, Poll returns err, or io.EOF if err is nil. Only the first
// call counts.
func (q *Queue[T]) Finish(err error) {
	if err == nil {
		err = io.EOF
	}
	q.mu.Lock()
	if q.closed || q.end != nil {
		q.mu.Unlock()
		return
	}
	q.end = ending(err)
	_ = q.unlockAndPost() // a loop that has stopped needs no end
}

// Dropped returns how many values the policy has dropped.
func (q *Queue[T]) Dropped() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}

// Done returns a channel that is closed when the consumer has closed the queue, so that who pushes can stop.
func (q *Queue[T]) Done() <-chan struct{} { return q.done }

// Poll returns the value that has waited longest; see Source.
func (q *Queue[T]) Poll(w Waker) (T, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waker = nil
	if q.values.count > 0 {
		return q.values.pop(), nil
	}
	var zero T
	if q.end != nil {
		return zero, q.end
	}
	q.waker = w
	return zero, ErrPending
}

// Close closes the queue: values that wait are released, Done is closed, and pushing returns ErrClosed.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return
	}
	q.closed = true
	if q.end == nil || q.values.count > 0 {
		q.end = ErrClosed // an end behind values that nobody will read was not reached
	}
	left := q.values
	q.values, q.waker = ring[T]{}, nil
	q.mu.Unlock()
	close(q.done)
	for left.count > 0 {
		release(left.pop())
	}
}

// unlockAndPost ends a change that the consumer should see: it unlocks, and has the consumer woken if it waits and is
// not being woken already.
func (q *Queue[T]) unlockAndPost() error {
	post := q.waker != nil && !q.posted
	if post {
		q.posted = true
	}
	q.mu.Unlock()
	if !post {
		return nil
	}
	err := q.loop.Post(q.wakeFunc)
	if err != nil {
		q.Close() // the loop is gone, and with it the only one who would have closed
	}
	return err
}

// wake runs on the loop.
func (q *Queue[T]) wake() {
	q.mu.Lock()
	q.posted = false
	w := q.waker
	q.waker = nil
	q.mu.Unlock()
	if w != nil {
		w.Wake()
	}
}
