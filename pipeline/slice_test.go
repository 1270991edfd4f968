package pipeline_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestFromSlice(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(*pipelinetest.Turn) pipeline.Source[int] { return pipeline.FromSlice([]int{1, 2, 3}) },
		Want: []int{1, 2, 3},
	})
}

// The values that were not read are released, whatever they are closed by, and those that were read are not.
func TestFromSliceReleasesWhatWasNotRead(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	read := pipelinetest.NewResource(turn, "the value that was read")
	src := pipeline.FromSlice([]any{read, pipelinetest.NewResource(turn, "the value that was not read"), 3})
	v, err := pipelinetest.Poll(turn, src)
	if v != any(read) || err != nil {
		t.Errorf("Poll returned %v and %v, the first value was expected", v, err)
	}
	read.Close()
	pipelinetest.Close(turn, src)
}

// file is closed as an io.Closer.
type file struct {
	*bytes.Reader
	resource *pipelinetest.Resource
}

func (f file) Close() error {
	f.resource.Close()
	return io.ErrClosedPipe
}

func TestReleaseClosesAnIOCloser(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	pipelinetest.Close(turn, pipeline.Once(file{resource: pipelinetest.NewResource(turn, "the file")}))
}

func TestReadingAndClosingASliceAllocatesNothing(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	values := [][]byte{[]byte("a"), []byte("b"), []byte("c")}
	allocations := testing.AllocsPerRun(100, func() {
		src := pipeline.FromSlice(values)
		_, _ = src.Poll(turn)
		src.Close()
	})
	if allocations > 1 {
		t.Errorf("%v allocations were made, one for the source was expected", allocations)
	}
}
