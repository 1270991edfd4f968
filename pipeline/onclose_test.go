package pipeline_test

import (
	"slices"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestOnClose(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			held := pipelinetest.NewResource(turn, "what the function releases")
			return pipeline.OnClose(pipelinetest.Stream(turn, []int{1, 2}, nil), held.Close)
		},
		Want: []int{1, 2},
	})
}

func TestOnCloseComesAfterUpstream(t *testing.T) {
	var closed []string
	note := func(name string) func() { return func() { closed = append(closed, name) } }
	src := pipeline.OnClose(pipeline.OnClose(pipeline.Empty[int](), note("inner")), note("outer"))
	src.Close()
	src.Close()
	if want := []string{"inner", "outer"}; !slices.Equal(closed, want) {
		t.Errorf("what was closed is %q, %q was expected: upstream first, and each once", closed, want)
	}
}
