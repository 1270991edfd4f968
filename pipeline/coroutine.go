package pipeline

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

// Theory.
//
// A coroutine is a function with a stack of its own that runs within the Poll of a source, on the goroutine that
// polls, and gives it back when it has to wait (iter.Pull). So it blocks in what it says, and never in what it does:
//
//	        Poll                    Poll                    Close
//	start ───────▶ running ──▶ suspended ──▶ running ──▶ ... ──▶ ended
//	                  │  Await: pending         ▲
//	                  └─────────────────────────┘
//
// Rules:
//
//  1. It runs only within Poll and Close, never between them. So it needs no lock, as nothing on a loop does.
//  2. It waits by polling what it waits for with the waker of the Poll that it runs in, and is polled again.
//  3. Once the source is closed nothing is polled and nothing suspends: the function finds the error everywhere, and runs
//     to its end. So to close a coroutine is to resume it once.

// A Co is what a coroutine waits with. It belongs to the function that it was given to: other goroutines must not use
// it, those that the function has started included.
type Co struct {
	waker   Waker  // of the Poll that runs
	stack   *stack // nil before the first Poll and when the function has ended
	left    int    // how many values may still be taken in this Poll
	running bool   // within Poll or Close
	closed  bool
}

var errNotRunning = errors.New("pipeline: a Co was used while its coroutine did not run; " +
	"only the function that it was given to may use it, on its own goroutine and until it returns")

// Coroutine returns the stream of one value, the result of f, which may wait for other sources by [Await]. If f returns
// an error, the stream ends with that. f starts with the first Poll, runs within Poll, on the loop, and must not block:
// what is not ready suspends it until the loop polls again.
//
// Close ends what f is waiting for: that Await, and every later one, returns ErrClosed without polling, so that f
// returns, and its deferred calls run, before Close does. What it then returns is released. An f that has not started
// never does, and so closes nothing: what was made before it is closed by [OnClose].
//
// A panic of f is a panic of the Poll, or Close, that it runs in, with an error that holds the stack of f and unwraps to what
// f panicked with, if that is an error.
func Coroutine[T any](f func(co *Co) (T, error)) Source[T] { return CoroutineOn(nil, f) }

// CoroutineOn is [Coroutine] on a stack that is used again, for short functions of which there are very many: it spares
// making a stack and letting it grow. If stacks is nil, each has its own.
func CoroutineOn[T any](stacks *Stacks, f func(co *Co) (T, error)) Source[T] {
	return &coroutine[T]{stacks: stacks, f: f}
}

// Generate returns the stream of the values that f yields, up to its end, or to the error that it returns. f is a
// coroutine: what [Coroutine] says of its function holds. The yield function suspends it until the next value is asked
// for. It returns false when there is nobody to ask any more, because the source was closed: f then returns.
func Generate[T any](f func(co *Co, yield func(T) bool) error) Source[T] {
	return &coroutine[T]{generate: f}
}

// Await returns the next value of src, and suspends the coroutine until it is there. The errors are those that src ends
// with, so io.EOF at its end, and ErrClosed once the coroutine's own source was closed.
//
// Await does not take src over. Who has made it closes it: a function that has made it for itself says so at once, by
// defer src.Close(). A chunk of bytes is valid until the next Await of the same source, or its Close.
//
// Called while the coroutine does not run, by another goroutine or after its end, it returns an error that says so.
func Await[T any](co *Co, src Source[T]) (T, error) {
	for {
		if err := co.Err(); err != nil {
			var zero T
			return zero, err
		}
		if co.left == 0 { // others wait for the loop
			co.waker.Wake()
			co.suspend()
			continue
		}
		v, err := src.Poll(co.waker)
		if err != ErrPending {
			co.left--
			return v, err
		}
		co.suspend()
	}
}

// Err returns ErrClosed once the coroutine's source was closed, and nil while the coroutine may go on.
func (co *Co) Err() error {
	switch {
	case co.closed:
		return ErrClosed
	case !co.running:
		return errNotRunning
	}
	return nil
}

// suspend gives the goroutine back to Poll until the next one. It returns false when that will never come.
func (co *Co) suspend() bool {
	co.running = false
	co.stack.yield(struct{}{})
	co.running = true
	return !co.closed
}

// coroutine is owned by the loop's goroutine, of which the function is a part while it runs.
type coroutine[T any] struct {
	co       Co
	stacks   *Stacks
	f        func(*Co) (T, error)          // the function of a Coroutine, or nil
	generate func(*Co, func(T) bool) error // of a Generate
	value    T                             // that the function has given
	ready    bool                          // value is there to be handed out
	done     bool                          // the function has ended
	end      error                         // set when the function has ended, or by Close
}

func (s *coroutine[T]) Poll(w Waker) (T, error) {
	var zero T
	if s.end != nil {
		return zero, s.end
	}
	if s.co.stack == nil {
		s.co.stack = s.stacks.take()
		s.co.stack.task = s
	}
	s.co.waker, s.co.left = w, maxValues
	s.resume()
	switch {
	case s.ready:
		v := s.value
		s.value, s.ready = zero, false
		return v, nil
	case s.end != nil:
		return zero, s.end
	}
	return zero, ErrPending
}

// Close may be called within a Poll, by something that the function has called: the function then finds it closed.
func (s *coroutine[T]) Close() {
	if s.end == nil {
		s.end = ErrClosed
	}
	s.co.closed = true
	if s.co.stack != nil && !s.co.running {
		s.resume()
	}
}

// resume runs the function until it suspends or ends. If it panics, so does resume, and the stack is lost.
func (s *coroutine[T]) resume() {
	stack := s.co.stack
	stack.next()
	if s.done {
		s.co.stack = nil
		s.stacks.giveBack(stack)
	}
}

// main runs on the stack.
func (s *coroutine[T]) main() {
	s.co.running = true
	end := error(errExitedCoroutine)
	defer func() {
		value := recover()
		if value != nil {
			end = &coroutinePanic{value, debug.Stack()}
			s.co.stack = nil
		}
		s.co.running, s.co.waker, s.done = false, nil, true
		if s.end == nil {
			s.end = ending(end)
		}
		if value != nil {
			panic(end)
		}
	}()
	end = s.run()
}

// run calls the function and returns the end of the stream.
func (s *coroutine[T]) run() (err error) {
	if s.f == nil {
		err = s.generate(&s.co, s.yield)
	} else {
		var v T
		if v, err = s.f(&s.co); err == nil {
			s.put(v)
		}
	}
	if err == nil {
		err = io.EOF
	}
	return err
}

func (s *coroutine[T]) yield(v T) bool {
	if s.co.Err() != nil {
		return false
	}
	s.put(v)
	return s.co.suspend()
}

// put keeps a value for Poll, or releases it when nobody polls any more.
func (s *coroutine[T]) put(v T) {
	if s.co.closed {
		release(v)
		return
	}
	s.value, s.ready = v, true
}

var errExitedCoroutine = errors.New("pipeline: the function of a coroutine ended its goroutine instead of returning")

// coroutinePanic is what Poll panics with when the function has panicked. The stack of the one who polls does not show
// where that was, so the message does.
type coroutinePanic struct {
	value any
	stack []byte
}

func (p *coroutinePanic) Error() string {
	return fmt.Sprintf("pipeline: a coroutine panicked: %v\n\n%s", p.value, p.stack)
}

// Unwrap returns what the function panicked with if that is an error.
func (p *coroutinePanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
