package pipeline_test

import (
	"errors"
	"io"
	"iter"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// count yields the numbers from 1 to n.
func count(n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for v := 1; v <= n; v++ {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func TestFromIter(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(*pipelinetest.Turn) pipeline.Source[int] { return pipeline.FromIter(count(3)) },
		Want: []int{1, 2, 3},
	})
}

func TestFromIterEndsWithTheFirstError(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(*pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.FromIter(func(yield func(int, error) bool) {
				_ = yield(1, nil) && yield(2, errTest) && yield(3, nil)
			})
		},
		Want: []int{1}, WantEnd: errTest,
	})
}

func TestFromIterDoesNotPassOnErrPending(t *testing.T) {
	_, err := drain(t, pipeline.FromIter(func(yield func(int, error) bool) { yield(0, pipeline.ErrPending) }))
	if err == nil || errors.Is(err, pipeline.ErrPending) {
		t.Errorf("the stream ended with %v, an error that says what must not be yielded was expected", err)
	}
}

// However much of it was read, a sequence that has started ends, once, at Close at the latest.
func TestFromIterStopsTheSequenceOnce(t *testing.T) {
	for reads := range 5 {
		turn := pipelinetest.NewTurn(t, 1)
		started, ended := 0, 0
		src := pipeline.FromIter(func(yield func(int, error) bool) {
			started++
			defer func() { ended++ }()
			count(3)(yield)
		})
		for range reads {
			_, _ = pipelinetest.Poll(turn, src)
		}
		pipelinetest.Close(turn, src)
		if want := min(reads, 1); started != want || ended != want {
			t.Errorf("after %d polls and Close the sequence had started %d times and ended %d times, %d was expected",
				reads, started, ended, want)
		}
	}
}

func ExampleFromIter() {
	squares := func(yield func(int, error) bool) {
		for n := 1; n < 4; n++ {
			if !yield(n*n, nil) {
				return
			}
		}
		yield(0, io.ErrUnexpectedEOF)
	}
	show(pipeline.FromIter(squares))
	// Output:
	// 1
	// 4
	// 9
	// unexpected EOF
}
