package pipeline_test

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// future returns a future that a later step of the turn settles.
func future[T any](turn *pipelinetest.Turn, settle func(f *pipeline.Future[T])) pipeline.Source[T] {
	f := pipeline.NewFuture[T](turn)
	turn.Later(func() { settle(f) })
	return f
}

func TestFuture(t *testing.T) {
	for _, c := range []struct {
		name   string
		settle func(f *pipeline.Future[int])
		want   []int
		end    error
	}{
		{"resolved", func(f *pipeline.Future[int]) { _ = f.Resolve(7) }, []int{7}, io.EOF},
		{"rejected", func(f *pipeline.Future[int]) { _ = f.Reject(errTest) }, nil, errTest},
		{"rejected without an error", func(f *pipeline.Future[int]) { _ = f.Reject(nil) }, nil, io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
				Make: func(turn *pipelinetest.Turn) pipeline.Source[int] { return future(turn, c.settle) },
				Want: c.want, WantEnd: c.end,
			})
		})
	}
}

// Whatever becomes of the value, it is released once: by its receiver, by the future, or by who could not resolve it.
func TestFutureReleasesItsValueOnce(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[*pipelinetest.Resource]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[*pipelinetest.Resource] {
			return future(turn, func(f *pipeline.Future[*pipelinetest.Resource]) {
				v := pipelinetest.NewResource(turn, "the value")
				if err := f.Resolve(v); err != nil {
					v.Close()
				}
			})
		},
		Want: make([]*pipelinetest.Resource, 1),
		Same: func(got, want []*pipelinetest.Resource) bool { return len(got) == len(want) },
	})
}

func TestFutureHasOneResult(t *testing.T) {
	for _, first := range []func(f *pipeline.Future[int]) error{
		func(f *pipeline.Future[int]) error { return f.Resolve(1) },
		func(f *pipeline.Future[int]) error { return f.Reject(errTest) },
	} {
		turn := pipelinetest.NewTurn(t, 1)
		f := pipeline.NewFuture[int](turn)
		if err := first(f); err != nil {
			t.Errorf("the first result was refused: %v", err)
		}
		again := func(when string) {
			t.Helper()
			if err := f.Resolve(2); err != pipeline.ErrClosed {
				t.Errorf("Resolve %s returned %v, ErrClosed was expected", when, err)
			}
			if err := f.Reject(io.ErrUnexpectedEOF); err != pipeline.ErrClosed {
				t.Errorf("Reject %s returned %v, ErrClosed was expected", when, err)
			}
		}
		again("before the result was read")
		got, err := pipelinetest.Drain(turn, f)
		if resolved := err == io.EOF && len(got) == 1 && got[0] == 1; !resolved && (err != errTest || len(got) != 0) {
			t.Errorf("got %v and %v, the first result was expected", got, err)
		}
		again("after the result was read")
		pipelinetest.Close(turn, f)
	}
}

func TestFutureRefusesWhenNobodyWaits(t *testing.T) {
	for _, settle := range []func(f *pipeline.Future[int]) error{
		func(f *pipeline.Future[int]) error { return f.Resolve(1) },
		func(f *pipeline.Future[int]) error { return f.Reject(errTest) },
	} {
		turn := pipelinetest.NewTurn(t, 1)
		f := pipeline.NewFuture[int](turn)
		select {
		case <-f.Done():
			t.Error("Done was closed before the future was")
		default:
		}
		pipelinetest.Close(turn, f)
		select {
		case <-f.Done():
		default:
			t.Error("the future was closed, but Done was not")
		}
		if err := settle(f); err != pipeline.ErrClosed {
			t.Errorf("the result of a future that is closed was answered with %v, ErrClosed was expected", err)
		}
		closed(t, "Future", f)
	}
}

func TestFutureDoesNotPassOnErrPending(t *testing.T) {
	f := pipeline.NewFuture[int](pipelinetest.NewTurn(t, 1))
	_ = f.Reject(pipeline.ErrPending)
	if _, err := drain(t, f); err == nil || errors.Is(err, pipeline.ErrPending) {
		t.Errorf("the stream ended with %v, an error that says what cannot be an end was expected", err)
	}
}

func TestFutureOfAStoppedLoopIsClosed(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	f := pipeline.NewFuture[*pipelinetest.Resource](turn)
	_, _ = pipelinetest.Poll(turn, f)
	turn.Stop()
	if err := f.Resolve(pipelinetest.NewResource(turn, "the value")); err != pipelinetest.ErrStopped {
		t.Errorf("Resolve returned %v, the loop's refusal was expected", err)
	}
	select {
	case <-f.Done():
	default:
		t.Error("the loop has stopped, but Done does not say so")
	}
	pipelinetest.Close(turn, f)
}

// Of many who settle a future one succeeds, while the loop reads it or closes it.
func TestFutureSettledByManyGoroutines(t *testing.T) {
	for round := range 200 {
		loop := make(posts, 4)
		f := pipeline.NewFuture[*counted](loop)
		values := make([]counted, 4)
		var accepted atomic.Int32
		var settling sync.WaitGroup
		for i := range values {
			settling.Go(func() {
				if i == 0 && f.Reject(errTest) == nil {
					accepted.Add(1)
				}
				if err := f.Resolve(&values[i]); err == nil {
					accepted.Add(1)
				} else {
					values[i].Close()
				}
			})
		}
		w, early := new(task), round%2 == 0
		v, err := f.Poll(w)
		for err == pipeline.ErrPending && !early {
			(<-loop)()
			v, err = f.Poll(w)
		}
		if err == nil {
			v.Close()
		}
		f.Close()
		settling.Wait()
		if n := accepted.Load(); n > 1 || n == 0 && !early {
			t.Fatalf("%d results were accepted, one was expected, or none if the future was closed before: %v", n, early)
		}
		for i := range values {
			if values[i].closes != 1 {
				t.Fatalf("the value of goroutine %d was released %d times, once was expected", i, values[i].closes)
			}
		}
	}
}

func ExampleFuture() {
	loop := make(posts, 1) // what is posted to it runs on the loop's goroutine: this one
	f := pipeline.NewFuture[string](loop)
	if _, err := f.Poll(new(task)); err == pipeline.ErrPending {
		go func() {
			if err := f.Resolve("from another goroutine"); err != nil {
				fmt.Println("nobody waits any more:", err)
			}
		}()
		(<-loop)()
	}
	v, err := f.Poll(new(task))
	fmt.Println(v, err)
	f.Close()
	fmt.Println(f.Resolve("too late"))
	// Output:
	// from another goroutine <nil>
	// pipeline: the source is closed
}
