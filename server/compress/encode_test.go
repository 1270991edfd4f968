package compress

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/bytebufferpool"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// counter is an encoder that counts what is done to it.
type counter struct{ pieces []int }

func (c *counter) encode(out *bytebufferpool.ByteBuffer, plain []byte, _ bool) error {
	c.pieces = append(c.pieces, len(plain))
	out.B = append(out.B, "coded"...)
	return nil
}

func TestOnePollCodesABoundedPiece(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	up := pipelinetest.Watch(turn, pipeline.FromSlice([][]byte{make([]byte, 1000), make([]byte, 3*pollSize), make([]byte, 1)}))
	c := &counter{}
	src := &encoded{src: up, encoder: c}
	for err := error(nil); err != io.EOF; {
		if _, err = pipelinetest.Poll[[]byte](turn, src); err != nil && err != io.EOF {
			t.Fatal(err)
		}
	}
	if want := []int{pollSize, pollSize, pollSize, 1001}; !slices.Equal(c.pieces, want) {
		t.Errorf("the polls should code %d bytes, and have coded %d", want, c.pieces)
	}
	if src.encoder != nil || src.output != nil {
		t.Error("a stream that has ended should hold nothing")
	}
	pipelinetest.Close[[]byte](turn, src)
}

func TestClosedEncoderHoldsNothing(t *testing.T) {
	eachCoding(t, func(t *testing.T, pair stagePair) {
		turn := pipelinetest.NewTurn(t, 1)
		src := pair.encode(pipeline.FromSlice([][]byte{prose(2 * pollSize)})).(*encoded)
		if _, err := pipelinetest.Poll[[]byte](turn, src); err != nil {
			t.Fatal(err)
		}
		if src.rest == nil || src.output == nil {
			t.Fatal("the stream should be in the middle of a chunk")
		}
		pipelinetest.Close[[]byte](turn, src)
		if src.encoder != nil || src.output != nil || src.rest != nil || src.src != nil {
			t.Error("a stream that was closed should hold nothing")
		}
	})
}

// What many open streams cost: the end of what was coded, and no more than that.
func TestWaitingEncoderHoldsLittle(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	for _, chunks := range [][][]byte{{prose(100), prose(1000), prose(1001), prose(5000)}, {prose(3 * pollSize)}, slices.Repeat([][]byte{prose(100)}, 300)} {
		up := &never{}
		e := new(gzipEncoder)
		src := &encoded{src: up, encoder: e}
		var plain []byte
		for _, chunk := range chunks {
			plain = append(plain, chunk...)
			up.chunks = [][]byte{chunk}
			for err := error(nil); err == nil; {
				_, err = pipelinetest.Poll[[]byte](turn, src)
			}
		}
		if src.output != nil || cap(e.history) > historySize || !bytes.HasSuffix(plain, e.history) || len(e.history) != historySize {
			t.Errorf("a stream that waits should hold the last %d bytes and no buffer, and holds %d of %d", historySize, len(e.history), cap(e.history))
		}
		src.Close()
	}
}

// An event is much like the one before, and should not be sent with a table of codes.
func TestShortEventsGetShort(t *testing.T) {
	var e gzipEncoder
	for i := range 30 {
		event := fmt.Appendf(nil, "id: %d\ndata: {\"gate\":\"north\",\"level\":%d}\n\n", i, 7*i)
		var out bytebufferpool.ByteBuffer
		if err := e.encode(&out, event, false); err != nil {
			t.Fatal(err)
		}
		if i > 0 && len(out.B) > len(event)*6/10 {
			t.Errorf("event %d, of %d bytes and like those before, should take little more than half of them, and takes %d", i, len(event), len(out.B))
		}
	}
}

// The content is at its end: nothing comes behind it, and there is a frame if it is empty.
func TestZstdHasOneFrameAtLeast(t *testing.T) {
	for plain, frames := range map[string]int{"": 1, "x": 1, strings.Repeat("x", pollSize): 1, strings.Repeat("x", pollSize+1): 2} {
		coded, err := drain(t, Zstd(pieces([]byte(plain), pollSize)))
		if got := bytes.Count(coded, []byte("\x28\xb5\x2f\xfd")); err != io.EOF || got != frames {
			t.Errorf("%d bytes should be coded in %d frames, and are in %d (%v)", len(plain), frames, got, err)
		}
	}
}

// blank gives empty chunks without end.
type blank struct{ polls int }

func (b *blank) Poll(pipeline.Waker) ([]byte, error) { b.polls++; return nil, nil }
func (b *blank) Close()                              {}

func TestEmptyChunksDoNotHoldTheLoop(t *testing.T) {
	up := &blank{}
	for _, src := range []pipeline.Source[[]byte]{&encoded{src: up, encoder: &counter{}}, Gunzip(up, 10)} {
		up.polls = 0
		turn := pipelinetest.NewTurn(t, 1)
		if _, err := src.Poll(turn); err != pipeline.ErrPending || up.polls != maxChunks || !turn.Woken() {
			t.Errorf("after %d empty chunks Poll should wake and say ErrPending; after %d it returned %v", maxChunks, up.polls, err)
		}
		src.Close()
	}
}
