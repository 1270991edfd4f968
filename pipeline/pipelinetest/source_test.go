package pipelinetest

import (
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// sourceMutants break one law each with what they got from the turn; want is part of the failure that says so.
var sourceMutants = []struct {
	name, want string
	mutate     func(turn *Turn, s *mutant[[]byte])
}{
	{"none", "", func(turn *Turn, s *mutant[[]byte]) {
		held := NewResource(turn, "what the stream holds")
		closed := false
		s.close = func() {
			if !closed {
				closed = true
				held.Close()
			}
			s.src.Close()
		}
	}},
	{"changes a chunk that it has handed out", "law 7", func(turn *Turn, s *mutant[[]byte]) {
		s.poll = func(w pipeline.Waker) ([]byte, error) {
			chunk, err := s.src.Poll(w)
			turn.Later(func() { clear(chunk) })
			return chunk, err
		}
	}},
	{"wakes in a post after Close", "law 6", func(turn *Turn, s *mutant[[]byte]) {
		s.poll = func(w pipeline.Waker) ([]byte, error) {
			if err := turn.Post(w.Wake); err != nil {
				return nil, err
			}
			return s.src.Poll(w)
		}
	}},
	{"keeps what it holds", "law 6", func(turn *Turn, s *mutant[[]byte]) {
		NewResource(turn, "what the stream holds")
	}},
	{"releases what it holds at each Close", "law 6", func(turn *Turn, s *mutant[[]byte]) {
		held := NewResource(turn, "what the stream holds")
		s.close = func() { held.Close(); s.src.Close() }
	}},
	{"releases what it holds at its end and again", "law 6", func(turn *Turn, s *mutant[[]byte]) {
		held := NewResource(turn, "what the stream holds")
		s.poll = func(w pipeline.Waker) ([]byte, error) {
			chunk, err := s.src.Poll(w)
			if err == io.EOF {
				held.Close()
			}
			return chunk, err
		}
		s.close = func() { held.Close(); s.src.Close() }
	}},
	{"posts for ever", "still something to happen", func(turn *Turn, s *mutant[[]byte]) {
		var again func()
		again = func() {
			if err := turn.Post(again); err != nil {
				t := turn.t
				t.Errorf("the turn was not stopped, but refused to post: %v", err)
			}
		}
		again()
	}},
}

func TestSourceMutantsAreCaught(t *testing.T) {
	for _, m := range sourceMutants {
		t.Run(m.name, func(t *testing.T) {
			want := [][]byte{[]byte("a few"), []byte(" "), []byte("bytes")}
			for seed := range uint64(5) {
				var r recorder
				TestSource(&r, SourceCase[[]byte]{
					Make: func(turn *Turn) pipeline.Source[[]byte] {
						s := &mutant[[]byte]{src: Poison(Stream(turn, want, nil))}
						m.mutate(turn, s)
						return s
					},
					Want: want, Seed: seed + 1,
				})
				expect(t, &r, m.want)
			}
		})
	}
}

func TestSourceClosesTheValuesItReceives(t *testing.T) {
	TestSource(t, SourceCase[*Resource]{
		Make: func(turn *Turn) pipeline.Source[*Resource] {
			values := []*Resource{NewResource(turn, "the first value"), NewResource(turn, "the second value")}
			return Stream(turn, values, nil)
		},
		Want: make([]*Resource, 2),
		Same: func(got, want []*Resource) bool { return len(got) == len(want) },
	})
}
