package pipeline_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestLimit(t *testing.T) {
	in := []byte("0123456789")
	for _, limit := range []int64{-1, 0, 1, 5, 9, 10, 11} {
		most := max(limit, 0)
		pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
			Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return pipeline.Limit(src, limit) },
			In:    in,
			Model: func(in []byte, end error) ([][]byte, error) {
				if int64(len(in)) > most {
					return [][]byte{in[:most]}, &pipeline.LimitError{Subject: "the content", Limit: most}
				}
				return [][]byte{in}, end
			},
			Same: pipelinetest.SameBytes, Rounds: 8,
		})
	}
}

func TestLimitErrorIsForTheClient(t *testing.T) {
	_, err := drain(t, pipeline.Limit(pipeline.Once([]byte("too long")), 3))
	var limit *pipeline.LimitError
	if !errors.As(err, &limit) {
		t.Fatalf("the stream ended with %v, a *LimitError was expected", err)
	}
	if limit.Status() != 413 {
		t.Errorf("the status is %d, 413 was expected", limit.Status())
	}
	const public = "the content is longer than the 3 bytes allowed"
	if limit.Public() != public || !strings.HasSuffix(limit.Error(), public) {
		t.Errorf("the sentences are %q and %q, %q was expected in both", limit.Public(), limit.Error(), public)
	}
}

func TestLimitReachedFailsWithoutAnEmptyChunk(t *testing.T) {
	chunks, err := drain(t, pipeline.Limit(pipeline.Once([]byte("a")), 0))
	if len(chunks) != 0 || err == nil {
		t.Errorf("got %q and then %v, the failure alone was expected", chunks, err)
	}
}

func ExampleLimit() {
	showBytes(pipeline.Limit(pipeline.Once([]byte("a long text")), 6))
	// Output:
	// "a long"
	// pipeline: the content is longer than the 6 bytes allowed
}
