package server_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// tracked is a source that is watched: at the end of the test it must have been closed
// exactly once, whatever became of its connection.
type tracked[T any] struct {
	pipeline.Source[T]
	s      *subject
	name   string
	polls  int // guarded by s.mutex, as is what follows
	closes int
}

// track watches src. It is called on the loop, by a handler.
func track[T any](s *subject, name string, src pipeline.Source[T]) *tracked[T] {
	tr := &tracked[T]{Source: src, s: s, name: name}
	s.note(func() { s.tracked = append(s.tracked, tr) })
	return tr
}

func (tr *tracked[T]) Poll(w pipeline.Waker) (T, error) {
	tr.s.note(func() { tr.polls++ })
	return tr.Source.Poll(w)
}

func (tr *tracked[T]) Close() {
	tr.s.note(func() { tr.closes++ })
	tr.Source.Close()
}

func (tr *tracked[T]) check(t testing.TB) {
	if tr.closes != 1 {
		t.Errorf("the source %q is closed exactly once, whatever happened, not %d times", tr.name, tr.closes)
	}
}

// wantReleased waits until all the sources that were tracked so far, n of them, have
// been closed, and checks that none was closed again.
func (s *subject) wantReleased(t testing.TB, why string, n int) {
	t.Helper()
	closed := func() (count int) {
		for _, tr := range s.tracked {
			if tr.closedOnce() {
				count++
			}
		}
		return count
	}
	s.await(t, why, func() bool { return len(s.tracked) == n && closed() == n }, func() string {
		return fmt.Sprintf("%d of %d sources are closed", closed(), len(s.tracked))
	})
}

func (tr *tracked[T]) closedOnce() bool { return tr.closes == 1 }
func (tr *tracked[T]) polled() int      { return tr.polls }

// once is a source of bytes in as many chunks as there are parts.
func once(parts ...string) pipeline.Source[[]byte] {
	values := make([][]byte, len(parts))
	for i, part := range parts {
		values[i] = []byte(part)
	}
	return pipeline.FromSlice(values)
}

// endless is a source that gives chunk for ever.
type endless struct{ chunk []byte }

func (e endless) Poll(pipeline.Waker) ([]byte, error) { return e.chunk, nil }
func (endless) Close()                                {}

// silent is a source that never has anything.
type silent[T any] struct{}

func (silent[T]) Poll(pipeline.Waker) (T, error) {
	var zero T
	return zero, pipeline.ErrPending
}
func (silent[T]) Close() {}

// then is the stream of what second gives, which begins when first has ended or given
// its first value.
func then[A, B any](first pipeline.Source[A], second pipeline.Source[B]) pipeline.Source[B] {
	return &sequence[A, B]{first: first, second: second}
}

type sequence[A, B any] struct {
	first  pipeline.Source[A]
	second pipeline.Source[B]
	passed bool
}

func (q *sequence[A, B]) Poll(w pipeline.Waker) (B, error) {
	if !q.passed {
		if _, err := q.first.Poll(w); err != nil && err != io.EOF {
			var zero B
			return zero, err
		}
		q.passed = true
	}
	return q.second.Poll(w)
}

func (q *sequence[A, B]) Close() {
	q.first.Close()
	q.second.Close()
}

// gates are what handlers wait for: a test takes each from queues, and opens it.
type gates struct{ queues chan *pipeline.Queue[[]byte] }

func newGates() gates { return gates{queues: make(chan *pipeline.Queue[[]byte], 64)} }

// wait returns a source for r that gives what the test pushes.
func (g gates) wait(r *server.Request) *pipeline.Queue[[]byte] {
	q := pipeline.NewQueue[[]byte](r.Loop(), 16, pipeline.Refuse)
	g.queues <- q
	return q
}

// push has the source give data.
func push(t testing.TB, q *pipeline.Queue[[]byte], data string) {
	t.Helper()
	if err := q.Push([]byte(data)); err != nil {
		t.Errorf("the queue of an exchange in hand takes %q: %v", data, err)
	}
}
