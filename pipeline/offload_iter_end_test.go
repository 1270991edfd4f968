package pipeline_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestOffloadIterStopsOffTheLoop(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	pool := &counting{Executor: turn}
	r := new(rows)
	src := pipeline.OffloadIter(turn, pool, 4, query(r, 9, same, nil))
	_, _ = pipelinetest.Poll(turn, src)
	for turn.Step() {
	}
	if r.ctx.Err() != nil {
		t.Error("the context was cancelled before Close")
	}
	src.Close()
	if r.ctx.Err() == nil {
		t.Error("the source was closed, but the context was not cancelled")
	}
	if r.ended != 0 {
		t.Error("Close has stopped the iterator itself, but that may block")
	}
	if !turn.Step() || turn.Step() {
		t.Error("Close should submit one task, which stops the iterator")
	}
	r.check(t, "closed between two batches", 1, 1)
	pipelinetest.Close(turn, src)
	r.check(t, "closed again", 1, 1)
	if pool.submitted != 2 {
		t.Errorf("%d tasks were submitted, one for the batch and one to stop were expected", pool.submitted)
	}
}

func TestOffloadIterClosedBeforeItsBatchRunsNeverBegins(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	r := new(rows)
	src := pipeline.OffloadIter(turn, turn, 4, query(r, 9, same, nil))
	_, _ = pipelinetest.Poll(turn, src)
	pipelinetest.Close(turn, src)
	r.check(t, "closed before the batch ran", 0, 0)
}

func TestOffloadIterNeedsNoStopAfterItsEnd(t *testing.T) {
	for _, end := range []error{nil, errTest} {
		turn := pipelinetest.NewTurn(t, 1)
		pool := &counting{Executor: turn}
		r := new(rows)
		src := pipeline.OffloadIter(turn, pool, 100, query(r, 9, same, end))
		_, _ = pipelinetest.Drain(turn, src)
		stopped := 0
		if end != nil {
			stopped = 1 // by the worker that was there
		}
		r.check(t, "at its end", 1, stopped)
		pipelinetest.Close(turn, src)
		r.check(t, "closed after its end", 1, stopped)
		if pool.submitted != 1 {
			t.Errorf("%d tasks were submitted, one was expected", pool.submitted)
		}
	}
}

// A value that is there is handed on while the next is still being made.
func TestOffloadIterDoesNotKeepTheFirstValueWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop := make(posts, 1) // room for the one post that may be on its way
		next := make(chan struct{})
		r := &rows{block: func(v int) { <-next }}
		src := pipeline.OffloadIter(loop, goroutines{}, 4, query(r, 3, same, nil))
		w := new(task)
		for v := 1; v <= 3; v++ {
			if _, err := src.Poll(w); err != pipeline.ErrPending {
				t.Errorf("Poll returned %v, but value %d is still being made", err, v)
			}
			next <- struct{}{}
			(<-loop)()
			if got, err := src.Poll(w); got != v || err != nil || !w.woken {
				t.Errorf("Poll returned %d and %v, value %d was expected as it is there", got, err, v)
			}
		}
		src.Close()
	})
}

func TestOffloadIterClosedWhileABatchRuns(t *testing.T) {
	for _, last := range []string{"a value", "an error", "the end"} {
		synctest.Test(t, func(t *testing.T) {
			loop := make(posts, 1)
			pool := &counting{Executor: goroutines{}}
			r, late := new(rows), new(counted)
			src := pipeline.OffloadIter(loop, pool, 4, func(ctx context.Context) iter.Seq2[*counted, error] {
				return func(yield func(*counted, error) bool) {
					r.begun++
					defer func() { r.ended++ }()
					<-ctx.Done()
					more := true
					switch last {
					case "a value":
						more = yield(late, nil)
					case "an error":
						late.Close()
						more = yield(nil, ctx.Err())
					default:
						late.Close()
					}
					if !more {
						r.refused++
					}
				}
			})
			w := new(task)
			_, _ = src.Poll(w)
			synctest.Wait()
			src.Close()
			synctest.Wait()
			src.Close()
			if pool.submitted != 1 {
				t.Errorf("%d tasks were submitted, but the batch that ran stops the iterator itself", pool.submitted)
			}
			refused := 1
			if last == "the end" {
				refused = 0
			}
			r.check(t, "closed while a batch ran, which then brought "+last, 1, refused)
			if late.closes != 1 || w.woken || len(loop) > 0 {
				t.Errorf("the late value was released %d times, the waker was woken: %v, %d posts; once, false and none were expected",
					late.closes, w.woken, len(loop))
			}
		})
	}
}

// hook is a loop that does something else when something is posted to it.
type hook func()

func (do hook) Post(func()) error {
	do()
	return nil
}

// Close comes when a value was handed on and the next was not asked for yet.
func TestOffloadIterClosedBetweenTwoValues(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	pool := &counting{Executor: turn}
	r := new(rows)
	var src pipeline.Source[int]
	src = pipeline.OffloadIter(hook(func() { src.Close() }), pool, 4, query(r, 9, same, nil))
	_, _ = pipelinetest.Poll(turn, src)
	turn.Step()
	r.check(t, "closed between two values", 1, 1)
	pipelinetest.Close(turn, src)
	if r.made != 1 || pool.submitted != 1 {
		t.Errorf("%d values were made and %d tasks submitted; the batch that ran should make one value and stop the iterator itself",
			r.made, pool.submitted)
	}
}

func TestOffloadIterTurnsAPanicIntoAnError(t *testing.T) {
	for name, seq := range map[string]func(context.Context) iter.Seq2[int, error]{
		"of seq": func(context.Context) iter.Seq2[int, error] { panic(errTest) },
		"of the iterator": func(context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) { yield(1, nil); panic(errTest) }
		},
	} {
		turn := pipelinetest.NewTurn(t, 1)
		src := pipeline.OffloadIter(turn, turn, 4, seq)
		_, err := pipelinetest.Drain(turn, src)
		pipelinetest.Close(turn, src)
		var caught *pipeline.PanicError
		if !errors.As(err, &caught) || caught.Value != any(errTest) {
			t.Fatalf("a panic %s: the stream ended with %v, a *PanicError with the panic's value was expected", name, err)
		}
		if !strings.Contains(string(caught.Stack), "TestOffloadIterTurnsAPanicIntoAnError.func") {
			t.Errorf("a panic %s: the stack does not lead to it:\n%s", name, caught.Stack)
		}
	}
}

func TestOffloadIterThatPanicsWhenItIsStoppedHarmsNobody(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.OffloadIter(turn, turn, 1, func(context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for yield(1, nil) {
			}
			panic(errTest)
		}
	})
	_, _ = pipelinetest.Poll(turn, src)
	turn.Step()
	pipelinetest.Close(turn, src) // runs the task that stops it, here
}

func TestOffloadIterEndsWhenItsIteratorEndsTheGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop := make(posts, 1)
		src := pipeline.OffloadIter(loop, goroutines{}, 4, func(context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) { runtime.Goexit() }
		})
		w := new(task)
		_, _ = src.Poll(w)
		(<-loop)()
		if _, err := src.Poll(w); err == nil || err == io.EOF || err == pipeline.ErrPending {
			t.Errorf("the stream goes on with %v, an error was expected", err)
		}
		src.Close()
	})
}

func TestOffloadIterDoesNotPassOnErrPending(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.OffloadIter(turn, turn, 4, query(new(rows), 0, same, pipeline.ErrPending))
	_, err := pipelinetest.Drain(turn, src)
	if err == nil || errors.Is(err, pipeline.ErrPending) {
		t.Errorf("the stream ended with %v, an error that says what cannot be an end was expected", err)
	}
	pipelinetest.Close(turn, src)
}

func TestOffloadIterClosedWithAValueUnreadHasNotEnded(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.OffloadIter(turn, turn, 4, query(new(rows), 1, same, nil))
	_, _ = pipelinetest.Poll(turn, src)
	for turn.Step() {
	}
	closed(t, "OffloadIter", src)
}

// A loop that has stopped never closes, so the worker that finds it so does.
func TestOffloadIterEndsWhenTheLoopHasStopped(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	r := new(rows)
	src := pipeline.OffloadIter(turn, turn, 4, query(r, 9, func(int) *pipelinetest.Resource {
		return pipelinetest.NewResource(turn, "a value")
	}, nil))
	_, _ = pipelinetest.Poll(turn, src)
	turn.Stop()
	turn.Step()
	r.check(t, "the loop has stopped", 1, 1)
	if r.ctx.Err() == nil {
		t.Error("the loop has stopped, but the context was not cancelled")
	}
	pipelinetest.Close(turn, src)
}

func TestOffloadIterRefusesANonsensicalLead(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a source that is 0 values ahead was made, a panic was expected")
		}
	}()
	turn := pipelinetest.NewTurn(t, 1)
	pipeline.OffloadIter(turn, turn, 0, query(new(rows), 1, same, nil))
}

// Whenever it is closed, while workers run: each value comes once and in order or is released, and the iterator ends
// once.
func TestOffloadIterClosedWhileItsWorkersRun(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		reads, ahead := random.IntN(30), 1+random.IntN(8)
		synctest.Test(t, func(t *testing.T) {
			loop := make(posts, 1)
			r := new(rows)
			var all []*counted
			src := pipeline.OffloadIter(loop, goroutines{}, ahead, query(r, 20, func(int) *counted {
				all = append(all, new(counted))
				return all[len(all)-1]
			}, nil))
			var got []*counted
			w := new(task)
			for range reads {
				v, err := src.Poll(w)
				switch err {
				case nil:
					got = append(got, v)
				case pipeline.ErrPending:
					(<-loop)()
				}
			}
			src.Close()
			synctest.Wait()
			for _, v := range got {
				v.Close()
			}
			if r.begun > 1 || r.ended != r.begun || r.refused > 1 {
				t.Errorf("the iterator has begun %d times, ended %d times and was told to stop %d times; once each was expected",
					r.begun, r.ended, r.refused)
			}
			checkClosedOnce(t, all)
			if len(all) < len(got) || !slices.Equal(got, all[:len(got)]) {
				t.Errorf("of %d values %d came, but not in their order", len(all), len(got))
			}
		})
	}
}
