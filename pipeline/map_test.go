package pipeline_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

var errTest = errors.New("failed for a test")

// mapping returns Map with f as a stage.
func mapping[In, Out any](f func(In) (Out, error)) pipeline.Stage[In, Out] {
	return func(src pipeline.Source[In]) pipeline.Source[Out] { return pipeline.Map(src, f) }
}

func double(v int) (int, error) { return 2 * v, nil }

func decimal(v int) (string, error) { return strconv.Itoa(v), nil }

func TestMap(t *testing.T) {
	pipelinetest.TestStage(t, pipelinetest.StageCase[int, string]{
		Stage: mapping(decimal),
		In:    []int{1, 2, 3},
		Model: func(in []int, end error) (out []string, _ error) {
			for _, v := range in {
				out = append(out, strconv.Itoa(v))
			}
			return out, end
		},
	})
}

func TestMapEndsWithTheErrorOfItsFunction(t *testing.T) {
	pipelinetest.TestStage(t, pipelinetest.StageCase[int, int]{
		Stage: mapping(func(v int) (int, error) {
			if v == 3 {
				return 33, errTest
			}
			return v, nil
		}),
		In: []int{1, 2, 3, 4}, Want: []int{1, 2}, WantEnd: errTest,
	})
}

func TestMapDoesNotPassOnErrPendingFromItsFunction(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.Map(pipeline.Once(1), func(int) (int, error) { return 0, pipeline.ErrPending })
	_, err := pipelinetest.Drain(turn, src)
	if err == nil || err == io.EOF || errors.Is(err, pipeline.ErrPending) {
		t.Errorf("the stream ended with %v, an error that says what the function must not return was expected", err)
	}
}

func TestMapLeavesUpstreamOpenUntilClose(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	up := pipelinetest.Stream(turn, []int{1, 2}, nil)
	src := pipeline.Map(up, func(int) (int, error) { return 0, errTest })
	_, _ = pipelinetest.Drain(turn, src)
	if up.Closes != 0 {
		t.Error("the function's error closed upstream, but whoever polls also closes")
	}
	pipelinetest.Close(turn, src)
}

func TestMapOfMapIsMapOfBoth(t *testing.T) {
	both := mapping(func(v int) (string, error) { return strconv.Itoa(2 * v), nil })
	two := pipeline.Join(mapping(double), mapping(decimal))
	for _, stage := range []pipeline.Stage[int, string]{both, two} {
		pipelinetest.TestStage(t, pipelinetest.StageCase[int, string]{
			Stage: stage, In: []int{1, 2, 3}, Want: []string{"2", "4", "6"},
		})
	}
}

// drain reads src to its end and closes it.
func drain[T any](t *testing.T, src pipeline.Source[T]) ([]T, error) {
	t.Helper()
	turn := pipelinetest.NewTurn(t, 1)
	got, err := pipelinetest.Drain(turn, src)
	pipelinetest.Close(turn, src)
	return got, err
}

// wantStream checks that src gives these values and this end.
func wantStream[T comparable](t *testing.T, why string, src pipeline.Source[T], values []T, end error) {
	t.Helper()
	got, err := drain(t, src)
	if !slices.Equal(got, values) || err != end {
		t.Errorf("%s: got %v and %v, but %v and %v were expected", why, got, err, values, end)
	}
}

// A stage hands its first Close on, and no other.
func TestCloseGoesUpstreamOnce(t *testing.T) {
	numbers := map[string]pipeline.Stage[int, int]{
		"Map":     mapping(double),
		"Filter":  func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.Filter(src, even) },
		"Merge":   func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.Merge(src) },
		"Concat":  func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.Concat(src) },
		"Inspect": pass[int],
		"OnClose": func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.OnClose(src, func() {}) },
	}
	for name, stage := range numbers {
		closedOnce(t, name, stage)
	}
	closedOnce(t, "Flatten", pipeline.Flatten[int])
	closedOnce(t, "Limit", func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return pipeline.Limit(src, 1) })
	closedOnce(t, "Collect", func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return pipeline.Collect(src, 1) })
	closedOnce(t, "Lines", lines(1))
}

func pass[T any](src pipeline.Source[T]) pipeline.Source[T] {
	return pipeline.Inspect(src, func(T, error) {})
}

func closedOnce[In, Out any](t *testing.T, name string, stage pipeline.Stage[In, Out]) {
	t.Helper()
	turn := pipelinetest.NewTurn(t, 1)
	up := pipelinetest.Watch(turn, pipeline.Empty[In]())
	pipelinetest.Close(turn, stage(up)) // closes twice
	if up.Closes != 1 {
		t.Errorf("%s was closed twice and closed upstream %d times, once was expected", name, up.Closes)
	}
}

// What a source has ended with it keeps, closed or not.
func TestPollAfterEndAndCloseReturnsTheEnd(t *testing.T) {
	for name, src := range map[string]pipeline.Source[int]{
		"Map":       pipeline.Map(pipeline.Empty[int](), double),
		"Merge":     pipeline.Merge(pipeline.Empty[int]()),
		"FromSlice": pipeline.FromSlice([]int{1}),
		"FromIter":  pipeline.FromIter(count(1)),
	} {
		if _, err := drain(t, src); err != io.EOF {
			t.Errorf("%s ended with %v, io.EOF was expected", name, err)
		}
		if _, err := src.Poll(pipelinetest.NewTurn(t, 1)); err != io.EOF {
			t.Errorf("%s was closed after its end, then Poll returned %v, io.EOF was expected", name, err)
		}
	}
}

// A source that is closed before its end ends there: what was left does not come, and nobody takes the cut for the end.
func TestPollAfterCloseReturnsErrClosed(t *testing.T) {
	one := func() pipeline.Source[int] { return pipeline.Once(1) }
	text := func() pipeline.Source[[]byte] { return pipeline.Once([]byte("a\nb")) }
	all := func(int) bool { return true }
	closed(t, "Map", pipeline.Map(one(), double))
	closed(t, "Filter", pipeline.Filter(one(), all))
	closed(t, "Flatten", pipeline.Flatten(pipeline.Once(one())))
	closed(t, "Concat", pipeline.Concat(one(), one()))
	closed(t, "Merge", pipeline.Merge(one(), one()))
	closed(t, "Limit", pipeline.Limit(text(), 10))
	closed(t, "Collect", pipeline.Collect(text(), 10))
	closed(t, "Lines", pipeline.Lines(text(), 10))
	closed(t, "FromSlice", pipeline.FromSlice([]int{1, 2}))
	closed(t, "FromIter", pipeline.FromIter(count(2)))
	closed(t, "Inspect", pipeline.Inspect(one(), func(int, error) {}))
	closed(t, "OnClose", pipeline.OnClose(one(), func() {}))
}

func closed[T any](t *testing.T, name string, src pipeline.Source[T]) {
	t.Helper()
	src.Close()
	for range 2 {
		if _, err := src.Poll(pipelinetest.NewTurn(t, 1)); err != pipeline.ErrClosed {
			t.Errorf("%s was closed before its end, then Poll returned %v, ErrClosed was expected", name, err)
		}
	}
}

func ExampleMap() {
	src := pipeline.Map(pipeline.FromSlice([]int{1, 2, 3}), func(v int) (string, error) {
		return fmt.Sprintf("number %d", v), nil
	})
	show(src)
	// Output:
	// number 1
	// number 2
	// number 3
	// EOF
}
