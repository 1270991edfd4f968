package pipelinetest

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// byteMutants read bytes and break one law each; want is part of the failure that says so.
var byteMutants = []struct {
	name, want string
	mutate     func(s *mutant[[]byte])
}{
	{"none", "", func(*mutant[[]byte]) {}},
	{"drops the first byte of a chunk", "law 3", func(s *mutant[[]byte]) {
		first := true
		s.poll = func(w pipeline.Waker) ([]byte, error) {
			chunk, err := s.src.Poll(w)
			if !first && len(chunk) > 0 {
				chunk = chunk[1:]
			}
			first = first && err != nil
			return chunk, err
		}
	}},
	{"takes an empty chunk for the end", "law 3", func(s *mutant[[]byte]) {
		var end error
		s.poll = func(w pipeline.Waker) ([]byte, error) {
			if end != nil {
				return nil, end
			}
			chunk, err := s.src.Poll(w)
			if err == nil && len(chunk) == 0 {
				end = io.EOF
				return nil, end
			}
			return chunk, err
		}
	}},
	{"keeps a chunk beyond the next Poll", "law 7", func(s *mutant[[]byte]) {
		var kept []byte
		var end error
		s.poll = func(w pipeline.Waker) ([]byte, error) {
			if end != nil {
				return nil, end
			}
			chunk, err := s.src.Poll(w)
			if err != nil && err != pipeline.ErrPending {
				if end = err; kept == nil {
					return nil, err
				}
				return kept, nil
			}
			if err != nil {
				return nil, err
			}
			last := kept
			kept = chunk
			return last, nil
		}
	}},
}

func TestByteMutantsAreCaught(t *testing.T) {
	for _, m := range byteMutants {
		t.Run(m.name, func(t *testing.T) {
			in := []byte("a few bytes")
			for seed := range uint64(5) {
				var r recorder
				TestBytes(&r, BytesCase[[]byte]{
					Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
						s := &mutant[[]byte]{src: src}
						m.mutate(s)
						return s
					},
					In: in, Want: [][]byte{in}, Same: SameBytes, Seed: seed + 1,
				})
				expect(t, &r, m.want)
			}
		})
	}
}

func TestModelOfBytesIsAskedForEachBeginning(t *testing.T) {
	in := []byte("abc")
	asked := make(map[string]int)
	TestBytes(t, BytesCase[[]byte]{
		Stage: pass[[]byte], In: in, Same: SameBytes,
		Model: func(in []byte, end error) ([][]byte, error) {
			asked[string(in)+" "+end.Error()]++
			return [][]byte{in}, end
		},
	})
	for n := range len(in) + 1 {
		for _, end := range []error{io.EOF, errUpstream} {
			if asked[string(in[:n])+" "+end.Error()] == 0 {
				t.Errorf("the model was not asked what comes out of %q followed by %q", in[:n], end)
			}
		}
	}
}

func TestCutsCoverTheBytes(t *testing.T) {
	in := []byte("0123456789")
	cuts := allCuts(len(in), 0, 1)
	each, empty := 0, 0
	for _, cut := range cuts {
		all := chunks(in, cut)
		if joined := bytes.Join(all, nil); !bytes.Equal(joined, in) {
			t.Fatalf("cut at %v the chunks are %q, which is not what was cut", cut, all)
		}
		if len(cut) == 1 {
			each++
		}
		if slices.ContainsFunc(all, func(chunk []byte) bool { return len(chunk) == 0 }) {
			empty++
		}
	}
	if len(cuts[0]) != 0 || len(cuts[1]) != len(in) || each < len(in) || empty == 0 {
		t.Errorf("whole, byte by byte, at each offset and with empty chunks was expected, but the cuts were %v", cuts)
	}
}
