package pipeline

// Map returns the stream of f(v) for each v of src. An error of f ends the stream with that error; src then stays open
// until Close. f runs within Poll, on the loop, and must not block.
func Map[In, Out any](src Source[In], f func(In) (Out, error)) Source[Out] {
	return &mapped[In, Out]{upstream: upstream[In]{src: src}, f: f}
}

type mapped[In, Out any] struct {
	upstream[In]
	f func(In) (Out, error)
}

func (s *mapped[In, Out]) Poll(w Waker) (Out, error) {
	var zero Out
	v, err := s.poll(w)
	if err != nil {
		return zero, err
	}
	out, err := s.f(v)
	if err != nil {
		return zero, s.fail(err)
	}
	return out, nil
}
