package pipeline

import "io"

// Flatten returns the values of each source that src gives, one source after the other. A source is closed as soon as
// it has ended, and the next one is asked for only then. The failure of one ends the whole stream with that error.
// Close closes the source that is being read, then src.
func Flatten[T any](src Source[Source[T]]) Source[T] {
	return &flattened[T]{upstream: upstream[Source[T]]{src: src}}
}

type flattened[T any] struct {
	upstream[Source[T]]
	inner Source[T] // the source being read, nil between two
}

func (s *flattened[T]) Poll(w Waker) (T, error) {
	var zero T
	for range maxValues {
		if s.inner == nil {
			inner, err := s.poll(w)
			if err != nil {
				return zero, err
			}
			s.inner = inner
		}
		v, err := s.inner.Poll(w)
		if err == nil || err == ErrPending {
			return v, err
		}
		s.closeInner()
		if err != io.EOF {
			return zero, s.fail(err)
		}
	}
	w.Wake()
	return zero, ErrPending
}

func (s *flattened[T]) Close() {
	s.closeInner()
	s.upstream.Close()
}

func (s *flattened[T]) closeInner() {
	if inner := s.inner; inner != nil {
		s.inner = nil
		inner.Close()
	}
}
