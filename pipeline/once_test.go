package pipeline_test

import (
	"errors"
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestOnce(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[*pipelinetest.Resource]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[*pipelinetest.Resource] {
			return pipeline.Once(pipelinetest.NewResource(turn, "the value"))
		},
		Want: make([]*pipelinetest.Resource, 1),
		Same: func(got, want []*pipelinetest.Resource) bool { return len(got) == len(want) },
	})
}

func TestFailAndEmpty(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make:    func(*pipelinetest.Turn) pipeline.Source[int] { return pipeline.Fail[int](errTest) },
		WantEnd: errTest,
	})
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(*pipelinetest.Turn) pipeline.Source[int] { return pipeline.Empty[int]() },
	})
}

func TestFailDoesNotPassOnErrPending(t *testing.T) {
	_, err := drain(t, pipeline.Fail[int](pipeline.ErrPending))
	if err == nil || err == io.EOF || errors.Is(err, pipeline.ErrPending) {
		t.Errorf("the stream ended with %v, an error that says what cannot be an end was expected", err)
	}
}
