package pipelinetest

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// stageMutants break one law each; want is part of the failure that says so.
var stageMutants = []struct {
	name, want string
	mutate     func(s *mutant[int])
}{
	{"none", "", func(*mutant[int]) {}},
	{"polls when it is made", "law 1", func(s *mutant[int]) {
		first, err := s.src.Poll(deaf{})
		made := true
		s.poll = func(w pipeline.Waker) (int, error) {
			if made {
				made = false
				return first, err
			}
			return s.src.Poll(w)
		}
	}},
	{"polls when it is closed", "law 1", func(s *mutant[int]) {
		s.close = func() {
			_, _ = s.src.Poll(deaf{})
			s.src.Close()
		}
	}},
	{"polls when it is woken", "law 1", func(s *mutant[int]) {
		s.poll = func(w pipeline.Waker) (int, error) { return s.src.Poll(eager{s.src, w}) }
	}},
	{"drops a value when upstream is pending", "law 2", func(s *mutant[int]) {
		pending := false
		s.poll = func(w pipeline.Waker) (int, error) {
			v, err := s.src.Poll(w)
			if pending && err == nil {
				v, err = s.src.Poll(w)
			}
			pending = err == pipeline.ErrPending
			return v, err
		}
	}},
	{"ends when upstream is pending", "law 2", func(s *mutant[int]) {
		ended := false
		s.poll = func(w pipeline.Waker) (int, error) {
			v, err := s.src.Poll(w)
			if ended = ended || err == pipeline.ErrPending; ended {
				return 0, io.EOF
			}
			return v, err
		}
	}},
	{"loses each wakeup", "law 4", func(s *mutant[int]) {
		s.poll = func(pipeline.Waker) (int, error) { return s.src.Poll(deaf{}) }
	}},
	{"is pending of its own accord", "law 4", func(s *mutant[int]) {
		n := 0
		s.poll = func(w pipeline.Waker) (int, error) {
			if n++; n == 2 {
				return 0, pipeline.ErrPending
			}
			return s.src.Poll(w)
		}
	}},
	{"wakes the first waker for ever", "law 4", func(s *mutant[int]) {
		var first pipeline.Waker
		s.poll = func(w pipeline.Waker) (int, error) {
			if first == nil {
				first = w
			}
			return s.src.Poll(first)
		}
	}},
	{"polls with a nil waker", "law 4", func(s *mutant[int]) {
		s.poll = func(pipeline.Waker) (int, error) { return s.src.Poll(nil) }
	}},
	{"is pending after its end", "law 5", func(s *mutant[int]) {
		ended := false
		s.poll = func(w pipeline.Waker) (int, error) {
			if ended {
				return 0, pipeline.ErrPending
			}
			v, err := s.src.Poll(w)
			ended = err == io.EOF
			return v, err
		}
	}},
	{"gives a value after its end", "law 5", func(s *mutant[int]) {
		n := 0
		s.poll = func(w pipeline.Waker) (int, error) {
			v, err := s.src.Poll(w)
			if err == io.EOF {
				if n++; n == 3 {
					return 0, nil
				}
			}
			return v, err
		}
	}},
	{"closes upstream twice", "law 6", func(s *mutant[int]) {
		s.close = func() { s.src.Close(); s.src.Close() }
	}},
	{"closes upstream at its end and again", "law 6", func(s *mutant[int]) {
		s.poll = func(w pipeline.Waker) (int, error) {
			v, err := s.src.Poll(w)
			if err == io.EOF {
				s.src.Close()
			}
			return v, err
		}
	}},
	{"never closes upstream", "law 6", func(s *mutant[int]) { s.close = func() {} }},
	{"does not close upstream while that is pending", "law 6", func(s *mutant[int]) {
		pending := false
		s.poll = func(w pipeline.Waker) (int, error) {
			v, err := s.src.Poll(w)
			pending = err == pipeline.ErrPending
			return v, err
		}
		s.close = func() {
			if !pending {
				s.src.Close()
			}
		}
	}},
	{"polls upstream after closing it", "law 6", func(s *mutant[int]) {
		s.poll = func(w pipeline.Waker) (int, error) {
			v, err := s.src.Poll(w)
			if err == io.EOF {
				s.src.Close()
				_, err = s.src.Poll(w)
			}
			return v, err
		}
	}},
	{"wakes in Close", "law 6", func(s *mutant[int]) {
		var last pipeline.Waker = deaf{}
		s.poll = func(w pipeline.Waker) (int, error) { last = w; return s.src.Poll(w) }
		s.close = func() { s.src.Close(); last.Wake() }
	}},
	{"wraps ErrPending", "wrapped", func(s *mutant[int]) {
		s.poll = func(w pipeline.Waker) (int, error) {
			v, err := s.src.Poll(w)
			if err != nil && err != io.EOF {
				err = fmt.Errorf("waiting: %w", err)
			}
			return v, err
		}
	}},
	{"hides the failure of upstream", "the end was", func(s *mutant[int]) {
		s.poll = func(w pipeline.Waker) (int, error) {
			v, err := s.src.Poll(w)
			if err != nil && err != io.EOF && err != pipeline.ErrPending {
				err = errors.New("something failed")
			}
			return v, err
		}
	}},
	{"changes a value", "the values were", func(s *mutant[int]) {
		s.poll = func(w pipeline.Waker) (int, error) {
			v, err := s.src.Poll(w)
			return v + v/3, err
		}
	}},
	{"never ends", "had not ended", func(s *mutant[int]) {
		s.poll = func(w pipeline.Waker) (int, error) { w.Wake(); return 0, pipeline.ErrPending }
	}},
}

// eager is a waker that polls.
type eager struct {
	src pipeline.Source[int]
	w   pipeline.Waker
}

func (e eager) Wake() {
	_, _ = e.src.Poll(e.w)
	e.w.Wake()
}

func TestStageMutantsAreCaught(t *testing.T) {
	for _, m := range stageMutants {
		t.Run(m.name, func(t *testing.T) {
			in := []int{1, 2, 3, 4, 5}
			for seed := range uint64(5) {
				var r recorder
				TestStage(&r, StageCase[int, int]{
					Stage: func(src pipeline.Source[int]) pipeline.Source[int] {
						s := &mutant[int]{src: src}
						m.mutate(s)
						return s
					},
					In: in, Want: in, Seed: seed + 1,
				})
				expect(t, &r, m.want)
			}
		})
	}
}
