package pipelinetest

import (
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// When says how a Script that has returned ErrPending goes on.
type When uint8

const (
	Later    When = iota // it wakes in a later Step of the turn
	AtOnce               // it wakes within the Poll that returns ErrPending
	Spurious             // it wakes in a later Step, but is ready only in one after that, when it wakes again
	Never                // it does not
)

// A Step is the answer to one Poll of a Script.
type Step[T any] struct {
	Value T
	Err   error // nil: Value is the answer. ErrPending: see When. Any other: the end
	When  When
}

// Script is a source that answers from a list. It keeps the laws: it wakes only the waker of the latest Poll, once for
// an ErrPending, and not after Close; its end is sticky; values that were not read are closed, if they can be.
type Script[T any] struct {
	turn    *Turn
	steps   []Step[T]
	waiting bool
	waker   pipeline.Waker // to be woken, nil once it was
	end     error
}

// NewScript returns a script of steps; after the last one comes io.EOF.
func NewScript[T any](turn *Turn, steps []Step[T]) *Script[T] {
	return &Script[T]{turn: turn, steps: steps}
}

// Poll returns the answer of the next step, or ErrPending while the one before it has not ended.
func (s *Script[T]) Poll(w pipeline.Waker) (T, error) {
	var zero T
	if s.end != nil {
		return zero, s.end
	}
	if s.waiting {
		s.waker = w
		return zero, pipeline.ErrPending
	}
	if len(s.steps) == 0 {
		s.end = io.EOF
		return zero, s.end
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	switch step.Err {
	case nil:
		return step.Value, nil
	case pipeline.ErrPending:
		s.waiting, s.waker = true, w
		s.arrange(step.When)
	default:
		s.end = step.Err
	}
	return zero, step.Err
}

// arrange has the script go on as when says.
func (s *Script[T]) arrange(when When) {
	switch when {
	case Later:
		s.turn.Later(s.ready)
	case AtOnce:
		s.ready()
	case Spurious:
		s.turn.Later(func() {
			s.wake()
			s.turn.Later(s.ready)
		})
	}
}

func (s *Script[T]) ready() {
	s.waiting = false
	s.wake()
}

func (s *Script[T]) wake() {
	if w := s.waker; w != nil {
		s.waker = nil
		w.Wake()
	}
}

// Close ends the script.
func (s *Script[T]) Close() {
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	s.waker = nil
	left := s.steps
	s.steps = nil
	for _, step := range left {
		if c, ok := any(step.Value).(interface{ Close() }); ok && step.Err == nil {
			c.Close()
		}
	}
}

// Stream returns values and then end, nil for io.EOF, as a watched script that is pending wherever the turn chooses:
// how often, and how it is woken, is another matter in each run of a check.
func Stream[T any](turn *Turn, values []T, end error) *Watched[T] {
	if end == nil {
		end = io.EOF
	}
	var steps []Step[T]
	pend := func() {
		for turn.chance(turn.share) {
			steps = append(steps, Step[T]{Err: pipeline.ErrPending, When: When(turn.random.IntN(int(Never)))})
			if turn.chance(0.7) {
				return
			}
		}
	}
	for _, v := range values {
		pend()
		steps = append(steps, Step[T]{Value: v})
	}
	pend()
	steps = append(steps, Step[T]{Err: end})
	return Watch(turn, NewScript(turn, steps))
}
