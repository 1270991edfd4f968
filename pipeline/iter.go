package pipeline

import (
	"io"
	"iter"
)

// FromIter returns the stream of the values of seq, up to its end or to the first error it yields, which ends the
// stream. seq starts with the first Poll, runs within Poll, on the loop, as a coroutine, and must not block. Close
// stops it: its yield returns false, once, or it never starts.
func FromIter[T any](seq iter.Seq2[T, error]) Source[T] { return &iterated[T]{seq: seq} }

type iterated[T any] struct {
	seq  iter.Seq2[T, error]
	next func() (T, error, bool) // nil before the first Poll
	stop func()                  // nil before the first Poll and once closed
	end  error
}

func (s *iterated[T]) Poll(Waker) (T, error) {
	var zero T
	if s.end != nil {
		return zero, s.end
	}
	if s.next == nil {
		s.next, s.stop = iter.Pull2(s.seq)
	}
	v, err, more := s.next()
	switch {
	case !more:
		s.end = io.EOF
	case err != nil:
		s.end = ending(err)
	default:
		return v, nil
	}
	return zero, s.end
}

func (s *iterated[T]) Close() {
	if s.end == nil {
		s.end = ErrClosed
	}
	if stop := s.stop; stop != nil {
		s.stop = nil
		stop()
	}
}
