package pipeline_test

import (
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestConcat(t *testing.T) {
	for _, end := range []error{nil, errTest} {
		want := []int{1, 2, 3, 4}
		if end != nil {
			want = want[:3]
		}
		pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
			Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
				return pipeline.Concat(streams(turn, end)...)
			},
			Want: want, WantEnd: end,
		})
	}
}

func TestConcatOfNothingIsEmpty(t *testing.T) {
	wantStream(t, "no sources", pipeline.Concat[int](), nil, io.EOF)
}

func TestConcatKeepsItsSourcesFromTheCaller(t *testing.T) {
	sources := []pipeline.Source[int]{pipeline.Once(1), pipeline.Once(2)}
	src := pipeline.Concat(sources...)
	sources[1] = nil
	wantStream(t, "the caller's slice was changed", src, []int{1, 2}, io.EOF)
}

func ExampleConcat() {
	show(pipeline.Concat(pipeline.Once("head"), pipeline.FromSlice([]string{"body", "more"}), pipeline.Once("tail")))
	// Output:
	// head
	// body
	// more
	// tail
	// EOF
}
