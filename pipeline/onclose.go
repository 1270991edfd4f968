package pipeline

// OnClose passes src on, and calls f when it is closed: once, after src was closed. f runs on the loop.
func OnClose[T any](src Source[T], f func()) Source[T] {
	return &closing[T]{upstream: upstream[T]{src: src}, f: f}
}

type closing[T any] struct {
	upstream[T]
	f func() // nil once called
}

func (s *closing[T]) Poll(w Waker) (T, error) { return s.poll(w) }

func (s *closing[T]) Close() {
	s.upstream.Close()
	if f := s.f; f != nil {
		s.f = nil
		f()
	}
}
