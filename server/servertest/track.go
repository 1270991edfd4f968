package servertest

import "github.com/penstock-go/penstock/pipeline"

// Track returns src, which is then checked when the test ends: it must have been closed,
// and not been polled after that. name is for failures.
func Track[T any](s *Server, name string, src pipeline.Source[T]) pipeline.Source[T] {
	state := &trackedSource{name: name}
	s.tracked = append(s.tracked, state)
	return &tracking[T]{server: s, src: src, state: state}
}

// trackedSource is what is known of a source that is tracked.
type trackedSource struct {
	name   string
	closed bool
}

type tracking[T any] struct {
	server *Server
	src    pipeline.Source[T]
	state  *trackedSource
}

func (t *tracking[T]) Poll(w pipeline.Waker) (T, error) {
	if t.state.closed {
		t.server.t.Errorf("the source %q was polled after it was closed", t.state.name)
	}
	return t.src.Poll(w)
}

func (t *tracking[T]) Close() {
	t.state.closed = true
	t.src.Close()
}
