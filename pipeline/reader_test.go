package pipeline_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

const readText = "a few bytes, which come in chunks that are cut anywhere, and some of which are empty"

// randomScript gives the bytes of text, cut anywhere, and is pending anywhere; then comes end.
func randomScript(turn *pipelinetest.Turn, random *rand.Rand, text string, end error) pipeline.Source[[]byte] {
	var steps []pipelinetest.Step[[]byte]
	for left := []byte(text); ; {
		if random.IntN(3) == 0 {
			steps = append(steps, pipelinetest.Step[[]byte]{
				Err: pipeline.ErrPending, When: pipelinetest.When(random.IntN(int(pipelinetest.Never)))})
			continue
		}
		n := random.IntN(min(len(left), 20) + 1)
		steps = append(steps, pipelinetest.Step[[]byte]{Value: left[:n]})
		if left = left[n:]; len(left) == 0 {
			break
		}
	}
	steps = append(steps, pipelinetest.Step[[]byte]{Err: end})
	return pipelinetest.Poison(pipelinetest.NewScript(turn, steps))
}

// readers are ways to read everything.
var readers = map[string]func(r io.Reader) (string, error){
	"ReadAll": func(r io.Reader) (string, error) { b, err := io.ReadAll(r); return string(b), err },
	"one byte": func(r io.Reader) (string, error) {
		b, err := io.ReadAll(iotest.OneByteReader(r))
		return string(b), err
	},
	"WriteTo": func(r io.Reader) (string, error) {
		var b bytes.Buffer
		n, err := io.Copy(&b, r)
		if n != int64(b.Len()) {
			return "", fmt.Errorf("WriteTo has written %d bytes, and says %d", b.Len(), n)
		}
		return b.String(), err
	},
}

// However the bytes come and however they are read, they are those of the source, and so is its end.
func TestReader(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for name, read := range readers {
		for round := range uint64(60) {
			random := rand.New(rand.NewPCG(seed, round))
			turn := pipelinetest.NewTurn(t, random.Uint64())
			end, wantErr := io.EOF, error(nil)
			if round%2 == 1 {
				end, wantErr = errTest, errTest
			}
			src := &countingClose[[]byte]{Source: randomScript(turn, random, readText, end)}
			r := pipeline.NewReader(turn, src)
			var got string
			var err error
			besides(t, func() { got, err = read(r) }, turn.Step)
			if got != readText || err != wantErr {
				t.Fatalf("%s has read %q and %v, all of the source and %v were expected (round %d)", name, got, err, wantErr, round)
			}
			src.wantClosed(t, "before the reader was closed", 0)
			_ = r.Close()
			_ = r.Close()
			for turn.Step() {
			}
			src.wantClosed(t, "when the reader was closed", 1)
			if _, err := r.Read(make([]byte, 1)); err != end {
				t.Errorf("a reader that has come to its end and was closed returned %v, the end again was expected", err)
			}
		}
	}
}

// driven is a source that has a reader read as long as it is pending, and ends when done is closed.
type driven struct {
	reader *pipeline.Reader
	done   chan struct{}
}

func (s driven) Poll(w pipeline.Waker) (int, error) {
	select {
	case <-s.done:
		return 0, io.EOF
	default:
		s.reader.PollWith(w)
		return 0, pipeline.ErrPending
	}
}

func (s driven) Close() { s.reader.CloseWithError(errTest) }

// A reader that is driven by another source has its own polled only while that is (law 1).
func TestReaderPollsWithAnotherSource(t *testing.T) {
	for seed := range uint64(60) {
		turn := pipelinetest.NewTurn(t, seed)
		chunks := [][]byte{[]byte("a chunk, "), nil, []byte("another, "), []byte("and the last")}
		up := pipelinetest.Stream(turn, chunks, nil)
		s := driven{pipeline.NewReader(turn, pipelinetest.Poison(up)), make(chan struct{})}
		var got []byte
		var err error
		first := true
		besides(t, func() { got, err = io.ReadAll(s.reader) }, func() bool {
			if turn.Woken() || first {
				first = false
				_, _ = pipelinetest.Poll(turn, s)
				return true
			}
			return turn.Step()
		})
		if want := bytes.Join(chunks, nil); !bytes.Equal(got, want) || err != nil {
			t.Errorf("seed %d: got %q and %v, %q was expected", seed, got, err, want)
		}
		pipelinetest.Close(turn, s)
	}
}

func TestReaderAsksForNothingAhead(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	up := pipeline.FromSlice([][]byte{[]byte("abcd"), []byte("e")})
	polls := 0
	r := pipeline.NewReader(turn, pipeline.Inspect(up, func([]byte, error) { polls++ }))
	if turn.Step() {
		t.Error("a reader that nobody reads has posted something")
	}
	driven := pipeline.NewReader(turn, pipeline.Inspect(pipeline.Once([]byte("a")), func([]byte, error) { polls++ }))
	if driven.PollWith(turn); polls > 0 {
		t.Error("a reader that nobody reads has polled its source")
	}
	_ = driven.Close()
	p := make([]byte, 2)
	for _, want := range []string{"ab", "cd"} {
		besides(t, func() {
			if n, err := r.Read(p); string(p[:n]) != want || err != nil {
				t.Errorf("Read gave %q and %v, %q was expected", p[:n], err, want)
			}
		}, turn.Step)
	}
	if turn.Step() || polls != 1 {
		t.Errorf("when the first chunk was read %d were polled, and no more than that was expected", polls)
	}
	_ = r.Close()
	for turn.Step() {
	}
}

// Close ends a Read that waits, and the source is closed on the loop.
func TestReaderCloseEndsARead(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := &countingClose[[]byte]{Source: pipelinetest.NewScript(turn, []pipelinetest.Step[[]byte]{
		{Err: pipeline.ErrPending, When: pipelinetest.Never}})}
	r := pipeline.NewReader(turn, src)
	var err error
	besides(t, func() { _, err = r.Read(make([]byte, 1)) }, func() bool {
		if !turn.Step() {
			r.CloseWithError(errTest)
			src.wantClosed(t, "before the loop has run", 0)
		}
		return true
	})
	if err != errTest {
		t.Errorf("Read returned %v, the error that the reader was closed with was expected", err)
	}
	for turn.Step() {
	}
	src.wantClosed(t, "after Close", 1)
	if turn.Woken() {
		t.Error("somebody was woken by a reader that was closed")
	}
}

func TestReaderDropsWhatWasNotReadAtClose(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	r := pipeline.NewReader(turn, pipeline.Once([]byte("ab")))
	besides(t, func() { _, _ = r.Read(make([]byte, 1)) }, turn.Step)
	_ = r.Close()
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != pipeline.ErrClosed {
		t.Errorf("a reader that was closed returned %d bytes and %v, ErrClosed was expected", n, err)
	}
	for turn.Step() {
	}
}

// closedWhilePolled stops its loop and closes its reader within its Poll, as another goroutine may.
type closedWhilePolled struct {
	t      *testing.T
	turn   *pipelinetest.Turn
	src    *countingClose[[]byte]
	reader *pipeline.Reader
}

func (s *closedWhilePolled) Poll(pipeline.Waker) ([]byte, error) {
	s.turn.Stop()
	_ = s.reader.Close()
	s.src.wantClosed(s.t, "while it is polled", 0)
	return []byte("too late"), nil
}

func (s *closedWhilePolled) Close() {}

func TestReaderMayBeClosedWhileItsSourceIsPolled(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	s := &closedWhilePolled{t: t, turn: turn}
	src := &countingClose[[]byte]{Source: s}
	s.src, s.reader = src, pipeline.NewReader(turn, src)
	var err error
	besides(t, func() { _, err = s.reader.Read(make([]byte, 1)) }, turn.Step)
	if err != pipeline.ErrClosed {
		t.Errorf("Read returned %v, ErrClosed was expected", err)
	}
	src.wantClosed(t, "closed while it was polled", 1)
}

// A loop that has stopped is an error, never a wait; there the source is closed by whoever closes the reader.
func TestReaderOfALoopThatHasStopped(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	turn.Stop()
	src := &countingClose[[]byte]{Source: pipeline.Once([]byte("a"))}
	r := pipeline.NewReader(turn, src)
	for range 2 {
		if _, err := r.Read(make([]byte, 1)); err != pipelinetest.ErrStopped {
			t.Errorf("Read returned %v, the refusal of the loop was expected", err)
		}
	}
	src.wantClosed(t, "before Close", 0)
	_ = r.Close()
	_ = r.Close()
	src.wantClosed(t, "after Close", 1)
}

// panicking panics when it is polled.
type panicking struct{}

func (panicking) Poll(pipeline.Waker) ([]byte, error) { panic("deliberately") }
func (panicking) Close()                              {}

// The panic of the source is the loop's; who reads is told, and does not wait for ever.
func TestReaderOfASourceThatPanics(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := &countingClose[[]byte]{Source: panicking{}}
	r := pipeline.NewReader(turn, src)
	var err error
	var value any
	besides(t, func() { _, err = r.Read(make([]byte, 1)) }, func() (stepped bool) {
		defer func() {
			if value = recover(); value != nil {
				stepped = true
			}
		}()
		return turn.Step()
	})
	if err == nil || value != "deliberately" {
		t.Errorf("Read returned %v, and the loop saw the panic %v; an error and that panic were expected", err, value)
	}
	_ = r.Close()
	for turn.Step() {
	}
	src.wantClosed(t, "after the panic", 1)
}

// failing is a writer that fails.
type failing struct{}

func (failing) Write(p []byte) (int, error) { return len(p) / 2, errTest }

func TestReaderWriteToEndsWithTheWritersError(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	r := pipeline.NewReader(turn, pipeline.Once([]byte("abcd")))
	besides(t, func() {
		if n, err := r.WriteTo(failing{}); n != 2 || err != errTest {
			t.Errorf("WriteTo returned %d and %v, the 2 bytes that were written and the writer's error were expected", n, err)
		}
	}, turn.Step)
	_ = r.Close()
	for turn.Step() {
	}
}

// Readers on goroutines of their own, closed from others at any time, by a loop that is stopped at last: none waits for
// ever, and each source is closed once.
func TestReadersRace(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	loop := newLoopGoroutine()
	const n = 64
	sources := make([]*countingClose[[]byte], n)
	var working sync.WaitGroup
	for i := range sources {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		q := pipeline.NewQueue[[]byte](loop, 200, pipeline.Refuse)
		sources[i] = &countingClose[[]byte]{Source: q}
		r := pipeline.NewReader(loop, sources[i])
		closeAt := random.IntN(300)
		working.Go(func() { // who sends
			for sent := range 200 {
				if sent == closeAt {
					working.Go(func() { _ = r.Close() })
				}
				if err := q.Push([]byte("chunk")); err != nil {
					return // it is closed
				}
			}
			q.Finish(nil)
		})
		working.Go(func() { // who reads
			got, err := io.ReadAll(r)
			if err == nil && len(got) != 200*len("chunk") {
				t.Errorf("%d bytes were read to the end, of %d", len(got), 200*len("chunk"))
			}
			_ = r.Close()
		})
	}
	working.Wait()
	loop.stop()
	for _, src := range sources {
		src.wantClosed(t, "when everybody has ended", 1)
	}
}

// A loop may stop at any time while goroutines read: each ends with an error, and its source is closed once.
func TestReadersRaceWithTheStopOfTheLoop(t *testing.T) {
	for range 200 {
		loop := newLoopGoroutine()
		src := &countingClose[[]byte]{Source: pipeline.Generate(func(_ *pipeline.Co, yield func([]byte) bool) error {
			for yield([]byte("chunk")) {
			}
			return nil
		})}
		r := pipeline.NewReader(loop, src)
		var working sync.WaitGroup
		working.Go(func() {
			if _, err := io.Copy(io.Discard, r); err != pipelinetest.ErrStopped {
				t.Errorf("reading ended with %v, the refusal of the loop was expected", err)
			}
			_ = r.Close()
		})
		loop.stop()
		working.Wait()
		src.wantClosed(t, "when the loop has stopped", 1)
	}
}

// repeated is a source of the same chunk, n times.
type repeated struct {
	chunk []byte
	n     int
}

func (s *repeated) Poll(pipeline.Waker) ([]byte, error) {
	if s.n == 0 {
		return nil, io.EOF
	}
	s.n--
	return s.chunk, nil
}

func (s *repeated) Close() {}

// BenchmarkReader is what a chunk of 16 KiB costs on its way to another goroutine.
func BenchmarkReader(b *testing.B) {
	loop := newLoopGoroutine()
	defer loop.stop()
	b.ReportAllocs()
	b.SetBytes(16 << 10)
	r := pipeline.NewReader(loop, &repeated{make([]byte, 16<<10), b.N})
	n, err := io.Copy(io.Discard, r)
	if err != nil || n != int64(b.N)*16<<10 {
		b.Fatalf("%d bytes came, then %v", n, err)
	}
	_ = r.Close()
}
