package pipeline_test

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/penstock-go/penstock/pipeline"
)

// A stack is used again by the next coroutine, whether the last one has ended or was closed.
func TestStacksAreUsedAgain(t *testing.T) {
	for polls := 1; polls <= 2; polls++ {
		var stacks pipeline.Stacks
		values, w := new(everyOther), new(task)
		await := func(co *pipeline.Co) (int, error) { return pipeline.Await(co, values) }
		count := testing.AllocsPerRun(100, func() {
			src := pipeline.CoroutineOn(&stacks, await)
			for range polls {
				_, _ = src.Poll(w)
			}
			src.Close()
			values.ready = false
		})
		if count > 3 {
			t.Errorf("a coroutine that was polled %d times costs %v allocations, those of a new stack should be spared", polls, count)
		}
		stacks.Close()
	}
}

// Only so many stacks are kept, and none when they were closed, also of a coroutine that ends after that.
func TestStacksEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		var stacks pipeline.Stacks
		var all []pipeline.Source[int]
		before := runtime.NumGoroutine()
		for range 100 {
			src := pipeline.CoroutineOn(&stacks, func(co *pipeline.Co) (int, error) {
				return pipeline.Await(co, new(everyOther))
			})
			_, _ = src.Poll(new(task))
			all = append(all, src)
		}
		for _, src := range all[1:] {
			src.Close()
		}
		if kept := runtime.NumGoroutine() - before; kept > 90 { // those of other tests may come and go
			t.Errorf("of 99 stacks that are idle %d are kept, 64 were expected", kept-1)
		}
		stacks.Close()
		stacks.Close()
		all[0].Close()
	})
}

// A stack that a function has panicked on is not used again.
func TestStacksSurviveAPanic(t *testing.T) {
	var stacks pipeline.Stacks
	defer stacks.Close()
	for range 3 {
		src := pipeline.CoroutineOn(&stacks, func(*pipeline.Co) (int, error) { panic(errTest) })
		func() {
			defer func() {
				if err, _ := recover().(error); !errors.Is(err, errTest) {
					t.Errorf("Poll panicked with %v, the function's panic was expected", err)
				}
			}()
			_, _ = src.Poll(new(task))
		}()
		src.Close()
		wantStream(t, "after a panic", pipeline.CoroutineOn(&stacks, func(*pipeline.Co) (int, error) { return 1, nil }), []int{1}, io.EOF)
	}
}
