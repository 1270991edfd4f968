package pipeline_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// sum awaits all the values of src and adds them up.
func sum(co *pipeline.Co, src pipeline.Source[int]) (total int, err error) {
	for {
		v, err := pipeline.Await(co, src)
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return 0, err
		}
		total += v
	}
}

func TestCoroutine(t *testing.T) {
	for _, c := range []struct {
		end, wantEnd error
		want         []int
	}{{nil, io.EOF, []int{6}}, {errTest, errTest, nil}} {
		var kept pipeline.Stacks
		for _, stacks := range []*pipeline.Stacks{nil, &kept} {
			pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
				Make: func(turn *pipelinetest.Turn) pipeline.Source[int] {
					return pipeline.CoroutineOn(stacks, func(co *pipeline.Co) (int, error) {
						src := pipelinetest.Stream(turn, []int{1, 2, 3}, c.end)
						defer src.Close()
						return sum(co, src)
					})
				},
				Want: c.want, WantEnd: c.wantEnd,
			})
		}
		kept.Close()
	}
}

// What a coroutine has not made itself is closed by who makes a stage of it.
func TestGenerateAsAStage(t *testing.T) {
	pipelinetest.TestStage(t, pipelinetest.StageCase[int, int]{
		Stage: func(src pipeline.Source[int]) pipeline.Source[int] {
			return pipeline.OnClose(pipeline.Generate(func(co *pipeline.Co, yield func(int) bool) error {
				for {
					v, err := pipeline.Await(co, src)
					if err != nil {
						return err
					}
					if v%2 == 1 && !yield(v) || !yield(10*v) {
						return nil
					}
				}
			}), src.Close)
		},
		In: []int{1, 2, 3}, Want: []int{1, 10, 20, 3, 30},
	})
}

func TestGenerateEndsWithEOFOrTheError(t *testing.T) {
	for _, end := range []error{nil, errTest} {
		pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{
			Make: func(*pipelinetest.Turn) pipeline.Source[int] {
				return pipeline.Generate(func(_ *pipeline.Co, yield func(int) bool) error {
					_ = yield(1) && yield(2)
					return end
				})
			},
			Want: []int{1, 2}, WantEnd: end,
		})
	}
}

func TestCoroutineDoesNotPassOnErrPending(t *testing.T) {
	src := pipeline.Coroutine(func(*pipeline.Co) (int, error) { return 0, pipeline.ErrPending })
	_, err := drain(t, src)
	if err == nil || errors.Is(err, pipeline.ErrPending) {
		t.Errorf("the stream ended with %v, an error that says what must not be returned was expected", err)
	}
}

// Close ends the function wherever it is: what it waits for fails, now and later, and its deferred calls run, once.
func TestCloseEndsACoroutine(t *testing.T) {
	for polls, wantErrors := range [][]error{nil, {pipeline.ErrClosed, pipeline.ErrClosed}} {
		turn := pipelinetest.NewTurn(t, 1)
		never := pipelinetest.Watch(turn, pipelinetest.NewScript(turn, []pipelinetest.Step[int]{
			{Err: pipeline.ErrPending, When: pipelinetest.Never}}))
		var got []error
		ended := 0
		src := pipeline.Coroutine(func(co *pipeline.Co) (*pipelinetest.Resource, error) {
			defer func() { ended++ }()
			for range 2 {
				_, err := pipeline.Await(co, never)
				got = append(got, err)
			}
			return pipelinetest.NewResource(turn, "the value of a closed coroutine"), nil
		})
		for range polls {
			if _, err := pipelinetest.Poll(turn, src); err != pipeline.ErrPending {
				t.Fatalf("Poll returned %v, but what the coroutine waits for never comes", err)
			}
		}
		never.Close() // it is not the coroutine's: it was made outside
		pipelinetest.Close(turn, src)
		if !slices.Equal(got, wantErrors) || ended != polls || never.Polls != polls {
			t.Errorf("after %d polls and Close, Await has returned %v, and what it waits for was polled %d times; "+
				"%v was expected, and no poll more", polls, got, never.Polls, wantErrors)
		}
		closed(t, "a coroutine", src)
	}
}

func TestYieldReturnsFalseOnceClosed(t *testing.T) {
	var got []bool
	src := pipeline.Generate(func(_ *pipeline.Co, yield func(int) bool) error {
		for v := range 3 {
			got = append(got, yield(v))
		}
		return nil
	})
	if v, err := src.Poll(new(task)); v != 0 || err != nil {
		t.Errorf("Poll returned %d and %v, the first value was expected", v, err)
	}
	src.Close()
	if !slices.Equal(got, []bool{false, false, false}) {
		t.Errorf("of a closed stream yield returned %v, false was expected each time", got)
	}
}

// closingPoll closes a source when it is polled.
type closingPoll struct{ src *pipeline.Source[int] }

func (s closingPoll) Poll(pipeline.Waker) (int, error) {
	(*s.src).Close()
	return 1, nil
}

func (closingPoll) Close() {}

func TestCoroutineMayBeClosedWhileItRuns(t *testing.T) {
	var src pipeline.Source[int]
	var errs []error
	src = pipeline.Coroutine(func(co *pipeline.Co) (int, error) {
		for range 2 {
			_, err := pipeline.Await(co, closingPoll{&src})
			errs = append(errs, err)
		}
		return 1, nil
	})
	if _, err := src.Poll(new(task)); err != pipeline.ErrClosed {
		t.Errorf("Poll returned %v, but the stream was closed meanwhile", err)
	}
	if !slices.Equal(errs, []error{nil, pipeline.ErrClosed}) {
		t.Errorf("Await returned %v, the value that had come and then ErrClosed were expected", errs)
	}
	src.Close()
}

func panicInCoroutine() { panic(errTest) }

// The function's panic is the panic of the Poll or of the Close that it runs in, and shows where it was.
func TestPanicOfACoroutine(t *testing.T) {
	for name, run := range map[string]func(src pipeline.Source[int]){
		"Poll":  func(src pipeline.Source[int]) { _, _ = src.Poll(new(task)); _, _ = src.Poll(new(task)) },
		"Close": func(src pipeline.Source[int]) { _, _ = src.Poll(new(task)); src.Close() },
	} {
		deferred := 0
		src := pipeline.Generate(func(_ *pipeline.Co, yield func(int) bool) error {
			defer func() { deferred++ }()
			yield(1)
			panicInCoroutine()
			return nil
		})
		func() {
			defer func() {
				err, _ := recover().(error)
				if !errors.Is(err, errTest) || !strings.Contains(err.Error(), "panicInCoroutine") {
					t.Errorf("%s panicked with %v, the error of the function's panic with its stack was expected", name, err)
				}
			}()
			run(src)
		}()
		src.Close()
		if deferred != 1 {
			t.Errorf("%s: when it has panicked and was closed, the function's deferred call ran %d times", name, deferred)
		}
	}
}

// A Co is of use only while its coroutine runs: another goroutine is told so, and what it asks for is not polled.
func TestAwaitOutsideOfItsCoroutine(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	ask, answer := make(chan struct{}), make(chan error)
	var kept *pipeline.Co
	src := pipeline.Coroutine(func(co *pipeline.Co) (int, error) {
		kept = co
		go func() {
			<-ask
			_, err := pipeline.Await(co, pipeline.Once(1))
			answer <- err
		}()
		values := pipelinetest.NewScript(turn, []pipelinetest.Step[int]{{Err: pipeline.ErrPending}, {Value: 1}})
		defer values.Close()
		return pipeline.Await(co, values)
	})
	_, err := pipelinetest.Poll(turn, src)
	if err != pipeline.ErrPending {
		t.Fatalf("Poll returned %v, but the coroutine waits", err)
	}
	ask <- struct{}{}
	if err := <-answer; err == nil || errors.Is(err, pipeline.ErrClosed) {
		t.Errorf("Await on another goroutine returned %v, an error that says so was expected", err)
	}
	turn.Step()
	if v, err := pipelinetest.Poll(turn, src); v != 1 || err != nil {
		t.Errorf("Poll returned %d and %v, the value was expected", v, err)
	}
	if _, err := pipeline.Await(kept, pipeline.Once(1)); err == nil {
		t.Error("Await returned no error when the coroutine has ended")
	}
	pipelinetest.Close(turn, src)
}

// A source that is always ready does not let a coroutine hold the loop.
func TestCoroutineGivesTheLoopBack(t *testing.T) {
	const n = 100_000
	values := &numbers{limit: n}
	src := pipeline.Coroutine(func(co *pipeline.Co) (int, error) { return sum(co, values) })
	w := new(task)
	if _, err := src.Poll(w); err != pipeline.ErrPending || !w.woken || values.next > 1000 {
		t.Errorf("the first Poll returned %v when %d values were taken; a few, ErrPending and a wake were expected", err, values.next)
	}
	got, err := drain(t, src)
	if want := n * (n + 1) / 2; err != io.EOF || !slices.Equal(got, []int{want}) {
		t.Errorf("the stream was %v and %v, %d was expected", got, err, want)
	}
}

func ExampleCoroutine() {
	lines := pipeline.Lines(pipeline.FromSlice([][]byte{[]byte("2\na\nb\n")}), 100)
	show(pipeline.Coroutine(func(co *pipeline.Co) (string, error) {
		defer lines.Close()
		first, err := pipeline.Await(co, lines)
		if err != nil {
			return "", err
		}
		text := fmt.Sprintf("%s lines:", first)
		for {
			line, err := pipeline.Await(co, lines)
			if err == io.EOF {
				return text, nil
			}
			if err != nil {
				return "", err
			}
			text += " " + string(line)
		}
	}))
	// Output:
	// 2 lines: a b
	// EOF
}

func ExampleGenerate() {
	values := pipeline.FromSlice([]int{3, 1, 2})
	show(pipeline.Generate(func(co *pipeline.Co, yield func(string) bool) error {
		defer values.Close()
		for {
			n, err := pipeline.Await(co, values)
			if err == io.EOF {
				return nil
			}
			if err != nil || !yield(strings.Repeat("x", n)) {
				return err
			}
		}
	}))
	// Output:
	// xxx
	// x
	// xx
	// EOF
}

// BenchmarkCoroutine is what it costs to make a coroutine that does nothing, run it and close it.
func BenchmarkCoroutine(b *testing.B) {
	var kept pipeline.Stacks
	defer kept.Close()
	for _, c := range []struct {
		name   string
		stacks *pipeline.Stacks
	}{{"new stack", nil}, {"kept stack", &kept}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			w := new(task)
			for range b.N {
				src := pipeline.CoroutineOn(c.stacks, func(*pipeline.Co) (int, error) { return 1, nil })
				_, _ = src.Poll(w)
				src.Close()
			}
		})
	}
}

// everyOther is pending at every other poll, and never says when it is not.
type everyOther struct{ ready bool }

func (s *everyOther) Poll(pipeline.Waker) (int, error) {
	s.ready = !s.ready
	if s.ready {
		return 0, pipeline.ErrPending
	}
	return 1, nil
}

func (s *everyOther) Close() {}

// BenchmarkCoroutineSwitch is what it costs to go into a coroutine and to come back.
func BenchmarkCoroutineSwitch(b *testing.B) {
	b.ReportAllocs()
	values := new(everyOther)
	src := pipeline.Coroutine(func(co *pipeline.Co) (int, error) {
		for {
			if _, err := pipeline.Await(co, values); err != nil {
				return 0, err
			}
		}
	})
	w := new(task)
	for range b.N {
		_, _ = src.Poll(w)
	}
	src.Close()
}

// BenchmarkCoroutineSuspended reports what a coroutine that waits holds in memory, its stack included.
func BenchmarkCoroutineSuspended(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	all := make([]pipeline.Source[int], b.N)
	w := new(task)
	for i := range all {
		all[i] = pipeline.Coroutine(func(co *pipeline.Co) (int, error) { return pipeline.Await(co, new(everyOther)) })
		_, _ = all[i].Poll(w)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := after.HeapAlloc + after.StackInuse - before.HeapAlloc - before.StackInuse
	b.ReportMetric(float64(held)/float64(b.N), "B/suspended")
	for _, src := range all {
		src.Close()
	}
}
