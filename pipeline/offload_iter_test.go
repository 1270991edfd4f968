package pipeline_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// rows is an iterator as a database has one: it counts what it has given and must be ended once.
type rows struct {
	made, begun, ended, refused int
	ctx                         context.Context
	block                       func(v int) // called before each value is made
}

// query returns the sequence of n values, after which comes err.
func query[T any](r *rows, n int, value func(int) T, err error) func(context.Context) iter.Seq2[T, error] {
	return func(ctx context.Context) iter.Seq2[T, error] {
		r.ctx = ctx
		return func(yield func(T, error) bool) {
			r.begun++
			defer func() { r.ended++ }()
			for v := 1; v <= n; v++ {
				if r.block != nil {
					r.block(v)
				}
				r.made++
				if !yield(value(v), nil) {
					r.refused++
					return
				}
			}
			if err != nil {
				var zero T
				if !yield(zero, err) {
					r.refused++
				}
			}
		}
	}
}

// check checks that the iterator has ended if it has begun, and how often it was refused to go on.
func (r *rows) check(t *testing.T, why string, begun, refused int) {
	t.Helper()
	if r.begun != begun || r.ended != begun || r.refused != refused {
		t.Errorf("%s: the iterator has begun %d times, ended %d times and was told to stop %d times; %d, %d and %d were expected",
			why, r.begun, r.ended, r.refused, begun, begun, refused)
	}
}

func upTo(n int) (all []int) {
	for v := 1; v <= n; v++ {
		all = append(all, v)
	}
	return all
}

// limited reports a source that makes more values than it may before they are asked for.
type limited struct {
	pipeline.Source[int]
	t     *testing.T
	rows  *rows
	ahead int
	given int
}

func (s *limited) Poll(w pipeline.Waker) (int, error) {
	s.check()
	v, err := s.Source.Poll(w)
	if err == nil {
		s.given++
	}
	s.check()
	return v, err
}

func (s *limited) check() {
	if s.rows.made > s.given+s.ahead {
		s.t.Errorf("%d values were made when %d had been given, but no more than %d ahead were expected", s.rows.made, s.given, s.ahead)
	}
}

func TestOffloadIter(t *testing.T) {
	for _, ahead := range []int{1, 2, 3, 7, 100} {
		for _, end := range []error{nil, errTest} {
			pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
				Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
					r := new(rows)
					return &limited{pipeline.OffloadIter(turn, turn, ahead, query(r, 9, same, end)), t, r, ahead, 0}
				},
				Want: upTo(9), WantEnd: end,
			})
		}
	}
}

// At whatever point it is closed, each value is released once, and an iterator that has begun is ended once.
func TestOffloadIterReleasesEachValueOnce(t *testing.T) {
	for _, ahead := range []int{1, 2, 5} {
		pipelinetest.TestSource(t, pipelinetest.SourceCase[*pipelinetest.Resource]{
			Make: func(turn *pipelinetest.Turn) pipeline.Source[*pipelinetest.Resource] {
				return pipeline.OffloadIter(turn, turn, ahead, func(context.Context) iter.Seq2[*pipelinetest.Resource, error] {
					return func(yield func(*pipelinetest.Resource, error) bool) {
						defer pipelinetest.NewResource(turn, "the iterator").Close()
						for v := 1; v <= 4; v++ {
							if !yield(pipelinetest.NewResource(turn, fmt.Sprintf("value %d", v)), nil) {
								return
							}
						}
					}
				})
			},
			Want: make([]*pipelinetest.Resource, 4),
			Same: func(got, want []*pipelinetest.Resource) bool { return len(got) == len(want) },
		})
	}
}

func TestOffloadIterBeginsOnDemand(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	r := new(rows)
	src := pipeline.OffloadIter(turn, turn, 4, query(r, 9, same, nil))
	if turn.Step() {
		t.Error("a batch was submitted before anybody polled")
	}
	pipelinetest.Close(turn, src)
	closed(t, "OffloadIter", src)
	if turn.Step() {
		t.Error("a batch was submitted by a source that is closed")
	}
	r.check(t, "nobody polled", 0, 0)
}

// counting is an Executor that counts, and refuses when it is told to.
type counting struct {
	pipeline.Executor
	submitted int
	refuse    bool
}

func (e *counting) Submit(task func()) error {
	if e.refuse {
		return errTest
	}
	e.submitted++
	return e.Executor.Submit(task)
}

// take polls src for values that must be there.
func take(t *testing.T, turn *pipelinetest.Turn, src pipeline.Source[int], want ...int) {
	t.Helper()
	for _, v := range want {
		if got, err := pipelinetest.Poll(turn, src); got != v || err != nil {
			t.Errorf("Poll returned %d and %v, the value %d was expected", got, err, v)
		}
	}
}

func TestOffloadIterSubmitsTheNextBatchWhenHalfIsTaken(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	pool := &counting{Executor: turn}
	r := new(rows)
	src := pipeline.OffloadIter(turn, pool, 6, query(r, 100, same, nil))
	_, _ = pipelinetest.Poll(turn, src)
	for turn.Step() {
	}
	if pool.submitted != 1 || r.made != 6 {
		t.Errorf("%d tasks made %d values ahead, one task and 6 values were expected", pool.submitted, r.made)
	}
	take(t, turn, src, 1, 2)
	if turn.Step() {
		t.Error("a batch was submitted when a third of what is ahead was taken")
	}
	take(t, turn, src, 3)
	if pool.submitted != 2 {
		t.Errorf("%d tasks were submitted when half of what is ahead was taken, the second was expected", pool.submitted)
	}
	take(t, turn, src, 4) // while the task waits
	for turn.Step() {
	}
	if pool.submitted != 2 || r.made != 10 {
		t.Errorf("%d tasks have made %d values when 4 were taken, 2 and 10 were expected", pool.submitted, r.made)
	}
	pipelinetest.Close(turn, src)
	r.check(t, "closed between two batches", 1, 1)
}

func TestOffloadIterEndsWithTheRefusalOfThePool(t *testing.T) {
	r := new(rows)
	pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return pipeline.OffloadIter(turn, full{}, 4, query(r, 9, same, nil))
		},
		WantEnd: errTest,
	})
	r.check(t, "the pool has refused", 0, 0)
}

func TestOffloadIterEndsWithTheRefusalOfALaterBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := pipelinetest.NewTurn(t, 1)
		pool := &counting{Executor: turn}
		r := new(rows)
		src := pipeline.OffloadIter(turn, pool, 4, query(r, 9, same, nil))
		_, _ = pipelinetest.Poll(turn, src)
		for turn.Step() {
		}
		pool.refuse = true
		got, err := pipelinetest.Drain(turn, src)
		if !slices.Equal(got, upTo(4)) || err != errTest {
			t.Errorf("got %v and %v, the values that were there and the refusal of the pool were expected", got, err)
		}
		pipelinetest.Close(turn, src)
		synctest.Wait() // the pool refuses to stop it, too: that has a goroutine of its own
		r.check(t, "the pool has refused", 1, 1)
	})
}

func TestOffloadIterAsksAgainWhileValuesAreLeft(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	pool := &counting{Executor: turn}
	src := pipeline.OffloadIter(turn, pool, 4, query(new(rows), 9, same, nil))
	_, _ = pipelinetest.Poll(turn, src)
	for turn.Step() {
	}
	pool.refuse = true
	take(t, turn, src, 1, 2, 3)
	pool.refuse = false
	got, err := pipelinetest.Drain(turn, src)
	if !slices.Equal(got, upTo(9)[3:]) || err != io.EOF {
		t.Errorf("the pool was full for a while, then came %v and %v; all the values were expected", got, err)
	}
	pipelinetest.Close(turn, src)
}

func ExampleOffloadIter() {
	loop := make(posts, 1) // what is posted to it runs on the loop's goroutine: this one
	rows := func(ctx context.Context) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			// Here a cursor would be opened, and closed by a deferred call.
			for n := 1; n <= 3; n++ {
				if !yield(fmt.Sprintf("row %d", n), ctx.Err()) {
					return
				}
			}
		}
	}
	src := pipeline.OffloadIter(loop, goroutines{}, 2, rows)
	defer src.Close()
	for {
		row, err := src.Poll(new(task))
		switch {
		case err == nil:
			fmt.Println(row)
		case err == pipeline.ErrPending:
			(<-loop)()
		default:
			fmt.Println(err)
			return
		}
	}
	// Output:
	// row 1
	// row 2
	// row 3
	// EOF
}
