package pipeline

// Filter returns the stream of those values of src for which keep returns true. What is dropped is for keep to
// release, if it needs that. However long a run of dropped values is, it takes a constant stack and holds the loop
// only for a bounded time. keep runs within Poll, on the loop, and must not block.
func Filter[T any](src Source[T], keep func(T) bool) Source[T] {
	return &filtered[T]{upstream: upstream[T]{src: src}, keep: keep}
}

type filtered[T any] struct {
	upstream[T]
	keep func(T) bool
}

func (s *filtered[T]) Poll(w Waker) (T, error) {
	var zero T
	for range maxValues {
		v, err := s.poll(w)
		if err != nil {
			return zero, err
		}
		if s.keep(v) {
			return v, nil
		}
	}
	w.Wake()
	return zero, ErrPending
}
