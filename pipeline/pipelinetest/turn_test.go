package pipelinetest

import (
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

func TestPostsRunInOrder(t *testing.T) {
	turn := NewTurn(t, 1)
	var ran []int
	for i := range 5 {
		turn.Later(func() {})
		if err := turn.Post(func() { ran = append(ran, i) }); err != nil {
			t.Errorf("a turn that was not stopped refused to post: %v", err)
		}
	}
	for turn.Step() {
	}
	if want := []int{0, 1, 2, 3, 4}; !slices.Equal(ran, want) {
		t.Errorf("the posts ran in the order %v, %v was expected", ran, want)
	}
}

func TestPostFromOtherGoroutines(t *testing.T) {
	turn := NewTurn(t, 1)
	ran := 0
	var posting sync.WaitGroup
	for range 8 {
		posting.Go(func() {
			if err := turn.Post(func() { ran++ }); err != nil {
				t.Errorf("a turn that was not stopped refused to post: %v", err)
			}
		})
	}
	posting.Wait()
	for turn.Step() {
	}
	if ran != 8 {
		t.Errorf("%d posts ran, 8 were expected", ran)
	}
}

func TestStoppedTurnRefuses(t *testing.T) {
	turn := NewTurn(t, 1)
	turn.Stop()
	if err := turn.Post(func() {}); err != ErrStopped {
		t.Errorf("Post after Stop returned %v, ErrStopped was expected", err)
	}
	if err := turn.Submit(func() {}); err != ErrStopped {
		t.Errorf("Submit after Stop returned %v, ErrStopped was expected", err)
	}
	if turn.Step() {
		t.Error("a stopped turn had something to run, though it has refused everything")
	}
}

// A Script does as its steps say; the ways to wake are seen from outside.
func TestScriptWakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		when  When
		steps []bool // after each step of the turn: was the stream woken?
		polls int    // how many polls until the value is there, one after each wake
	}{
		{"at once", AtOnce, []bool{true}, 2},
		{"later", Later, []bool{false, true}, 2},
		{"spuriously", Spurious, []bool{false, true, true}, 3},
		{"never", Never, []bool{false, false}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			turn := NewTurn(t, 1)
			src := NewScript(turn, []Step[int]{{Err: pipeline.ErrPending, When: c.when}, {Value: 7}})
			polls := 1
			_, err := src.Poll(turn)
			for i, want := range c.steps {
				if i > 0 {
					turn.Step()
				}
				woken := turn.Woken()
				if woken != want {
					t.Errorf("after %d steps it was said that the stream was woken: %v; %v was expected", i, woken, want)
				}
				if woken {
					polls++
					_, err = src.Poll(turn)
				}
			}
			if polls != c.polls {
				t.Errorf("the stream was polled %d times, %d were expected", polls, c.polls)
			}
			if ready := err == nil; ready != (c.when != Never) {
				t.Errorf("the last Poll returned %v, but a value comes after each wake, and none without it", err)
			}
		})
	}
}

func TestDrainReportsALostWakeup(t *testing.T) {
	var r recorder
	turn := NewTurn(&r, 1)
	got, err := Drain(turn, NewScript(turn, []Step[int]{{Value: 1}, {Err: pipeline.ErrPending, When: Never}}))
	if !slices.Equal(got, []int{1}) || err != pipeline.ErrPending {
		t.Errorf("Drain returned %v and %v, the value before the wait and ErrPending were expected", got, err)
	}
	expect(t, &r, "law 4")
}

func TestDrainReturnsTheEnd(t *testing.T) {
	failure := errors.New("failed")
	for _, end := range []error{nil, failure} {
		turn := NewTurn(t, 1)
		src := Stream(turn, []int{1, 2, 3}, end)
		got, err := Drain(turn, src)
		if !slices.Equal(got, []int{1, 2, 3}) || err != endOf(end) {
			t.Errorf("Drain returned %v and %v, all the values and %v were expected", got, err, endOf(end))
		}
		Close(turn, src)
		if src.Closes != 2 || src.Polls < 4 {
			t.Errorf("%d polls and %d closes were counted, at least 4 and 2 were expected", src.Polls, src.Closes)
		}
	}
}

func TestSeedComesFromTheEnvironment(t *testing.T) {
	t.Setenv("PIPELINETEST_SEED", "1234")
	if seed := seedOf(t, 0); seed != 1234 {
		t.Errorf("the seed was %d, that of the environment, 1234, was expected", seed)
	}
	if seed := seedOf(t, 5); seed != 5 {
		t.Errorf("the seed was %d, that of the case, 5, was expected", seed)
	}
	t.Setenv("PIPELINETEST_SEED", "many")
	var r recorder
	seedOf(&r, 0)
	if len(r.failures) != 1 {
		t.Errorf("a seed that is not a number was reported as %q, one failure was expected", r.failures)
	}
}

func TestStreamIsTheSameForTheSameSeed(t *testing.T) {
	count := func() int {
		turn := NewTurn(t, 42)
		src := Stream(turn, make([]int, 100), io.EOF)
		_, _ = Drain(turn, src)
		return src.Polls
	}
	if first, second := count(), count(); first != second {
		t.Errorf("one seed made a stream of %d polls, then of %d", first, second)
	}
}
