package pipelinetest

import (
	"fmt"

	"github.com/penstock-go/penstock/pipeline"
)

// abortable is a source that gives its values, and then is pending until it is aborted.
type abortable[T any] struct {
	values []T
	waker  pipeline.Waker // of the latest Poll, nil once closed
	end    error
}

func (s *abortable[T]) Poll(w pipeline.Waker) (T, error) {
	var zero T
	if s.end != nil {
		return zero, s.end
	}
	s.waker = w
	if len(s.values) == 0 {
		return zero, pipeline.ErrPending
	}
	v := s.values[0]
	s.values = s.values[1:]
	return v, nil
}

func (s *abortable[T]) Close() {
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	s.waker = nil
}

// abort is the failure that the consumer is told of at once.
func (s *abortable[T]) abort() {
	s.end = errUpstream
	switch w := s.waker.(type) {
	case pipeline.Aborter:
		w.Abort(s.end)
	default:
		w.Wake()
	}
}

// checkAborts polls the stage a number of times, then aborts what is upstream, and sees that the consumer is told of it,
// as [pipeline.Aborter] says: it may not be polling.
func checkAborts[In, Out any](t Reporter, stage pipeline.Stage[In, Out], in []In, seed uint64) bool {
	t.Helper()
	for polls := 1; polls <= len(in)+1; polls++ {
		turn := newTurn(t, seed, 0, fmt.Sprintf("aborted after poll %d, seed %d", polls, seed))
		upstream := &abortable[In]{values: in}
		src := stage(upstream)
		var err error
		for turn.polls < polls && (err == nil || err == pipeline.ErrPending) {
			_, err = Poll(turn, src)
		}
		goesOn := err == nil || err == pipeline.ErrPending
		if goesOn && upstream.waker != nil {
			upstream.abort()
			if turn.aborts != 1 {
				turn.fail(4, "upstream aborted its waker, and the waker of the stream was aborted %d times", turn.aborts)
			}
			Drain(turn, src)
		}
		Close(turn, src)
		if turn.failed {
			return false
		}
	}
	return true
}
