package pipeline_test

import (
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestFlatten(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.Flatten(pipelinetest.Stream(turn, streams(turn, nil), nil))
		},
		Want: []int{1, 2, 3, 4},
	})
}

// streams returns four streams, of 1 and 2, of nothing, of 3, and of 4; the third ends with end.
func streams(turn *pipelinetest.Turn, end error) []pipeline.Source[int] {
	return []pipeline.Source[int]{
		pipelinetest.Stream(turn, []int{1, 2}, nil),
		pipelinetest.Stream[int](turn, nil, nil),
		pipelinetest.Stream(turn, []int{3}, end),
		pipelinetest.Stream(turn, []int{4}, nil),
	}
}

func TestFlattenEndsWithTheFailureOfOne(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.Flatten(pipelinetest.Stream(turn, streams(turn, errTest), nil))
		},
		Want: []int{1, 2, 3}, WantEnd: errTest,
	})
}

func TestFlattenEndsWithTheFailureUpstream(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.Flatten(pipelinetest.Stream(turn, streams(turn, nil), errTest))
		},
		Want: []int{1, 2, 3, 4}, WantEnd: errTest,
	})
}

// What a source gave last is valid until the next Poll, so it is closed in that Poll and not before, nor much later.
func TestFlattenClosesASourceWhenItHasEnded(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	first := pipelinetest.Watch(turn, pipeline.Once(1))
	second := pipelinetest.Watch(turn, pipeline.Once(2))
	src := pipeline.Flatten(pipeline.FromSlice([]pipeline.Source[int]{first, second}))
	for i, want := range [][2]int{{0, 0}, {1, 0}, {1, 1}} {
		if second.Polls > 0 && i == 1 {
			t.Error("the second source was polled before the first had ended")
		}
		_, _ = pipelinetest.Poll(turn, src)
		if got := [2]int{first.Closes, second.Closes}; got != want {
			t.Errorf("after Poll %d the sources were closed %v times, %v was expected", i+1, got, want)
		}
	}
	pipelinetest.Close(turn, src)
}

func ExampleFlatten() {
	twice := pipeline.Map(pipeline.FromSlice([]int{1, 2}), func(v int) (pipeline.Source[int], error) {
		return pipeline.FromSlice([]int{v, v}), nil
	})
	show(pipeline.Flatten(twice))
	// Output:
	// 1
	// 1
	// 2
	// 2
	// EOF
}
