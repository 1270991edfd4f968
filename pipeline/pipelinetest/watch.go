package pipelinetest

import "github.com/penstock-go/penstock/pipeline"

// Watched is a source that counts what is done to it and reports what must not be.
type Watched[T any] struct {
	Polls, Closes int // how often each was called

	turn *Turn
	src  pipeline.Source[T]
}

// Watch returns src watched: polls without demand (law 1), with a nil waker (4) or after Close, and a Close that is
// missing or one too many (6) are reported. To be called when the stream is made.
func Watch[T any](turn *Turn, src pipeline.Source[T]) *Watched[T] {
	s := &Watched[T]{turn: turn, src: src}
	turn.checks = append(turn.checks, func() {
		if s.Closes == 0 {
			turn.fail(6, "the stream was closed, but not a source upstream, polled %d times", s.Polls)
		}
	})
	return s
}

// Poll polls the source that is watched.
func (s *Watched[T]) Poll(w pipeline.Waker) (T, error) {
	s.Polls++
	switch {
	case w == nil:
		s.turn.fail(4, "a source upstream was polled with a nil waker")
	case s.Closes > 0:
		s.turn.fail(6, "a source upstream was polled after it was closed")
	case !s.turn.polling:
		s.turn.fail(1, "a source upstream was polled, but nobody was polling the stream")
	}
	return s.src.Poll(w)
}

// Close closes the source that is watched. A stage may hand on each Close it gets, but no more than that.
func (s *Watched[T]) Close() {
	s.Closes++
	if s.Closes > max(1, s.turn.closes) {
		s.turn.fail(6, "a source upstream was closed %d times, but the stream %d times", s.Closes, s.turn.closes)
	}
	s.src.Close()
}

// A Resource is something that a stream holds and must release exactly once, by the time it was closed.
type Resource struct {
	turn   *Turn
	name   string
	closes int
}

// NewResource returns a resource; name is for failures.
func NewResource(turn *Turn, name string) *Resource {
	r := &Resource{turn: turn, name: name}
	turn.checks = append(turn.checks, func() {
		if r.closes == 0 {
			turn.fail(6, "the stream was closed, but %s was not released", r.name)
		}
	})
	return r
}

// Close releases the resource.
func (r *Resource) Close() {
	r.closes++
	if r.closes > 1 {
		r.turn.fail(6, "%s was released %d times", r.name, r.closes)
	}
}
