package pipeline_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// What is written comes out whole and in order, whatever is flushed and whenever it is polled, and then the end.
func TestWriter(t *testing.T) {
	text := []byte("what is written, in pieces")
	for _, end := range []error{nil, errTest} {
		pipelinetest.TestSource(t, pipelinetest.SourceCase[[]byte]{
			Make: func(turn *pipelinetest.Turn) pipeline.Source[[]byte] {
				w, src := pipeline.NewWriter(turn, 1<<10) // there is always room: nobody waits here
				left := text
				var produce func()
				produce = func() {
					n := min(len(left), 4)
					_, err := w.Write(left[:n])
					if err == nil && (end != nil || n%3 == 1) {
						err = w.Flush()
					}
					if err == pipeline.ErrClosed {
						return
					}
					if left = left[n:]; len(left) == 0 {
						w.CloseWithError(end)
						return
					}
					turn.Later(produce)
				}
				turn.Later(produce)
				return src
			},
			Want: [][]byte{text}, WantEnd: end, Same: pipelinetest.SameBytes,
		})
	}
}

func TestNewWriterRefusesNoBuffer(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a writer without a buffer was made")
		}
	}()
	pipeline.NewWriter(pipelinetest.NewTurn(t, 1), 0)
}

// wantChunk polls src for a chunk that must be there, or for ErrPending if want is "".
func wantChunk(t *testing.T, why string, turn *pipelinetest.Turn, src pipeline.Source[[]byte], want string) {
	t.Helper()
	chunk, err := pipelinetest.Poll(turn, src)
	if string(chunk) != want || (err == pipeline.ErrPending) != (want == "") {
		t.Errorf("%s: Poll returned %q and %v, %q was expected", why, chunk, err, want)
	}
}

func write(t *testing.T, w *pipeline.Writer, text string) {
	t.Helper()
	if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
		t.Errorf("Write(%q) returned %d and %v, but there is room", text, n, err)
	}
}

// What is written leaves when it is flushed, or when half of the buffer is full, and nobody is woken before.
func TestWriterKeepsLittleBack(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	w, src := pipeline.NewWriter(turn, 10)
	wantChunk(t, "nothing was written", turn, src, "")
	write(t, w, "abcd")
	if turn.Step() {
		t.Error("the consumer is woken for a little that was not flushed")
	}
	wantChunk(t, "a little was written", turn, src, "")
	write(t, w, "e")
	for turn.Step() {
	}
	if !turn.Woken() {
		t.Error("the consumer is not woken when half of the buffer is full")
	}
	write(t, w, "f")
	wantChunk(t, "half of the buffer is full", turn, src, "abcdef")
	wantChunk(t, "all is gone", turn, src, "")
	write(t, w, "g")
	if err := w.Flush(); err != nil {
		t.Errorf("Flush returned %v", err)
	}
	if err := w.Flush(); err != nil || !turn.Step() || turn.Step() || !turn.Woken() {
		t.Errorf("the consumer was not woken by one post after two flushes (%v)", err)
	}
	wantChunk(t, "it was flushed", turn, src, "g")
	pipelinetest.Close(turn, src)
}

// Write waits while the buffer is full, so that what waits is bounded.
func TestWriterWaitsForRoom(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	w, src := pipeline.NewWriter(turn, 8)
	text := []byte("more than there is room for in the buffer, by far")
	var got []byte
	waits := 0
	besides(t, func() {
		if n, err := w.Write(text); n != len(text) || err != nil {
			t.Errorf("Write returned %d and %v, all of %d bytes was expected", n, err, len(text))
		}
		_ = w.Close()
	}, func() bool {
		waits++
		chunk, err := pipelinetest.Poll(turn, src)
		if err != nil || len(chunk) > 8 {
			t.Errorf("Poll returned %d bytes and %v, at most 8 were expected", len(chunk), err)
		}
		got = append(got, chunk...)
		return err == nil
	})
	rest, err := pipelinetest.Drain(turn, src)
	if got = append(got, bytes.Join(rest, nil)...); !bytes.Equal(got, text) || err != io.EOF || waits < len(text)/16 {
		t.Errorf("%q and %v came out, and Write has waited %d times", got, err, waits)
	}
	pipelinetest.Close(turn, src)
}

// The consumer's Close and the stop of the loop end a Write that waits, and the writer's own Close does.
func TestWriterEndsAWriteThatWaits(t *testing.T) {
	for name, end := range map[string]func(w *pipeline.Writer, src pipeline.Source[[]byte]){
		"the source was closed": func(_ *pipeline.Writer, src pipeline.Source[[]byte]) { src.Close() },
		"the writer was closed": func(w *pipeline.Writer, _ pipeline.Source[[]byte]) { w.CloseWithError(errTest) },
	} {
		turn := pipelinetest.NewTurn(t, 1)
		w, src := pipeline.NewWriter(turn, 4)
		besides(t, func() {
			if n, err := w.Write([]byte("abcdefgh")); n != 4 || err != pipeline.ErrClosed {
				t.Errorf("%s: Write returned %d and %v, the 4 bytes there was room for and ErrClosed were expected", name, n, err)
			}
		}, func() bool {
			end(w, src)
			return true
		})
		for what, err := range map[string]error{"Write": second(w.Write([]byte("a"))), "Write of nothing": second(w.Write(nil)), "Flush": w.Flush()} {
			if err != pipeline.ErrClosed {
				t.Errorf("%s: then %s returned %v, ErrClosed was expected", name, what, err)
			}
		}
		pipelinetest.Close(turn, src)
	}
}

func second(_ int, err error) error { return err }

func TestWriterOfALoopThatHasStopped(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	w, src := pipeline.NewWriter(turn, 4)
	wantChunk(t, "nothing was written", turn, src, "")
	turn.Stop()
	if n, err := w.Write([]byte("abcdefgh")); n != 4 || err != pipelinetest.ErrStopped {
		t.Errorf("Write returned %d and %v, the refusal of the loop was expected", n, err)
	}
	if _, err := w.Write([]byte("a")); err != pipeline.ErrClosed {
		t.Errorf("then Write returned %v, ErrClosed was expected", err)
	}
	pipelinetest.Close(turn, src)
}

// An error drops what was not due, so that it comes first if nothing was; Close drops nothing.
func TestWriterCloseWithErrorDropsWhatIsNotDue(t *testing.T) {
	for _, c := range []struct {
		why     string
		flushed string
		end     error
		want    []string
	}{
		{"nothing was flushed", "", errTest, nil},
		{"some was flushed", "ab", errTest, []string{"ab"}},
		{"there is no error", "ab", nil, []string{"abcd"}},
		{"nothing was flushed and there is no error", "", nil, []string{"cd"}},
	} {
		turn := pipelinetest.NewTurn(t, 1)
		w, src := pipeline.NewWriter(turn, 100)
		write(t, w, c.flushed)
		if err := w.Flush(); err != nil {
			t.Errorf("Flush returned %v", err)
		}
		write(t, w, "cd")
		w.CloseWithError(c.end)
		w.CloseWithError(io.ErrUnexpectedEOF) // only the first counts
		wantEnd := c.end
		if wantEnd == nil {
			wantEnd = io.EOF
		}
		chunks, err := pipelinetest.Drain(turn, src)
		if got := string(bytes.Join(chunks, nil)); got != string(bytes.Join(bytesOf(c.want), nil)) || err != wantEnd {
			t.Errorf("%s: %q and %v came out, %q and %v were expected", c.why, got, err, c.want, wantEnd)
		}
		pipelinetest.Close(turn, src)
	}
}

func bytesOf(texts []string) (all [][]byte) {
	for _, text := range texts {
		all = append(all, []byte(text))
	}
	return all
}

// A chunk stays as it is until the next Poll, whatever is written meanwhile (law 7).
func TestWriterDoesNotTouchWhatItHasHandedOut(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	w, src := pipeline.NewWriter(turn, 4)
	write(t, w, "abcd")
	chunk, _ := pipelinetest.Poll(turn, src)
	write(t, w, "efgh")
	if string(chunk) != "abcd" {
		t.Errorf("a chunk was %q after something else was written, and %q before", chunk, "abcd")
	}
	wantChunk(t, "four more were written", turn, src, "efgh")
	pipelinetest.Close(turn, src)
}

// puller polls a source on a loop whenever it is woken, keeps what comes, and closes it at its end or after a number of chunks.
type puller struct {
	src  pipeline.Source[[]byte]
	left int // chunks until it is closed
	got  []byte
	done chan error // gets the end
}

func (p *puller) Wake() { p.pull() } // the loops of these tests have no other tasks

func (p *puller) pull() {
	for {
		chunk, err := p.src.Poll(p)
		switch {
		case err == pipeline.ErrPending:
			return
		case err != nil, p.left == 0:
			p.src.Close()
			p.done <- err
			return
		}
		p.left--
		p.got = append(p.got, chunk...)
	}
}

// Writers on goroutines of their own, whose consumers leave at any time: none waits for ever, and nothing is lost
// before that.
func TestWritersRace(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	loop := newLoopGoroutine()
	text := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	var working sync.WaitGroup
	for i := range 64 {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		w, src := pipeline.NewWriter(loop, 1+random.IntN(3000))
		p := &puller{src: src, left: random.IntN(100), done: make(chan error, 1)}
		if i%2 == 0 {
			p.left = -1 // reads to the end
		}
		working.Go(func() {
			for left := text; len(left) > 0; {
				n := min(len(left), 1+random.IntN(2000))
				if _, err := w.Write(left[:n]); err != nil {
					return
				}
				left = left[n:]
				if random.IntN(4) == 0 && w.Flush() != nil {
					return
				}
			}
			_ = w.Close()
		})
		working.Go(func() {
			if err := loop.Post(p.pull); err != nil {
				t.Errorf("the loop refused a post: %v", err)
				return
			}
			err := <-p.done
			if !bytes.HasPrefix(text, p.got) || err == io.EOF && len(p.got) != len(text) {
				t.Errorf("consumer %d got %d bytes of %d that are not the first, or not all: %v", i, len(p.got), len(text), err)
			}
		})
	}
	working.Wait()
	loop.stop()
}

// A loop may stop while goroutines write: each ends with an error.
func TestWritersRaceWithTheStopOfTheLoop(t *testing.T) {
	for range 200 {
		loop := newLoopGoroutine()
		w, src := pipeline.NewWriter(loop, 64)
		p := &puller{src: src, left: -1, done: make(chan error, 1)}
		if err := loop.Post(p.pull); err != nil {
			t.Fatal(err)
		}
		var working sync.WaitGroup
		working.Go(func() {
			for {
				if _, err := w.Write([]byte("something")); err != nil {
					return
				}
			}
		})
		loop.stop()
		src.Close() // as who stops a loop does with what it holds
		working.Wait()
	}
}

// In steady state nothing is allocated.
func TestWriterAllocatesNothingInSteadyState(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	w, src := pipeline.NewWriter(turn, 1<<10)
	text := make([]byte, 600)
	round := func() {
		_, _ = w.Write(text)
		_, _ = src.Poll(turn)
	}
	round()
	round()
	if n := testing.AllocsPerRun(100, round); n > 0 {
		t.Errorf("a chunk costs %v allocations, none was expected", n)
	}
	pipelinetest.Close(turn, src)
}

// BenchmarkWriter is what a write of 4 KiB costs on its way to a loop.
func BenchmarkWriter(b *testing.B) {
	loop := newLoopGoroutine()
	defer loop.stop()
	b.ReportAllocs()
	b.SetBytes(4 << 10)
	w, src := pipeline.NewWriter(loop, 32<<10)
	d := &discarding{src: src, done: make(chan struct{})}
	if err := loop.Post(d.Wake); err != nil {
		b.Fatal(err)
	}
	text := make([]byte, 4<<10)
	for range b.N {
		if _, err := w.Write(text); err != nil {
			b.Fatal(err)
		}
	}
	_ = w.Close()
	<-d.done
}

// discarding polls a source to its end.
type discarding struct {
	src  pipeline.Source[[]byte]
	done chan struct{}
}

func (d *discarding) Wake() {
	for {
		if _, err := d.src.Poll(d); err == pipeline.ErrPending {
			return
		} else if err != nil {
			d.src.Close()
			close(d.done)
			return
		}
	}
}
