package pipeline

// Inspect passes src on and shows it to see: each value with a nil error, and the end once, with the zero value and the
// error it came with, io.EOF included. ErrPending is not shown, nor is Close. see runs within Poll, on the loop; bytes
// it is shown are valid until it returns.
func Inspect[T any](src Source[T], see func(T, error)) Source[T] {
	return &inspected[T]{upstream: upstream[T]{src: src}, see: see}
}

type inspected[T any] struct {
	upstream[T]
	see func(T, error)
}

func (s *inspected[T]) Poll(w Waker) (T, error) {
	var zero T
	if s.end != nil {
		return zero, s.end
	}
	v, err := s.poll(w)
	switch err {
	case nil:
		s.see(v, nil)
		return v, nil
	case ErrPending:
	default:
		s.see(zero, err)
	}
	return zero, err
}
