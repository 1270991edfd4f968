package client

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// TestMemoryIsASource: what is left of a reader that was begun, in pieces, and the reader stays where it was.
func TestMemoryIsASource(t *testing.T) {
	text := strings.Repeat("0123456789", readSize/5)
	begun := func(r io.Reader) io.Reader {
		if _, err := io.CopyN(io.Discard, r, 3); err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, body := range []io.Reader{begun(strings.NewReader(text)), begun(bytes.NewReader([]byte(text))), begun(bytes.NewBufferString(text))} {
		open, size := inMemory(body)
		if size != int64(len(text)-3) {
			t.Errorf("What is left of a %T has the size %d; %d was expected.", body, size, len(text)-3)
		}
		pipelinetest.TestSource(t, pipelinetest.SourceCase[[]byte]{
			Make: func(*pipelinetest.Turn) pipeline.Source[[]byte] { return open() },
			Want: [][]byte{[]byte(text[3:])},
			Same: pipelinetest.SameBytes,
		})
		if rest, err := io.ReadAll(body); string(rest) != text[3:] || err != nil {
			t.Errorf("A %T that was sent has %d bytes left, %v; all %d were expected.", body, len(rest), err, len(text)-3)
		}
	}
	if open, _ := inMemory(onlyReader{strings.NewReader(text)}); open != nil {
		t.Error("A reader of which nothing is known is taken for memory.")
	}
}

// onlyReader hides what a reader is beside that.
type onlyReader struct{ io.Reader }
