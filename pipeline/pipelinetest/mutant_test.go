package pipelinetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// recorder is a Reporter that keeps what it is told.
type recorder struct{ failures []string }

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// mutant is a stage that passes on what it gets, but for the methods that a test gives it.
type mutant[T any] struct {
	src   pipeline.Source[T]
	poll  func(w pipeline.Waker) (T, error)
	close func()
}

func (s *mutant[T]) Poll(w pipeline.Waker) (T, error) {
	if s.poll != nil {
		return s.poll(w)
	}
	return s.src.Poll(w)
}

func (s *mutant[T]) Close() {
	if s.close != nil {
		s.close()
		return
	}
	s.src.Close()
}

// deaf is a waker that nobody hears.
type deaf struct{}

func (deaf) Wake() {}

// expect checks that there was one failure, which says want, or none if want is empty.
func expect(t *testing.T, r *recorder, want string) {
	t.Helper()
	switch {
	case want == "" && len(r.failures) > 0:
		t.Errorf("a stage that keeps the laws was reported: %s", r.failures)
	case want != "" && len(r.failures) == 0:
		t.Errorf("the mutant was not caught, a failure with %q was expected", want)
	case want != "" && (len(r.failures) > 1 || !strings.Contains(r.failures[0], want)):
		t.Errorf("one failure with %q was expected, these were reported:\n%s", want, strings.Join(r.failures, "\n"))
	case want != "" && !strings.Contains(r.failures[0], "seed"):
		t.Errorf("the failure does not name its seed: %s", r.failures[0])
	}
}
