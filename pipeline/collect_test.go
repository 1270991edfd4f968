package pipeline_test

import (
	"bytes"
	"io"
	"math"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestCollect(t *testing.T) {
	in := []byte("0123456789")
	for _, limit := range []int{-1, 0, 5, 9, 10, math.MaxInt} {
		most := max(limit, 0)
		pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
			Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return pipeline.Collect(src, limit) },
			In:    in,
			Model: func(in []byte, end error) ([][]byte, error) {
				switch {
				case len(in) > most:
					return nil, &pipeline.LimitError{Subject: "the content", Limit: int64(most)}
				case end != io.EOF:
					return nil, end
				}
				return [][]byte{in}, end
			},
			Rounds: 8,
		})
	}
}

func TestCollectedBytesBelongToTheReceiver(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.Collect(pipelinetest.Poison(pipeline.FromSlice([][]byte{[]byte("abc"), []byte("def")})), 10)
	all, err := pipelinetest.Poll(turn, src)
	_, _ = pipelinetest.Poll(turn, src)
	pipelinetest.Close(turn, src)
	if err != nil || string(all) != "abcdef" {
		t.Errorf("after the source was closed the bytes are %q (%v), but they are the receiver's for good", all, err)
	}
}

func TestCollectTakesMemoryForWhatCame(t *testing.T) {
	all, err := drain(t, pipeline.Collect(pipeline.Once(bytes.Repeat([]byte{'x'}, 100)), 1<<40))
	if err != io.EOF || len(all) != 1 || len(all[0]) != 100 || cap(all[0]) > 200 {
		t.Errorf("100 bytes came under a limit of 1 TiB: got %d slices and %v, a small one was expected", len(all), err)
	}
}

func TestCollectOfNothingIsOneEmptySlice(t *testing.T) {
	all, err := drain(t, pipeline.Collect(pipeline.Empty[[]byte](), 10))
	if err != io.EOF || len(all) != 1 || all[0] == nil || len(all[0]) != 0 {
		t.Errorf("got %q and %v, one empty slice that is not nil was expected, then the end", all, err)
	}
}

func ExampleCollect() {
	showBytes(pipeline.Collect(pipeline.FromSlice([][]byte{[]byte("one "), []byte("piece")}), 1<<20))
	// Output:
	// "one piece"
	// EOF
}
