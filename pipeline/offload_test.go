package pipeline_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestOffload(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.Offload(turn, turn, func(context.Context) (int, error) { return 7, nil })
		},
		Want: []int{7},
	})
}

// At whatever point it is closed, the result is released once: by its receiver or by the source.
func TestOffloadReleasesItsResultOnce(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[*pipelinetest.Resource]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[*pipelinetest.Resource] {
			return pipeline.Offload(turn, turn, func(context.Context) (*pipelinetest.Resource, error) {
				return pipelinetest.NewResource(turn, "the result"), nil
			})
		},
		Want: make([]*pipelinetest.Resource, 1),
		Same: func(got, want []*pipelinetest.Resource) bool { return len(got) == len(want) },
	})
}

func TestOffloadEndsWithTheErrorOfItsWork(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.Offload(turn, turn, func(context.Context) (int, error) { return 1, errTest })
		},
		WantEnd: errTest,
	})
}

func TestOffloadSubmitsOnDemand(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.Offload(turn, turn, func(context.Context) (int, error) { return 1, nil })
	if turn.Step() {
		t.Error("work was submitted before anybody polled")
	}
	pipelinetest.Close(turn, src)
	closed(t, "Offload", src)
	if turn.Step() {
		t.Error("work was submitted by a source that is closed")
	}
}

// full is an Executor that refuses.
type full struct{}

func (full) Submit(func()) error { return errTest }

func TestOffloadEndsWithTheRefusalOfThePool(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.Offload(turn, full{}, func(context.Context) (int, error) { return 1, nil })
		},
		WantEnd: errTest,
	})
}

func TestOffloadTurnsAPanicIntoAnError(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.Offload(turn, turn, func(context.Context) (int, error) { panic(errTest) })
	_, err := pipelinetest.Drain(turn, src)
	pipelinetest.Close(turn, src)
	var caught *pipeline.PanicError
	if !errors.As(err, &caught) || !errors.Is(err, errTest) || caught.Value != any(errTest) {
		t.Fatalf("the stream ended with %v, a *PanicError with the panic's value was expected", err)
	}
	if !strings.Contains(string(caught.Stack), "TestOffloadTurnsAPanicIntoAnError") {
		t.Errorf("the stack does not lead to the panic:\n%s", caught.Stack)
	}
	if !strings.Contains(err.Error(), errTest.Error()) {
		t.Errorf("the sentence is %q, but it does not say what the panic was", err)
	}
}

// goroutines is an Executor that has a goroutine for each task.
type goroutines struct{}

func (goroutines) Submit(task func()) error {
	go task()
	return nil
}

func TestOffloadCompletesWhenItsWorkEndsTheGoroutine(t *testing.T) {
	loop := make(posts)
	src := pipeline.Offload(loop, goroutines{}, func(context.Context) (int, error) {
		runtime.Goexit()
		return 0, nil
	})
	w := new(task)
	_, _ = src.Poll(w)
	(<-loop)()
	if _, err := src.Poll(w); err == nil || err == io.EOF || err == pipeline.ErrPending {
		t.Errorf("the stream goes on with %v, an error was expected", err)
	}
	src.Close()
}

func TestOffloadCancelsOnClose(t *testing.T) {
	for _, end := range []string{"while it works", "after its end"} {
		turn := pipelinetest.NewTurn(t, 1)
		var ctx context.Context
		src := pipeline.Offload(turn, turn, func(c context.Context) (int, error) { ctx = c; return 1, nil })
		_, _ = pipelinetest.Poll(turn, src)
		turn.Step() // the work, whose result then waits in Post
		if end == "after its end" {
			_, _ = pipelinetest.Drain(turn, src)
		}
		if ctx.Err() != nil {
			t.Errorf("%s: the context was cancelled before Close", end)
		}
		pipelinetest.Close(turn, src)
		if ctx.Err() == nil {
			t.Errorf("%s: the source was closed, but the context was not cancelled", end)
		}
	}
}

func TestOffloadClosedWithItsResultUnreadHasNotEnded(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.Offload(turn, turn, func(context.Context) (int, error) { return 1, nil })
	_, _ = pipelinetest.Poll(turn, src)
	for turn.Step() {
	}
	closed(t, "Offload", src)
}

func TestOffloadDoesNotPassOnErrPending(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.Offload(turn, turn, func(context.Context) (int, error) { return 0, pipeline.ErrPending })
	_, err := pipelinetest.Drain(turn, src)
	if err == nil || errors.Is(err, pipeline.ErrPending) {
		t.Errorf("the stream ended with %v, an error that says what cannot be an end was expected", err)
	}
	pipelinetest.Close(turn, src)
}

func TestOffloadClosedBeforeItsWorkBeganDoesNotRunIt(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	ran := false
	src := pipeline.Offload(turn, turn, func(context.Context) (int, error) { ran = true; return 1, nil })
	_, _ = pipelinetest.Poll(turn, src)
	pipelinetest.Close(turn, src)
	if ran {
		t.Error("the work ran, though the source had been closed before it began")
	}
}

func TestOffloadReleasesItsResultWhenTheLoopHasStopped(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.Offload(turn, turn, func(context.Context) (*pipelinetest.Resource, error) {
		return pipelinetest.NewResource(turn, "the result"), nil
	})
	_, _ = pipelinetest.Poll(turn, src)
	turn.Stop()
	turn.Step()
	pipelinetest.Close(turn, src)
}

// CVE-2020-15586, a timeout that races a completion: a worker may finish while its client leaves. There is one
// completion and no race, whoever is first.
func TestOffloadClosedWhileItsWorkFinishes(t *testing.T) {
	for range 200 {
		loop := make(posts, 1)
		result := new(counted)
		working, finished := make(chan struct{}), make(chan struct{})
		pool := executor(func(task func()) {
			defer close(finished)
			task()
		})
		src := pipeline.Offload(loop, pool, func(ctx context.Context) (*counted, error) {
			close(working)
			return result, nil
		})
		w := new(task)
		_, _ = src.Poll(w)
		<-working
		src.Close() // while the worker posts
		<-finished
		(<-loop)()
		if result.closes != 1 || w.woken {
			t.Fatalf("the late result was released %d times and the waker was woken: %v; once and not were expected",
				result.closes, w.woken)
		}
	}
}

// executor runs each task on a goroutine, through a function.
type executor func(task func())

func (run executor) Submit(task func()) error {
	go run(task)
	return nil
}

func ExampleOffload() {
	loop := make(posts, 1) // what is posted to it runs on the loop's goroutine: this one
	src := pipeline.Offload(loop, goroutines{}, func(ctx context.Context) (string, error) {
		return "from another goroutine", ctx.Err()
	})
	if _, err := src.Poll(new(task)); err == pipeline.ErrPending {
		(<-loop)()
	}
	show(src)
	// Output:
	// from another goroutine
	// EOF
}
