package pipeline_test

import (
	"bytes"
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

// sink is a writer that a CopyTo writes to. It fails the test if it is written to when it was closed.
type sink struct {
	t        *testing.T
	resource interface{ Close() } // nil, or what must be closed once
	writes   [][]byte
	write    func(p []byte) (int, error) // nil to take everything
	causes   []error                     // what it was closed with
	closeErr error
}

func (s *sink) Write(p []byte) (int, error) {
	if len(s.causes) > 0 {
		s.t.Error("the writer was written to when it had been closed")
	}
	s.writes = append(s.writes, bytes.Clone(p))
	if s.write != nil {
		return s.write(p)
	}
	return len(p), nil
}

func (s *sink) CloseWithError(cause error) error {
	s.causes = append(s.causes, cause)
	if s.resource != nil {
		s.resource.Close()
	}
	return s.closeErr
}

func (s *sink) all() string { return string(bytes.Join(s.writes, nil)) }

// closedWith checks what the writer was closed with, once.
func (s *sink) closedWith(want error) {
	s.t.Helper()
	if len(s.causes) != 1 || s.causes[0] != want {
		s.t.Errorf("the writer was closed with %v, once with %v was expected", s.causes, want)
	}
}

var copiedChunks = [][]byte{[]byte("one "), {}, []byte("two "), bytes.Repeat([]byte{'x'}, 70<<10), []byte(" three")}

func TestCopyToKeepsTheLaws(t *testing.T) {
	want := string(bytes.Join(copiedChunks, nil))
	for _, c := range []struct {
		name          string
		end, closeErr error
		wantEnd       error
	}{{name: "whole"}, {name: "cut", end: errTest, wantEnd: errTest}, {name: "not closed", closeErr: errTest, wantEnd: errTest}} {
		wanted := []int64{int64(len(want))}
		if c.wantEnd != nil {
			wanted = nil
		}
		pipelinetest.TestSource(t, pipelinetest.SourceCase[int64]{
			Make: func(turn *pipelinetest.Turn) pipeline.Source[int64] {
				w := &sink{t: t, resource: pipelinetest.NewResource(turn, "the writer"), closeErr: c.closeErr}
				src := pipelinetest.Poison(pipelinetest.Stream(turn, copiedChunks, c.end))
				return pipeline.Inspect(pipeline.CopyTo(turn, turn, src, w), func(_ int64, err error) {
					if err == nil && (w.all() != want || len(w.causes) != 1 || w.causes[0] != nil) {
						t.Errorf("%s: the number came when %d of %d bytes were written, and the writer was closed with %v; "+
							"all, and once with nil, was expected", c.name, len(w.all()), len(want), w.causes)
					}
				})
			},
			Want: wanted, WantEnd: c.wantEnd,
		})
	}
}

// copyAll copies chunks to w to the end, and closes.
func copyAll(t *testing.T, pool pipeline.Executor, w io.Writer, end error, chunks ...[]byte) ([]int64, error) {
	t.Helper()
	turn := pipelinetest.NewTurn(t, 1)
	if pool == nil {
		pool = turn
	}
	src := pipeline.CopyTo(turn, pool, pipelinetest.NewScript(turn, steps(chunks, end)), w)
	got, err := pipelinetest.Drain(turn, src)
	pipelinetest.Close(turn, src)
	return got, err
}

func steps(chunks [][]byte, end error) (all []pipelinetest.Step[[]byte]) {
	for _, chunk := range chunks {
		all = append(all, pipelinetest.Step[[]byte]{Value: chunk})
	}
	if end != nil {
		all = append(all, pipelinetest.Step[[]byte]{Err: end})
	}
	return all
}

func TestCopyToOfNothing(t *testing.T) {
	w := &sink{t: t}
	got, err := copyAll(t, nil, w, nil)
	if !slices.Equal(got, []int64{0}) || err != io.EOF || len(w.writes) != 0 {
		t.Errorf("of nothing %v bytes were copied in %d writes, then %v; 0 in none was expected", got, len(w.writes), err)
	}
	w.closedWith(nil)
}

func TestCopyToPutsTogetherWhatIsThere(t *testing.T) {
	w := &sink{t: t}
	if _, err := copyAll(t, nil, w, nil, []byte("a"), []byte("b"), []byte("c")); err != io.EOF || len(w.writes) != 1 {
		t.Errorf("three chunks that were there were written as %q (%v), one write was expected", w.writes, err)
	}
	w = &sink{t: t}
	chunk := bytes.Repeat([]byte{'x'}, 40<<10)
	_, err := copyAll(t, nil, w, nil, slices.Repeat([][]byte{chunk}, 20)...)
	longest := 0
	for _, p := range w.writes {
		longest = max(longest, len(p))
	}
	if err != io.EOF || longest > 64<<10+len(chunk) || len(w.all()) != 20*len(chunk) {
		t.Errorf("of 20 chunks of 40 KiB %d bytes were written, at most %d at once (%v); all, and less than 64 KiB and a chunk, was expected",
			len(w.all()), longest, err)
	}
}

// The source is asked for nothing while a worker writes.
func TestCopyToDoesNotReadAhead(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	chunk := bytes.Repeat([]byte{'x'}, 64<<10)
	up := pipelinetest.Watch(turn, pipeline.FromSlice([][]byte{chunk, chunk, chunk}))
	w := &sink{t: t}
	src := pipeline.CopyTo(turn, turn, up, w)
	for range 3 {
		_, _ = pipelinetest.Poll(turn, src)
	}
	if up.Polls != 1 || len(w.writes) != 0 {
		t.Errorf("before the first write the source was polled %d times, once was expected", up.Polls)
	}
	pipelinetest.Close(turn, src)
}

func TestCopyToSubmitsOnDemandOnly(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	up := pipelinetest.NewScript(turn, []pipelinetest.Step[[]byte]{{Err: pipeline.ErrPending, When: pipelinetest.Never}})
	src := pipeline.CopyTo(turn, turn, up, &sink{t: t})
	if _, err := pipelinetest.Poll(turn, src); err != pipeline.ErrPending || turn.Step() {
		t.Errorf("a source that has nothing (%v) keeps a worker, none was expected", err)
	}
	pipelinetest.Close(turn, src)
}

func TestCopyToEndsWithWhatGoesWrong(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func([]byte) (int, error)
		want  error
	}{
		{"an error", func([]byte) (int, error) { return 0, errTest }, errTest},
		{"a short write", func(p []byte) (int, error) { return len(p) - 1, nil }, io.ErrShortWrite},
	} {
		w := &sink{t: t, write: c.write}
		got, err := copyAll(t, nil, w, nil, []byte("some"))
		if len(got) != 0 || err != c.want {
			t.Errorf("%s: %v bytes were copied and then came %v, %v was expected", c.name, got, err, c.want)
		}
		w.closedWith(c.want)
	}
	w := &sink{t: t}
	if _, err := copyAll(t, full{}, w, nil, []byte("some")); err != errTest {
		t.Errorf("the pool was full: the copy ended with %v, the error of the pool was expected", err)
	}
}

func TestCopyToTurnsAPanicIntoAnError(t *testing.T) {
	w := &sink{t: t, write: func([]byte) (int, error) { panic(errTest) }}
	_, err := copyAll(t, nil, w, nil, []byte("some"))
	var caught *pipeline.PanicError
	if !errors.As(err, &caught) || !errors.Is(err, errTest) || !strings.Contains(string(caught.Stack), "TestCopyToTurnsAPanic") {
		t.Errorf("the writer panicked: the copy ended with %v, a *PanicError with its stack was expected", err)
	}
	w.closedWith(err)
}

func TestCopyToDoesNotPassOnErrPending(t *testing.T) {
	_, err := copyAll(t, nil, &sink{t: t, write: func([]byte) (int, error) { return 0, pipeline.ErrPending }}, nil, []byte("some"))
	if err == nil || errors.Is(err, pipeline.ErrPending) {
		t.Errorf("the copy ended with %v, an error that says what cannot be an end was expected", err)
	}
}

// closer is a writer with Close alone.
type closer struct {
	bytes.Buffer
	closes int
}

func (c *closer) Close() error { c.closes++; return errTest }

func TestCopyToClosesAnyWriterThatCanBeClosed(t *testing.T) {
	w := new(closer)
	if got, err := copyAll(t, nil, w, nil, []byte("some")); len(got) != 0 || err != errTest || w.closes != 1 {
		t.Errorf("the writer was closed %d times and refused it: the copy gave %v and %v; once, and its error, was expected", w.closes, got, err)
	}
	var plain bytes.Buffer
	if got, err := copyAll(t, nil, &plain, nil, []byte("some")); !slices.Equal(got, []int64{4}) || err != io.EOF || plain.String() != "some" {
		t.Errorf("to a writer that cannot be closed %v bytes were copied, %q (%v); 4 were expected", got, plain.String(), err)
	}
}

func TestCopyToThatWasNeverPolledClosesItsWriter(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	w := &sink{t: t}
	src := pipeline.CopyTo(turn, turn, pipeline.Once([]byte("some")), w)
	pipelinetest.Close(turn, src)
	w.closedWith(pipeline.ErrClosed)
	closed(t, "CopyTo", src)
}

func TestCopyToClosedBeforeItsWriteBeganDoesNotWrite(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	w := &sink{t: t}
	src := pipeline.CopyTo(turn, turn, pipeline.Once([]byte("some")), w)
	_, _ = pipelinetest.Poll(turn, src)
	pipelinetest.Close(turn, src)
	if len(w.writes) != 0 {
		t.Errorf("a copy that was closed before its write began has written %q", w.writes)
	}
	w.closedWith(pipeline.ErrClosed)
}

// What was written whole stays so, though nobody has read the number.
func TestCopyToClosedWithItsNumberUnreadHasNotEnded(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	w := &sink{t: t}
	src := pipeline.CopyTo(turn, turn, pipeline.Once([]byte("some")), w)
	_, _ = pipelinetest.Poll(turn, src)
	for turn.Step() {
	}
	closed(t, "CopyTo", src)
	w.closedWith(nil)
}

// A client that leaves while a worker writes: its buffer stays as it is, and the writer is closed behind the write.
func TestCopyToClosedDuringAWrite(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		loop := make(posts, 1)
		writing, leave, finished := make(chan struct{}), make(chan struct{}), make(chan struct{})
		w := &sink{t: t, resource: closing(finished)}
		w.write = func(p []byte) (int, error) {
			close(writing)
			<-leave
			if string(p) != "some" {
				t.Errorf("the bytes became %q while they were written", p)
			}
			if refuses {
				return 0, errTest
			}
			return len(p), nil
		}
		chunk := []byte("some")
		src := pipeline.CopyTo(loop, goroutines{}, pipeline.Once(chunk), w)
		_, err := src.Poll(new(task))
		if err != pipeline.ErrPending {
			t.Fatalf("a copy that is being written should be pending, and is %v", err)
		}
		<-writing
		copy(chunk, "gone") // as who owns the chunk does once its source was closed
		src.Close()
		close(leave)
		<-finished
		w.closedWith(pipeline.ErrClosed)
	}
}

// closing is a channel that is closed by Close.
type closing chan struct{}

func (c closing) Close() { close(c) }

// Whoever is first, the worker that has written or the loop that closes, the writer is closed once.
func TestCopyToClosedWhileItsWriteEnds(t *testing.T) {
	for range 200 {
		loop := make(posts, 1)
		started, finished := make(chan struct{}), make(chan struct{})
		w := &sink{t: t, resource: closing(finished)}
		w.write = func(p []byte) (int, error) { close(started); return len(p), nil }
		src := pipeline.CopyTo(loop, goroutines{}, pipeline.Concat(pipeline.Once([]byte("some")), newNever()), w)
		_, _ = src.Poll(new(task))
		<-started
		src.Close()
		select {
		case <-finished:
		case deliver := <-loop:
			deliver()
			<-finished
		}
		w.closedWith(pipeline.ErrClosed)
	}
}

// newNever returns a source that has nothing and does not end.
func newNever() pipeline.Source[[]byte] { return never{} }

type never struct{}

func (never) Poll(pipeline.Waker) ([]byte, error) { return nil, pipeline.ErrPending }
func (never) Close()                              {}

func TestCopyToEndsWhenItsWriterEndsTheGoroutine(t *testing.T) {
	loop := make(posts)
	w := &sink{t: t, write: func([]byte) (int, error) { runtime.Goexit(); return 0, nil }}
	src := pipeline.CopyTo(loop, goroutines{}, pipeline.Once([]byte("some")), w)
	_, _ = src.Poll(new(task))
	(<-loop)()
	if _, err := src.Poll(new(task)); err == nil || err == io.EOF || err == pipeline.ErrPending {
		t.Errorf("the copy goes on with %v, an error was expected", err)
	}
	src.Close()
}

func TestCopyToClosesItsWriterWhenTheLoopHasStopped(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	w := &sink{t: t}
	src := pipeline.CopyTo(turn, turn, pipeline.Concat(pipeline.Once([]byte("some")), newNever()), w)
	_, _ = pipelinetest.Poll(turn, src)
	turn.Stop()
	turn.Step()
	w.closedWith(pipelinetest.ErrStopped)
	pipelinetest.Close(turn, src)
	w.closedWith(pipelinetest.ErrStopped)
}

func TestCopyToClosesItsWriterThoughThePoolRefuses(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	finished := make(chan struct{})
	w := &sink{t: t, resource: closing(finished)}
	src := pipeline.CopyTo(turn, full{}, pipeline.Once([]byte("some")), w)
	src.Close()
	<-finished
	w.closedWith(pipeline.ErrClosed)
}

func BenchmarkCopyTo(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("%d", size), func(b *testing.B) {
			loop := make(posts, 1)
			chunk := make([]byte, size)
			chunks := pipeline.Map(&numbers{limit: b.N}, func(int) ([]byte, error) { return chunk, nil })
			src := pipeline.CopyTo(loop, goroutines{}, chunks, io.Discard)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for {
				_, err := src.Poll(new(task))
				if err == io.EOF {
					return
				}
				if err == pipeline.ErrPending {
					(<-loop)()
				}
			}
		})
	}
}

// Bytes are written on workers; here the writer takes them in memory.
func ExampleCopyTo() {
	loop := make(posts, 1) // what is posted to it runs on the loop's goroutine: this one
	var file bytes.Buffer
	body := pipeline.FromSlice([][]byte{[]byte("the content "), []byte("of a file")})
	src := pipeline.CopyTo(loop, goroutines{}, body, &file)
	defer src.Close()
	for {
		n, err := src.Poll(new(task))
		switch err {
		case nil:
			fmt.Println(n, "bytes:", file.String())
		case pipeline.ErrPending:
			(<-loop)()
		default:
			fmt.Println(err)
			return
		}
	}
	// Output:
	// 21 bytes: the content of a file
	// EOF
}
