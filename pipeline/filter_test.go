package pipeline_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func even(v int) bool { return v%2 == 0 }

func TestFilter(t *testing.T) {
	pipelinetest.TestStage(t, pipelinetest.StageCase[int, int]{
		Stage: func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.Filter(src, even) },
		In:    []int{1, 2, 3, 4, 6, 7},
		Model: func(in []int, end error) (out []int, _ error) {
			for _, v := range in {
				if even(v) {
					out = append(out, v)
				}
			}
			return out, end
		},
	})
}

// netty/netty#620: a million items dropped by a filter overflowed the stack there; here it stays as deep as for one.
func TestFilterOfAMillionDroppedTakesAConstantStack(t *testing.T) {
	const items = 1_000_000
	seen, first, deepest := 0, 0, 0
	src := pipeline.Filter(pipeline.FromSlice(make([]byte, items)), func(byte) bool {
		seen++
		if seen == 1 || seen%10_000 == 0 {
			depth := stackDepth()
			if seen == 1 {
				first = depth
			}
			deepest = max(deepest, depth)
		}
		return false
	})
	wantStream(t, "a filter that drops everything", src, nil, io.EOF)
	if seen != items || deepest != first {
		t.Errorf("%d items were seen and the stack went from %d calls to %d; %d and no change were expected",
			seen, first, deepest, items)
	}
}

// stackDepth returns the number of calls on the stack, up to some thousand.
func stackDepth() int {
	var calls [4096]uintptr
	return runtime.Callers(1, calls[:])
}

// pollOnce polls src one time, which must be pending and woken at once, and returns how many polls upstream got.
func pollOnce[In, Out any](t *testing.T, values []In, stage pipeline.Stage[In, Out]) int {
	t.Helper()
	turn := pipelinetest.NewTurn(t, 1)
	up := pipelinetest.Watch(turn, pipeline.FromSlice(values))
	src := stage(up)
	_, err := pipelinetest.Poll(turn, src)
	if err != pipeline.ErrPending || !turn.Woken() {
		t.Errorf("after a long run Poll returned %v, ErrPending and a wake at once were expected", err)
	}
	polls := up.Polls
	pipelinetest.Close(turn, src)
	return polls
}

// No stage holds the loop, however much upstream has ready that yields nothing.
func TestLongRunsLetTheLoopGo(t *testing.T) {
	const most = 256
	runs := map[string]int{
		"Filter": pollOnce(t, make([]int, 1000), func(src pipeline.Source[int]) pipeline.Source[int] {
			return pipeline.Filter(src, func(int) bool { return false })
		}),
		"Flatten": pollOnce(t, empties(1000), pipeline.Flatten[int]),
		"Collect": pollOnce(t, make([][]byte, 1000), func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			return pipeline.Collect(src, 10)
		}),
		"Lines": pollOnce(t, make([][]byte, 1000), func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			return pipeline.Lines(src, 10)
		}),
	}
	for name, polls := range runs {
		if polls < 2 || polls > most {
			t.Errorf("%s polled upstream %d times in one Poll, some, but at most %d, were expected", name, polls, most)
		}
	}
}

func empties(n int) []pipeline.Source[int] {
	all := make([]pipeline.Source[int], n)
	for i := range all {
		all[i] = pipeline.Empty[int]()
	}
	return all
}

func ExampleFilter() {
	show(pipeline.Filter(pipeline.FromSlice([]int{1, 2, 3, 4}), func(v int) bool { return v%2 == 0 }))
	// Output:
	// 2
	// 4
	// EOF
}
