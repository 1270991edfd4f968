package pipeline_test

import (
	"errors"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func push[T any](t *testing.T, q *pipeline.Queue[T], values ...T) {
	t.Helper()
	for _, v := range values {
		if err := q.Push(v); err != nil {
			t.Errorf("Push(%v) returned %v, but there is room", v, err)
		}
	}
}

// A queue that is pushed to and finished at any time, and closed at any time, keeps the laws.
func TestQueue(t *testing.T) {
	for _, end := range []error{nil, errTest} {
		pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
			Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
				q := pipeline.NewQueue[int](turn, 3, pipeline.Refuse)
				v := 1
				var produce func()
				produce = func() {
					switch err := q.Push(v); err {
					case nil:
						v++
					case pipeline.ErrClosed:
						return
					}
					if v > 8 {
						q.Finish(end)
						return
					}
					turn.Later(produce)
				}
				turn.Later(produce)
				return endless{q, turn}
			},
			Want: []int{1, 2, 3, 4, 5, 6, 7, 8}, WantEnd: end,
		})
	}
}

// endless keeps a step waiting as long as its queue is full, as a producer does that tries again: it steps when polled.
type endless struct {
	*pipeline.Queue[int]
	turn *pipelinetest.Turn
}

func (s endless) Poll(w pipeline.Waker) (int, error) {
	defer s.turn.Step()
	return s.Queue.Poll(w)
}

func TestQueuePolicies(t *testing.T) {
	for _, c := range []struct {
		name    string
		policy  pipeline.FullPolicy
		err     error
		dropped uint64
		want    []int
	}{
		{"Refuse", pipeline.Refuse, pipeline.ErrFull, 0, []int{1, 2, 3}},
		{"DropOldest", pipeline.DropOldest, nil, 2, []int{3, 4, 5}},
		{"DropNewest", pipeline.DropNewest, nil, 2, []int{1, 2, 3}},
	} {
		q := pipeline.NewQueue[int](pipelinetest.NewTurn(t, 1), 3, c.policy)
		push(t, q, 1, 2, 3)
		for _, v := range []int{4, 5} {
			if err := q.Push(v); err != c.err {
				t.Errorf("%s: Push to a full queue returned %v, %v was expected", c.name, err, c.err)
			}
		}
		if q.Dropped() != c.dropped {
			t.Errorf("%s: %d values were dropped, %d were expected", c.name, q.Dropped(), c.dropped)
		}
		q.Finish(nil)
		wantStream(t, c.name, q, c.want, io.EOF)
	}
}

// Whatever becomes of a value, it is released once: by its receiver, by the policy, or by Close.
func TestQueueReleasesEachValueOnce(t *testing.T) {
	for _, policy := range []pipeline.FullPolicy{pipeline.Refuse, pipeline.DropOldest, pipeline.DropNewest} {
		for read := range 3 {
			turn := pipelinetest.NewTurn(t, 1)
			q := pipeline.NewQueue[*pipelinetest.Resource](turn, 3, policy)
			for range 5 {
				v := pipelinetest.NewResource(turn, "a value")
				if q.Push(v) == pipeline.ErrFull {
					v.Close() // it stayed the caller's
				}
			}
			for range read {
				v, err := pipelinetest.Poll(turn, q)
				if err != nil {
					t.Fatalf("Poll returned %v, but there are values", err)
				}
				v.Close()
			}
			pipelinetest.Close(turn, q)
		}
	}
}

func TestQueueIsWokenByOnePostForManyPushes(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	q := pipeline.NewQueue[int](turn, 100, pipeline.Refuse)
	push(t, q, 1)
	if turn.Step() {
		t.Error("a push to a queue that nobody waits for posted something")
	}
	poll := func(want int, wantErr error) {
		t.Helper()
		if v, err := pipelinetest.Poll(turn, q); v != want || err != wantErr {
			t.Errorf("Poll returned %d and %v, %d and %v were expected", v, err, want, wantErr)
		}
	}
	poll(1, nil)
	poll(0, pipeline.ErrPending)
	push(t, q, 2, 3, 4)
	poll(2, nil) // of its own accord, while the post waits
	poll(3, nil)
	poll(4, nil)
	poll(0, pipeline.ErrPending)
	if !turn.Step() || !turn.Woken() {
		t.Error("the post that waited should wake who waits again")
	}
	poll(0, pipeline.ErrPending)
	push(t, q, 5)
	if turn.Woken() {
		t.Error("Push itself woke the consumer, but it may be called on any goroutine")
	}
	if !turn.Step() || !turn.Woken() || turn.Step() {
		t.Error("many pushes to a queue that is waited for should post once, and that should wake")
	}
	poll(5, nil)
	pipelinetest.Close(turn, q)
}

func TestQueueDoesNotWakeWhoHasItsValue(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	q := pipeline.NewQueue[int](turn, 4, pipeline.Refuse)
	_, _ = q.Poll(turn)
	push(t, q, 1)
	_, _ = q.Poll(turn) // has the value before the post runs
	turn.Step()
	if turn.Woken() {
		t.Error("a consumer that does not wait was woken")
	}
	push(t, q, 2)
	if turn.Step() {
		t.Error("a push to a queue that nobody waits for posted something")
	}
	q.Close()
}

func TestFinishWakesWhoWaits(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	q := pipeline.NewQueue[int](turn, 4, pipeline.Refuse)
	_, _ = q.Poll(turn)
	q.Finish(nil)
	if !turn.Step() || !turn.Woken() {
		t.Error("the queue was finished, but who waits for it was not woken")
	}
	wantStream(t, "a queue that is finished", q, nil, io.EOF)
}

func TestQueueRefusesWhenItIsOver(t *testing.T) {
	for _, over := range []func(q *pipeline.Queue[int]){
		func(q *pipeline.Queue[int]) { q.Close() },
		func(q *pipeline.Queue[int]) { q.Finish(nil) },
	} {
		q := pipeline.NewQueue[int](pipelinetest.NewTurn(t, 1), 1, pipeline.Refuse)
		over(q)
		if err := q.Push(1); err != pipeline.ErrClosed {
			t.Errorf("Push to a queue that is over returned %v, ErrClosed was expected", err)
		}
	}
}

func TestQueueKeepsItsFirstEnd(t *testing.T) {
	q := pipeline.NewQueue[int](pipelinetest.NewTurn(t, 1), 1, pipeline.Refuse)
	q.Finish(errTest)
	q.Finish(nil)
	wantStream(t, "the first Finish counts", q, nil, errTest)
	q.Finish(nil)
	if _, err := q.Poll(pipelinetest.NewTurn(t, 1)); err != errTest {
		t.Errorf("after Close the queue ends with %v, the end it had reached was expected", err)
	}
}

func TestQueueDoesNotPassOnErrPending(t *testing.T) {
	q := pipeline.NewQueue[int](pipelinetest.NewTurn(t, 1), 1, pipeline.Refuse)
	q.Finish(pipeline.ErrPending)
	if _, err := drain(t, q); err == nil || errors.Is(err, pipeline.ErrPending) {
		t.Errorf("the stream ended with %v, an error that says what cannot be an end was expected", err)
	}
}

func TestQueueClosedWithValuesLeftHasNotEnded(t *testing.T) {
	q := pipeline.NewQueue[int](pipelinetest.NewTurn(t, 1), 1, pipeline.Refuse)
	push(t, q, 1)
	q.Finish(nil)
	closed(t, "Queue", q)
}

func TestQueueTellsWhoPushesThatItIsClosed(t *testing.T) {
	q := pipeline.NewQueue[int](pipelinetest.NewTurn(t, 1), 1, pipeline.Refuse)
	select {
	case <-q.Done():
		t.Error("Done was closed before the queue was")
	default:
	}
	q.Close()
	q.Close()
	select {
	case <-q.Done():
	default:
		t.Error("the queue was closed, but Done was not")
	}
}

// A loop that has stopped never polls or closes, so the queue closes itself, and nothing leaks.
func TestQueueOfAStoppedLoopIsClosed(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	q := pipeline.NewQueue[*pipelinetest.Resource](turn, 1, pipeline.Refuse)
	_, _ = pipelinetest.Poll(turn, q)
	turn.Stop()
	if err := q.Push(pipelinetest.NewResource(turn, "the value")); err != pipelinetest.ErrStopped {
		t.Errorf("Push returned %v, the loop's refusal was expected", err)
	}
	select {
	case <-q.Done():
	default:
		t.Error("the loop has stopped, but Done does not say so")
	}
	pipelinetest.Close(turn, q)
}

func TestQueueRefusesANonsensicalCapacity(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a queue of capacity 0 was made, a panic was expected")
		}
	}()
	pipeline.NewQueue[int](pipelinetest.NewTurn(t, 1), 0, pipeline.Refuse)
}

// posts is a loop's door: what is posted is run by the goroutine that receives.
type posts chan func()

func (p posts) Post(f func()) error {
	p <- f
	return nil
}

// Values from many goroutines all arrive, each goroutine's in order, while the loop runs on its own.
func TestQueueFromManyGoroutines(t *testing.T) {
	const producers, each = 8, 1000
	loop := make(posts, 1) // room for the one post that a queue may have waiting
	q := pipeline.NewQueue[[2]int](loop, 64, pipeline.Refuse)
	var producing sync.WaitGroup
	for p := range producers {
		producing.Go(func() {
			for v := 0; v < each; {
				switch err := q.Push([2]int{p, v}); err {
				case nil:
					v++
				case pipeline.ErrFull: // again
				default:
					t.Errorf("Push returned %v, but the queue is open", err)
					return
				}
			}
		})
	}
	go func() {
		producing.Wait()
		q.Finish(nil)
	}()
	next := make([]int, producers)
	w := new(task)
	for {
		v, err := q.Poll(w)
		if err == nil {
			if v[1] != next[v[0]] {
				t.Fatalf("goroutine %d's value %d came, %d was expected", v[0], v[1], next[v[0]])
			}
			next[v[0]]++
			continue
		}
		if err != pipeline.ErrPending {
			break
		}
		for w.woken = false; !w.woken; {
			(<-loop)()
		}
	}
	if !slices.Equal(next, slices.Repeat([]int{each}, producers)) {
		t.Errorf("of each goroutine %v values came, %d were expected", next, each)
	}
	q.Close()
}

// Close while others push: each value is released once, or stays with its producer.
func TestQueueClosedWhileOthersPush(t *testing.T) {
	loop := make(posts, 1)
	q := pipeline.NewQueue[*counted](loop, 4, pipeline.DropOldest)
	values := make(chan *counted, 4000)
	var producing sync.WaitGroup
	for range 4 {
		producing.Go(func() {
			for range 1000 {
				v := new(counted)
				values <- v
				if err := q.Push(v); errors.Is(err, pipeline.ErrClosed) {
					v.Close()
				}
			}
		})
	}
	for range 10 {
		if v, err := q.Poll(new(task)); err == nil {
			v.Close()
		}
	}
	q.Close()
	producing.Wait()
	close(values)
	for v := range values {
		if v.closes != 1 {
			t.Fatalf("a value was released %d times, once was expected", v.closes)
		}
	}
}

// counted counts how often it was closed.
type counted struct{ closes int }

func (c *counted) Close() { c.closes++ }
