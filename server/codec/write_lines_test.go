package codec

import (
	"bytes"
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestWriteLinesKeepsTheLaws(t *testing.T) {
	large := bytes.Repeat([]byte{'x'}, 2*largestKept)
	pipelinetest.TestStage(t, pipelinetest.StageCase[[]byte, []byte]{
		Stage: WriteLines,
		In:    [][]byte{[]byte("one"), nil, large, []byte("a\rb\r")},
		Want:  [][]byte{[]byte("one\n"), []byte("\n"), append(large, '\n'), []byte("a\rb\r\n")}, Rounds: 8,
	})
	pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
		Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return WriteLines(pipeline.Lines(src, 100)) },
		In:    []byte("one\ntwo\r\n\nthree"),
		Want:  [][]byte{[]byte("one\n"), []byte("two\n"), []byte("\n"), []byte("three\n")},
	})
}

func TestLineThatWouldBeTwoIsRefused(t *testing.T) {
	for _, line := range []string{"\n", "a\nb", "a\r\n"} {
		chunks, err := read(t, func(*pipelinetest.Turn) pipeline.Source[[]byte] {
			return WriteLines(pipeline.FromSlice([][]byte{[]byte("first"), []byte(line)}))
		})
		if len(chunks) != 1 || err == io.EOF {
			t.Errorf("the line %q was written: %q, then %v; an error was expected", line, chunks, err)
		}
	}
}
