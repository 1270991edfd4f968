package pipeline_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestInspectPassesEverythingOn(t *testing.T) {
	pipelinetest.TestStage(t, pipelinetest.StageCase[int, int]{
		Stage: func(src pipeline.Source[int]) pipeline.Source[int] {
			return pipeline.Inspect(src, func(int, error) {})
		},
		In:    []int{1, 2, 3},
		Model: func(in []int, end error) ([]int, error) { return in, end },
	})
}

func TestInspectSeesTheValuesAndTheEndOnce(t *testing.T) {
	var seen []string
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.Inspect(pipelinetest.Stream(turn, []int{1, 2}, errTest), func(v int, err error) {
		seen = append(seen, fmt.Sprint(v, " ", err))
	})
	for range 2 {
		_, _ = pipelinetest.Drain(turn, src)
	}
	pipelinetest.Close(turn, src)
	if want := []string{"1 <nil>", "2 <nil>", "0 " + errTest.Error()}; !slices.Equal(seen, want) {
		t.Errorf("what was seen is %q, %q was expected", seen, want)
	}
}

func ExampleInspect() {
	bytes := 0
	show(pipeline.Inspect(pipeline.FromSlice([]string{"one", "three"}), func(v string, err error) {
		if bytes += len(v); err != nil {
			fmt.Println("after", bytes, "bytes:")
		}
	}))
	// Output:
	// one
	// three
	// after 8 bytes:
	// EOF
}
