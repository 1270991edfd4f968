package compress

import (
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// counter is an encoder that counts what is done to it.
type counter struct {
	t        *testing.T
	written  int // since the last flush
	flushes  []int
	lent     bool // what flush has returned may be looked at
	released int
}

func (c *counter) write(b []byte) { c.written += len(b) }

func (c *counter) flush(bool) ([]byte, error) {
	if c.lent {
		c.t.Error("what flush has returned should be recycled before the next flush")
	}
	c.lent = true
	c.flushes = append(c.flushes, c.written)
	c.written = 0
	return []byte("coded"), nil
}

func (c *counter) recycle() { c.lent = false }

func (c *counter) release() {
	if c.lent {
		c.t.Error("what flush has returned should be recycled before the encoder is released")
	}
	c.released++
}

func TestOnePollCodesABoundedPiece(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	up := pipelinetest.Watch(turn, pipeline.FromSlice([][]byte{make([]byte, 1000), make([]byte, 3*pollSize), make([]byte, 1)}))
	c := &counter{t: t}
	src := &encoded{src: up, encoder: c}
	for err := error(nil); err != io.EOF; {
		if _, err = pipelinetest.Poll[[]byte](turn, src); err != nil && err != io.EOF {
			t.Fatal(err)
		}
	}
	want := []int{pollSize, pollSize, pollSize, 1001}
	if len(c.flushes) != len(want) || c.flushes[0] != want[0] || c.flushes[1] != want[1] || c.flushes[3] != want[3] {
		t.Errorf("the polls should code %d bytes, and have coded %d", want, c.flushes)
	}
	if c.released == 0 {
		t.Error("a stream that has ended should release its encoder")
	}
	pipelinetest.Close[[]byte](turn, src)
}

func TestClosedEncoderIsReleased(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	c := &counter{t: t}
	src := &encoded{src: pieces(prose(1000), 10), encoder: c}
	if _, err := pipelinetest.Poll[[]byte](turn, src); err != nil {
		t.Fatal(err)
	}
	pipelinetest.Close[[]byte](turn, src)
	if c.released != 1 {
		t.Errorf("Close should release the encoder once, and did %d times", c.released)
	}
	for _, pair := range stagePairs {
		src := pair.encode(pieces(prose(1000), 10)).(*encoded)
		if _, err := src.Poll(turn); err != nil {
			t.Fatal(err)
		}
		src.encoder.recycle()
		src.encoder.release()
		switch e := src.encoder.(type) {
		case *gzipEncoder:
			if e.output != nil || e.text != nil || e.writer != nil {
				t.Error("a gzip encoder that was released should hold nothing")
			}
		case *zstdEncoder:
			if e.writer != nil { // it would be given back twice
				t.Error("a zstd encoder that was released should hold nothing")
			}
		}
		src.Close()
	}
}

// blank gives empty chunks without end.
type blank struct{ polls int }

func (b *blank) Poll(pipeline.Waker) ([]byte, error) { b.polls++; return nil, nil }
func (b *blank) Close()                              {}

func TestEmptyChunksDoNotHoldTheLoop(t *testing.T) {
	up := &blank{}
	for _, src := range []pipeline.Source[[]byte]{&encoded{src: up, encoder: &counter{t: t}}, Gunzip(up, 10)} {
		up.polls = 0
		turn := pipelinetest.NewTurn(t, 1)
		if _, err := src.Poll(turn); err != pipeline.ErrPending || up.polls != maxChunks || !turn.Woken() {
			t.Errorf("after %d empty chunks Poll should wake and say ErrPending; after %d it returned %v", maxChunks, up.polls, err)
		}
		src.Close()
	}
}
