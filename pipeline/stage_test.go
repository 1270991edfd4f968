package pipeline_test

import (
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestJoinIsAssociative(t *testing.T) {
	odd := func(src pipeline.Source[int]) pipeline.Source[int] {
		return pipeline.Filter(src, func(v int) bool { return v%2 == 1 })
	}
	a, b, c := mapping(double), mapping(func(v int) (int, error) { return v / 2, nil }), pipeline.Stage[int, int](odd)
	for _, stage := range []pipeline.Stage[int, int]{
		pipeline.Join(a, pipeline.Join(b, c)),
		pipeline.Join(pipeline.Join(a, b), c),
	} {
		pipelinetest.TestStage(t, pipelinetest.StageCase[int, int]{
			Stage: stage, In: []int{1, 2, 3, 4, 5}, Want: []int{1, 3, 5},
		})
	}
}

func ExampleJoin() {
	short := func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
		return pipeline.Filter(src, func(line []byte) bool { return len(line) < 4 })
	}
	lines := func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return pipeline.Lines(src, 80) }
	shortLines := pipeline.Join(lines, short)
	showBytes(shortLines(pipeline.Once([]byte("one\nseventeen\ntwo"))))
	// Output:
	// "one"
	// "two"
	// EOF
}
