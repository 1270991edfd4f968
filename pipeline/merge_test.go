package pipeline_test

import (
	"io"
	"slices"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// eachInOrder reports whether the values of each source are all there, in their order. Values are numbered within the
// hundred of their source.
func eachInOrder(got, want []int) bool {
	byHundred := func(a, b int) int { return a/100 - b/100 }
	got = slices.Clone(got)
	slices.SortStableFunc(got, byHundred)
	return slices.Equal(got, want)
}

func TestMerge(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.Merge[int](
				pipelinetest.Stream(turn, []int{101, 102, 103}, nil),
				pipelinetest.Stream(turn, []int{201}, nil),
				pipelinetest.Stream[int](turn, nil, nil),
				pipelinetest.Stream(turn, []int{401, 402, 403, 404, 405}, nil),
			)
		},
		Want: []int{101, 102, 103, 201, 401, 402, 403, 404, 405},
		Same: eachInOrder,
	})
}

func TestMergeOfOneIsAStage(t *testing.T) {
	pipelinetest.TestStage(t, pipelinetest.StageCase[int, int]{
		Stage: func(src pipeline.Source[int]) pipeline.Source[int] { return pipeline.Merge(src) },
		In:    []int{1, 2, 3}, Want: []int{1, 2, 3},
	})
}

func TestMergeEndsWithTheFailureOfOne(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.Merge[int](
				pipelinetest.Stream(turn, []int{1}, errTest),
				pipelinetest.Watch(turn, pipelinetest.NewScript(turn, []pipelinetest.Step[int]{
					{Err: pipeline.ErrPending, When: pipelinetest.Never},
				})),
			)
		},
		Want: []int{1}, WantEnd: errTest,
	})
}

func TestMergeOfNothingIsEmpty(t *testing.T) {
	wantStream(t, "no sources", pipeline.Merge[int](), nil, io.EOF)
}

func TestMergeIsFair(t *testing.T) {
	src := pipeline.Merge(
		pipeline.FromSlice([]int{101, 102, 103}), pipeline.FromSlice([]int{201, 202}), pipeline.FromSlice([]int{301, 302, 303}))
	wantStream(t, "three sources that are always ready", src, []int{101, 201, 301, 102, 202, 302, 103, 303}, io.EOF)
}

func TestMergePollsOnlyWhatWasWoken(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	queues := make([]*pipeline.Queue[int], 3)
	watched := make([]*pipelinetest.Watched[int], 3)
	sources := make([]pipeline.Source[int], 3)
	for i := range queues {
		queues[i] = pipeline.NewQueue[int](turn, 4, pipeline.Refuse)
		watched[i] = pipelinetest.Watch(turn, queues[i])
		sources[i] = watched[i]
	}
	src := pipeline.Merge(sources...)
	poll := func(wantValue int, wantErr error, wantPolls [3]int) {
		t.Helper()
		v, err := pipelinetest.Poll(turn, src)
		polls := [3]int{watched[0].Polls, watched[1].Polls, watched[2].Polls}
		if v != wantValue || err != wantErr || polls != wantPolls {
			t.Errorf("Poll returned %d and %v after polls %v; %d, %v and %v were expected",
				v, err, polls, wantValue, wantErr, wantPolls)
		}
	}
	poll(0, pipeline.ErrPending, [3]int{1, 1, 1})
	poll(0, pipeline.ErrPending, [3]int{1, 1, 1})
	push(t, queues[1], 5)
	turn.Step()
	if !turn.Woken() {
		t.Error("a source of the merge was woken, but who waits for the merge was not")
	}
	poll(5, nil, [3]int{1, 2, 1})
	poll(0, pipeline.ErrPending, [3]int{1, 3, 1})
	pipelinetest.Close(turn, src)
}

// A source that wakes itself each time it is polled must not keep the merge from returning.
func TestMergeLetsTheLoopGo(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	restless := pipelinetest.Watch(turn, pipelinetest.NewScript(turn, slices.Repeat(
		[]pipelinetest.Step[int]{{Err: pipeline.ErrPending, When: pipelinetest.AtOnce}}, 1000)))
	src := pipeline.Merge[int](restless, pipelinetest.Stream[int](turn, nil, nil))
	_, err := pipelinetest.Poll(turn, src)
	if err != pipeline.ErrPending || !turn.Woken() || restless.Polls != 1 {
		t.Errorf("Poll returned %v after %d polls of the source that wakes itself; "+
			"ErrPending, a wake at once and one poll were expected", err, restless.Polls)
	}
	pipelinetest.Close(turn, src)
}

// wakesAtTheEnd wakes its waker in the very Poll that ends it.
type wakesAtTheEnd struct{ pipeline.Source[int] }

func (wakesAtTheEnd) Poll(w pipeline.Waker) (int, error) {
	w.Wake()
	return 0, io.EOF
}

func TestMergeForgetsABranchThatWokeItselfAndEnded(t *testing.T) {
	src := pipeline.Merge[int](wakesAtTheEnd{pipeline.Empty[int]()}, pipeline.FromSlice([]int{1, 2}))
	wantStream(t, "one source wakes and ends in one Poll", src, []int{1, 2}, io.EOF)
}

// hand is a source whose waker the test wakes by hand.
type hand struct {
	waker pipeline.Waker
	polls int
}

func (s *hand) Poll(w pipeline.Waker) (int, error) {
	s.waker = w
	s.polls++
	return 0, pipeline.ErrPending
}

func (s *hand) Close() {}

// wakes is a waker that counts.
type wakes int

func (n *wakes) Wake() { *n++ }

func TestMergeIsWokenOnceHoweverOftenItsSourcesAre(t *testing.T) {
	first, second, woken := new(hand), new(hand), new(wakes)
	src := pipeline.Merge[int](first, second)
	_, _ = src.Poll(woken)
	for range 3 {
		first.waker.Wake()
		second.waker.Wake()
	}
	_, _ = src.Poll(woken)
	if *woken != 1 || first.polls != 2 || second.polls != 2 {
		t.Errorf("six wakes of two sources made %d wakes, and %d and %d polls; 1, 2 and 2 were expected",
			*woken, first.polls, second.polls)
	}
}

func TestMergeDoesNotWakeWhoHasItsValue(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	source, woken := new(hand), new(wakes)
	q := pipeline.NewQueue[int](turn, 1, pipeline.Refuse)
	src := pipeline.Merge[int](source, q)
	_, _ = src.Poll(new(wakes))
	push(t, q, 1)
	turn.Step()
	if v, err := src.Poll(woken); v != 1 || err != nil {
		t.Errorf("Poll returned %d and %v, the value that was pushed was expected", v, err)
	}
	source.waker.Wake()
	if *woken != 0 {
		t.Error("a source woke a consumer that does not wait")
	}
	src.Close()
}

func TestMergeWakesNobodyWhileItCloses(t *testing.T) {
	second, woken := new(hand), new(wakes)
	first := pipeline.OnClose[int](new(hand), func() { second.waker.Wake() })
	src := pipeline.Merge[int](first, second)
	_, _ = src.Poll(woken)
	src.Close()
	if *woken != 0 {
		t.Error("closing one source woke another, and that woke who had closed the merge")
	}
}

func ExampleMerge() {
	show(pipeline.Merge(pipeline.FromSlice([]string{"a", "b"}), pipeline.FromSlice([]string{"1", "2", "3"})))
	// Output:
	// a
	// 1
	// b
	// 2
	// 3
	// EOF
}
