package compress

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"compress/gzip"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// A stagePair is what codes and decodes in one coding, and what others make of the same.
type stagePair struct {
	name   string
	encode pipeline.Stage[[]byte, []byte]
	decode func(src pipeline.Source[[]byte], limit int64) pipeline.Source[[]byte]
	// reference codes by another implementation, or at least by another way through it.
	reference func(t testing.TB, plain []byte) []byte
	// read decodes all of coded that can be decoded, and says how it ended.
	read func(coded []byte) ([]byte, error)
}

var stagePairs = []stagePair{
	{"gzip", Gzip, Gunzip, gzipReference, func(coded []byte) ([]byte, error) {
		r, err := gzip.NewReader(bytes.NewReader(coded))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}},
	{"zstd", Zstd, Unzstd, zstdReference, func(coded []byte) ([]byte, error) {
		r, err := zstd.NewReader(bytes.NewReader(coded))
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return io.ReadAll(r)
	}},
}

func gzipReference(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstdReference(t testing.TB, plain []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithZeroFrames(true))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(plain, nil)
}

// eachCoding runs a test for gzip and for zstd.
func eachCoding(t *testing.T, test func(t *testing.T, pair stagePair)) {
	t.Helper()
	for _, pair := range stagePairs {
		t.Run(pair.name, func(t *testing.T) { test(t, pair) })
	}
}

// drain polls src, which is pending never, to its end.
func drain(t testing.TB, src pipeline.Source[[]byte]) ([]byte, error) {
	t.Helper()
	turn := pipelinetest.NewTurn(t, 1)
	defer pipelinetest.Close(turn, src)
	chunks, err := pipelinetest.Drain(turn, src)
	return bytes.Join(chunks, nil), err
}

// pieces cuts b into chunks of n bytes.
func pieces(b []byte, n int) pipeline.Source[[]byte] {
	var chunks [][]byte
	for len(b) > n {
		chunks = append(chunks, b[:n])
		b = b[n:]
	}
	return pipeline.FromSlice(append(chunks, b))
}

// prose is n bytes that a coding makes shorter, but not very short.
func prose(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("the a pipe gate river water turbine flows only as fast it is asked for byte and when then loop")
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(words[random.IntN(len(words))])
		b.WriteByte(" \n,.0123456789"[random.IntN(14)])
	}
	return b.Bytes()[:n]
}

func noise(n int) []byte {
	random := rand.New(rand.NewPCG(3, 4))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// Everything that came before upstream failed comes out, and all of it wherever upstream is pending.
func TestEncodersKeepTheLaws(t *testing.T) {
	eachCoding(t, func(t *testing.T, pair stagePair) {
		pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
			Stage: pair.encode,
			In:    prose(lawsInput),
			Model: func(in []byte, end error) ([][]byte, error) { return [][]byte{in}, end },
			Same: func(got, want [][]byte) bool {
				plain, err := pair.read(bytes.Join(got, nil))
				truncated := err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
				return truncated && bytes.Equal(plain, bytes.Join(want, nil))
			},
			Rounds: 4,
		})
	})
}

func TestEncodersAreReadByOthers(t *testing.T) {
	eachCoding(t, func(t *testing.T, pair stagePair) {
		for _, plain := range [][]byte{nil, []byte("x"), prose(127), prose(128), prose(5000), prose(1 << 20), noise(300_000), make([]byte, 1<<20)} {
			for _, size := range []int{64, 4096, 1 << 16, 1 << 20} {
				if size == 64 && len(plain) > 1<<16 {
					continue
				}
				coded, err := drain(t, pair.encode(pieces(plain, size)))
				if err != io.EOF {
					t.Fatalf("the coding of %d bytes in pieces of %d ended with %v", len(plain), size, err)
				}
				got, err := pair.read(coded)
				if err != nil || !bytes.Equal(got, plain) {
					t.Errorf("%d bytes in pieces of %d should come back, and came as %d bytes with %v", len(plain), size, len(got), err)
				}
			}
		}
	})
}

// A flush after each chunk must not lose what the stream could refer to. (Frames of Zstandard
// stand alone.)
func TestGzipRefersToWhatCameBefore(t *testing.T) {
	for _, line := range [][]byte{prose(400), prose(2500)} {
		turn := pipelinetest.NewTurn(t, 1)
		queue := pipeline.NewQueue[[]byte](turn, 1, pipeline.Refuse)
		src := Gzip(queue)
		var sizes [2]int
		for i := range sizes {
			if err := queue.Push(line); err != nil {
				t.Fatal(err)
			}
			for turn.Step() {
			}
			chunk, err := pipelinetest.Poll(turn, src)
			if err != nil {
				t.Fatalf("a chunk that has come should leave at once, and Poll returned %v", err)
			}
			sizes[i] = len(chunk)
			if _, err = pipelinetest.Poll(turn, src); err != pipeline.ErrPending {
				t.Fatalf("with nothing more to come Poll should say ErrPending, and returned %v", err)
			}
		}
		if sizes[1] > sizes[0]/4 {
			t.Errorf("%d bytes that came before should be coded in a quarter of what they first took; it was %d bytes, then %d", len(line), sizes[0], sizes[1])
		}
		pipelinetest.Close(turn, src)
	}
}

func TestDecodersReadOthers(t *testing.T) {
	eachCoding(t, func(t *testing.T, pair stagePair) {
		for _, plain := range [][]byte{nil, []byte("x"), prose(5000), prose(1 << 20), noise(300_000), make([]byte, 3<<20)} {
			coded := pair.reference(t, plain)
			coded = append(coded, pair.reference(t, []byte("and another"))...)
			want := append(bytes.Clone(plain), "and another"...)
			for _, size := range []int{1000, 1 << 16, 1 << 22} {
				got, err := drain(t, pair.decode(pieces(coded, size), 1<<22))
				if err != io.EOF || !bytes.Equal(got, want) {
					t.Errorf("%d bytes in pieces of %d should come back, and came as %d bytes with %v", len(want), size, len(got), err)
				}
			}
		}
	})
}

// FuzzGzip: however bytes are cut and wherever they are waited for, another reader finds them.
func FuzzGzip(f *testing.F) {
	f.Add([]byte("one, two, one, two, three"), []byte{3, 0, 8, 8})
	f.Add(prose(1500), []byte{150, 1, 9})
	f.Add(bytes.Repeat([]byte("abcabc\xff\x90"), 60), []byte{9, 4, 4})
	f.Add(noise(300), []byte{100})
	f.Fuzz(func(t *testing.T, plain, cuts []byte) {
		var chunks [][]byte
		rest := plain
		for _, n := range cuts {
			n := min(int(n)*8, len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		turn := pipelinetest.NewTurn(t, uint64(len(cuts)))
		src := Gzip(pipelinetest.Poison(pipelinetest.Stream(turn, append(chunks, rest), nil)))
		parts, err := pipelinetest.Drain(turn, src)
		pipelinetest.Close(turn, src)
		if err != io.EOF {
			t.Fatalf("the coding should end well, and ended with %v", err)
		}
		if got, err := stagePairs[0].read(bytes.Join(parts, nil)); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes should come back, and came as %d with %v", len(plain), len(got), err)
		}
	})
}
