package pipeline

import "io"

// FromSlice returns the stream of values. The slice must not be changed until the source is closed; values that were
// not read by then are released (see Ownership in the package's documentation).
func FromSlice[T any](values []T) Source[T] { return &sliced[T]{values: values} }

type sliced[T any] struct {
	values []T // those left
	end    error
}

func (s *sliced[T]) Poll(Waker) (T, error) {
	if len(s.values) > 0 {
		v := s.values[0]
		s.values = s.values[1:]
		return v, nil
	}
	if s.end == nil {
		s.end = io.EOF
	}
	var zero T
	return zero, s.end
}

func (s *sliced[T]) Close() {
	left := s.values
	s.values = nil
	if s.end == nil {
		s.end = ErrClosed
	}
	release(left...)
}
