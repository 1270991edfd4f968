package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
)

// wantCut is the error that a decoder ends with when its input is cut short.
func wantCut(c coding) error {
	return badRequest("The content ends before its coding, %s, is complete.", c)
}

// Two members, each beginning of them.
func TestGunzipKeepsTheLaws(t *testing.T) {
	first, second := gzipReference(t, []byte("first, first, first")), gzipReference(t, nil)
	pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
		Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return Gunzip(src, 100) },
		In:    slices.Concat(first, second),
		Model: func(in []byte, end error) ([][]byte, error) {
			plain, _ := stagePairs[0].read(in)
			whole := len(in) == len(first) || len(in) == len(first)+len(second)
			if end == io.EOF && !whole {
				end = wantCut(codingGzip)
			}
			return [][]byte{plain}, end
		},
		Same:   pipelinetest.SameBytes,
		Rounds: 4,
	})
}

// skippable is a frame without content.
var skippable = []byte("\x5e\x2a\x4d\x18\x05\x00\x00\x00abcde")

func TestUnzstdKeepsTheLaws(t *testing.T) {
	frames := [][]byte{zstdReference(t, []byte("first, first, first")), skippable, zstdReference(t, nil), zstdReference(t, prose(50))}
	pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
		Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return Unzstd(src, 1000) },
		In:    slices.Concat(frames...),
		Model: func(in []byte, end error) ([][]byte, error) {
			whole := 0
			for _, frame := range frames {
				if whole+len(frame) <= len(in) {
					whole += len(frame)
				} else {
					break
				}
			}
			plain, _ := stagePairs[1].read(in[:whole])
			if end == io.EOF && (len(in) == 0 || whole < len(in)) {
				end = wantCut(codingZstd)
			}
			return [][]byte{plain}, end
		},
		Same:   pipelinetest.SameBytes,
		Rounds: 4,
	})
}

func TestDecodersEndAtTheLimit(t *testing.T) {
	eachCoding(t, func(t *testing.T, pair stagePair) {
		plain := prose(300_000)
		coded := pair.reference(t, plain)
		for _, limit := range []int64{-1, 0, 1, 1000, 131_072, 299_999, 300_000, math.MaxInt64} {
			got, err := drain(t, pair.decode(pieces(coded, 1<<20), limit))
			want := plain[:min(max(limit, 0), int64(len(plain)))]
			if !bytes.Equal(got, want) {
				t.Errorf("up to %d bytes the content should be its first %d, and is %d bytes (%v)", limit, len(want), len(got), err)
			}
			var over *pipeline.LimitError
			if len(want) == len(plain) {
				if err != io.EOF {
					t.Errorf("a content within %d bytes should end well, and ended with %v", limit, err)
				}
			} else if !errors.As(err, &over) || over.Status() != 413 {
				t.Errorf("a content over %d bytes should end with a *LimitError, and ended with %v", limit, err)
			}
		}
	})
}

func TestDecodersRefuseWhatIsBroken(t *testing.T) {
	eachCoding(t, func(t *testing.T, pair stagePair) {
		coded := pair.reference(t, prose(3000))
		flipped := bytes.Clone(coded)
		flipped[len(flipped)-3] ^= 1
		middle := bytes.Clone(coded)
		for i := range middle[100:200] {
			middle[100+i] = 0xff
		}
		for name, in := range map[string][]byte{
			"nothing":                 {},
			"something else":          []byte("Hello, World! This is not coded at all."),
			"a wrong checksum":        flipped,
			"broken data":             middle,
			"a byte behind it":        append(bytes.Clone(coded), 'x'),
			"text behind it":          append(bytes.Clone(coded), "GET / HTTP/1.1\r\n\r\n"...),
			"zeros behind it":         append(bytes.Clone(coded), make([]byte, 64)...),
			"its beginning behind it": append(bytes.Clone(coded), coded[:20]...),
			"its last byte missing":   coded[:len(coded)-1],
			"a beginning":             coded[:10],
		} {
			_, err := drain(t, pair.decode(pieces(in, 100), 1<<20))
			var answer *server.Error
			if !errors.As(err, &answer) || answer.Code != 400 || !strings.HasSuffix(answer.Message, ".") {
				t.Errorf("%s should end with a sentence and the status 400, and ended with %v", name, err)
			}
		}
	})
}

// A further member that is cut in its header, wherever in it, is not the end of the content.
func TestGunzipRefusesAMemberCutInItsHeader(t *testing.T) {
	first := gzipReference(t, []byte("first"))
	header := []byte("\x1f\x8b\x08\x1c\x00\x00\x00\x00\x00\x00\x01\x00xname\x00comment\x00") // and no data
	for n := 1; n <= len(header); n++ {
		got, err := drain(t, Gunzip(pieces(slices.Concat(first, header[:n]), 100), 1<<20))
		if want := wantCut(codingGzip); string(got) != "first" || err == nil || err.Error() != want.Error() {
			t.Errorf("with %d bytes of another header behind it the content should be \"first\" and end with %v, and is %q and ends with %v", n, want, got, err)
		}
	}
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Hostile input, row 37: a mebibyte that decodes to gibibytes stops at the limit.
func TestHostileCompressionBombStopsAtTheLimit(t *testing.T) {
	const limit, size = 4 << 20, 1 << 20
	member := gzipReference(t, make([]byte, 8<<20))
	// One frame with a window of 8 MiB, of blocks that each say "a zero, 131072 times".
	frame := []byte("\x28\xb5\x2f\xfd\x00\x68")
	block := []byte{2 | byte(maxBlock<<3&0xff), byte(maxBlock << 3 >> 8 & 0xff), maxBlock << 3 >> 16, 0}
	for _, c := range []struct {
		pair stagePair
		bomb []byte
	}{
		{stagePairs[0], bytes.Repeat(member, size/len(member))},
		{stagePairs[1], append(frame, bytes.Repeat(block, size/len(block))...)},
	} {
		t.Run(c.pair.name, func(t *testing.T) {
			chunks := slices.Collect(slices.Chunk(c.bomb, 16<<10))
			turn := pipelinetest.NewTurn(t, 1)
			up := pipelinetest.Watch(turn, pipeline.FromSlice(chunks))
			src := c.pair.decode(up, limit)
			var total int64
			var err error
			used := allocated(func() {
				for err == nil {
					var chunk []byte
					chunk, err = pipelinetest.Poll(turn, src)
					total += int64(len(chunk))
				}
			})
			var over *pipeline.LimitError
			if !errors.As(err, &over) || total != limit {
				t.Errorf("the bomb should end at the limit with a *LimitError, and ended after %d bytes with %v", total, err)
			}
			if up.Polls > 12 {
				t.Errorf("of the bomb's 64 chunks few should be read, and %d were", up.Polls)
			}
			if used > 24<<20 {
				t.Errorf("the bomb should cost a bounded amount of memory, and cost %d bytes", used)
			}
			pipelinetest.Close(turn, src)
		})
	}
}

// What a frame says of itself costs nothing until some of it has come.
func TestUnzstdAllocatesNothingForADeclaration(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	queue := pipeline.NewQueue[[]byte](turn, 4, pipeline.Refuse)
	src := Unzstd(queue, 1<<30)
	used := allocated(func() {
		// A window of 8 MiB, and one block that would have it allocated.
		if err := queue.Push([]byte("\x28\xb5\x2f\xfd\x00\x68\x0a\x00\x00\x00")); err != nil {
			t.Error(err)
		}
		for turn.Step() {
		}
		if _, err := pipelinetest.Poll(turn, src); err != pipeline.ErrPending {
			t.Errorf("a frame that has hardly begun should be pending, and Poll returned %v", err)
		}
	})
	if used > 64<<10 {
		t.Errorf("ten bytes should not have memory allocated for their window, and cost %d bytes", used)
	}
	pipelinetest.Close(turn, src)
}

func TestUnzstdRefusesLargeWindows(t *testing.T) {
	single := binary.LittleEndian.AppendUint32([]byte("\x28\xb5\x2f\xfd\xa0"), 9<<20)
	for name, c := range map[string]struct {
		in       []byte
		limit    int64
		status   int
		sentence string
	}{
		"a window of 9 MiB":                       {[]byte("\x28\xb5\x2f\xfd\x00\x69\x0b\x00\x00\x00"), 1 << 20, 400, "more than 8 MiB"},
		"a single segment of 9 MiB":               {append(single, 0x0b, 0, 0, 0), 1 << 30, 400, "more than 8 MiB"},
		"a single segment that is over the limit": {append(single, 0x0b, 0, 0, 0), 1 << 20, 413, "1048576 bytes"},
	} {
		_, err := drain(t, Unzstd(pieces(c.in, 100), c.limit))
		var status interface{ Status() int }
		if !errors.As(err, &status) || status.Status() != c.status || !strings.Contains(err.Error(), c.sentence) {
			t.Errorf("%s should end with the status %d and say %q, and ended with %v", name, c.status, c.sentence, err)
		}
	}
}

// The window is made smaller than the frame says, and what refers far back is still found.
func TestUnzstdRewritesWindows(t *testing.T) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	far := noise(1 << 20)
	plain := slices.Concat(far, far, far)
	if _, err = w.Write(plain); err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	frame := &zstdFrame{in: bytes.NewReader(b.Bytes()), limit: int64(len(plain))}
	if err := frame.begin(); err != nil || frame.window != 13<<18 {
		t.Errorf("for 3 MiB the window should be 3.25 MiB, and is %d (%v)", frame.window, err)
	}
	got, err := drain(t, Unzstd(pieces(b.Bytes(), 1<<15), int64(len(plain))))
	if err != io.EOF || !bytes.Equal(got, plain) {
		t.Errorf("3 MiB should come back, and came as %d bytes with %v", len(got), err)
	}
}

// The end of a stream that nobody reads on must end its coroutine: pools get back what it has.
func TestClosedDecoderEndsItsCoroutine(t *testing.T) {
	eachCoding(t, func(t *testing.T, pair stagePair) {
		coded := pair.reference(t, prose(100_000))
		turn := pipelinetest.NewTurn(t, 1)
		ended := 0
		begun := 0
		up := &never{}
		src := &decoded{src: up, decode: func(in io.Reader, yield func([]byte) bool) error {
			begun++
			defer func() { ended++ }()
			if pair.name == "gzip" {
				return gunzip(in, yield)
			}
			return unzstd(in, 1<<20, yield)
		}}
		if _, err := src.Poll(turn); err != pipeline.ErrPending || begun != 0 {
			t.Errorf("a stream of which nothing has come should be pending and hold no decoder (%v)", err)
		}
		up.chunks = [][]byte{coded[:1000]}
		for err := error(nil); err != pipeline.ErrPending; {
			if _, err = src.Poll(turn); err != nil && err != pipeline.ErrPending {
				t.Fatal(err)
			}
		}
		src.Close()
		src.Close()
		if begun != 1 || ended != 1 {
			t.Errorf("Close should end the coroutine once, and it has ended %d times", ended)
		}
	})
}

func FuzzGunzip(f *testing.F) {
	f.Add(gzipReference(f, []byte("Hello, Hello, Hello")), []byte{3, 1, 9})
	f.Add(gzipReference(f, nil), []byte{})
	f.Add([]byte("\x1f\x8b\x08\x1f\x00\x00\x00\x00\x00\x00\x01\x00xname\x00comment\x00"), []byte{1})
	fuzzDecoder(f, stagePairs[0])
}

func FuzzUnzstd(f *testing.F) {
	f.Add(zstdReference(f, []byte("Hello, Hello, Hello")), []byte{3, 1, 9})
	f.Add(slices.Concat(skippable, zstdReference(f, prose(200))), []byte{})
	f.Add([]byte("\x28\xb5\x2f\xfd\x00\x68\x0b\x00\x00\x00"), []byte{1})
	fuzzDecoder(f, stagePairs[1])
}

// fuzzDecoder: however the input is cut, the same comes out; and if it ends well, it is what
// another reader finds.
func fuzzDecoder(f *testing.F, pair stagePair) {
	const limit = 1 << 18
	f.Fuzz(func(t *testing.T, in, cuts []byte) {
		var chunks [][]byte
		rest := in
		for _, n := range cuts {
			n := min(int(n), len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		chunks = append(chunks, rest)
		whole, wholeErr := drain(t, pair.decode(pipeline.Once(in), limit))
		turn := pipelinetest.NewTurn(t, uint64(len(cuts)))
		src := pair.decode(pipelinetest.Poison(pipelinetest.Stream(turn, chunks, nil)), limit)
		parts, err := pipelinetest.Drain(turn, src)
		pipelinetest.Close(turn, src)
		if got := bytes.Join(parts, nil); !bytes.Equal(got, whole) || err.Error() != wholeErr.Error() {
			t.Errorf("whole, the input gives %d bytes and %v; cut, it gives %d bytes and %v", len(whole), wholeErr, len(got), err)
		}
		if wholeErr != io.EOF {
			return
		}
		if want, err := pair.read(in); err != nil || !bytes.Equal(want, whole) {
			t.Errorf("the input decodes to %d bytes and ends well; another reader finds %d bytes and %v", len(whole), len(want), err)
		}
	})
}
