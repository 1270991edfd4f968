package layer

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
)

// gate is a writer that holds each Write until it is let through.
type gate struct {
	entered chan []byte   // what Write was called with
	passes  chan struct{} // one for each Write
	out     bytes.Buffer
	err     error
}

func newGate() *gate { return &gate{entered: make(chan []byte), passes: make(chan struct{})} }

func (g *gate) Write(b []byte) (int, error) {
	g.entered <- b
	<-g.passes
	if g.err != nil {
		return 0, g.err
	}
	return g.out.Write(b)
}

func writeLine(t *testing.T, w *LogWriter, line string) {
	t.Helper()
	if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
		t.Errorf("the line %q should be taken, and Write returned %d and %v", line, n, err)
	}
}

// While the writer below is held up, lines are taken up to the limit, and those over it are dropped and counted.
func TestLogWriterNeverBlocks(t *testing.T) {
	g := newGate()
	w := NewLogWriter(g, 8)
	writeLine(t, w, "one\n")
	<-g.entered
	for _, line := range []string{"two\n", "too long to fit\n", "x\n", "four\n", "y\n", "z\n"} {
		writeLine(t, w, line)
	}
	if got := w.Dropped(); got != 3 {
		t.Errorf("of the lines that did not fit into 8 bytes 3 should be dropped, and %d were", got)
	}
	g.passes <- struct{}{}
	if got := string(<-g.entered); got != "two\nx\ny\n" {
		t.Errorf("what waited should be written at once, and that is %q", got)
	}
	g.passes <- struct{}{}
	if err := w.Close(context.Background()); err != nil {
		t.Errorf("Close should return no error, and returned %v", err)
	}
	if got := g.out.String(); got != "one\ntwo\nx\ny\n" {
		t.Errorf("the log is %q", got)
	}
}

func TestLogWriterGivesTheRoomOfAHugeLineBack(t *testing.T) {
	g := newGate()
	w := NewLogWriter(g, 8)
	writeLine(t, w, "one\n")
	<-g.entered
	writeLine(t, w, "two\n")
	writeLine(t, w, strings.Repeat("x", 1<<20))
	w.mu.Lock()
	if room := cap(w.waiting); room > 16 {
		t.Errorf("after a line that was dropped there should be room for 16 bytes at most, and there is for %d", room)
	}
	w.mu.Unlock()
	g.passes <- struct{}{}
	<-g.entered
	g.passes <- struct{}{}
	if err := w.Close(context.Background()); err != nil || g.out.String() != "one\ntwo\n" {
		t.Errorf("the other lines should be written, and are %q (%v)", g.out.String(), err)
	}
}

func TestFlushWaitsForTheLinesBefore(t *testing.T) {
	g := newGate()
	w := NewLogWriter(g, 1<<10)
	writeLine(t, w, "one\n")
	<-g.entered
	writeLine(t, w, "two\n")
	given, cancel := context.WithCancelCause(context.Background())
	impatience := errors.New("as the test wants it")
	cancel(impatience)
	if err := w.Flush(given); err != impatience {
		t.Errorf("Flush should return what its context ended with, and returned %v", err)
	}
	flushed := make(chan error)
	go func() { flushed <- w.Flush(context.Background()) }()
	g.passes <- struct{}{}
	<-g.entered
	g.passes <- struct{}{}
	if err := <-flushed; err != nil {
		t.Errorf("Flush should return no error, and returned %v", err)
	}
	if err := w.Flush(context.Background()); err != nil {
		t.Errorf("Flush with nothing to do should return at once, without an error, and returned %v", err)
	}
	if err := w.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if err := w.Flush(context.Background()); err != nil {
		t.Errorf("Flush after Close should return without an error, and returned %v", err)
	}
}

func TestLogWriterTellsOfAFailureOnce(t *testing.T) {
	g := newGate()
	g.err = errors.New("as the test wants it")
	w := NewLogWriter(g, 1<<10)
	writeLine(t, w, "one\n")
	<-g.entered
	writeLine(t, w, "two\n")
	writeLine(t, w, "three\n")
	g.passes <- struct{}{}
	<-g.entered
	g.passes <- struct{}{}
	if err := w.Flush(context.Background()); !errors.Is(err, g.err) || !strings.Contains(err.Error(), "1 lines") {
		t.Errorf("Flush should return the writer's first error, and returned %v", err)
	}
	if got := w.Dropped(); got != 3 {
		t.Errorf("3 lines were lost, and Dropped says %d", got)
	}
	if err := w.Close(context.Background()); err != nil {
		t.Errorf("an error that was returned once should not be returned again, and Close returned %v", err)
	}
}

func TestLogWriterAfterClose(t *testing.T) {
	var out bytes.Buffer
	w := NewLogWriter(&out, 1<<10)
	for range 2 {
		if err := w.Close(context.Background()); err != nil {
			t.Errorf("Close should return no error, and returned %v", err)
		}
	}
	if n, err := w.Write([]byte("late\n")); n != 0 || err != ErrLogClosed {
		t.Errorf("Write after Close should return ErrLogClosed, and returned %d and %v", n, err)
	}
	if w.Dropped() != 1 || out.Len() != 0 {
		t.Errorf("a line that comes too late should be counted, and not written: %d, %q", w.Dropped(), out.String())
	}
}

func TestLogWriterOnManyGoroutines(t *testing.T) {
	var out bytes.Buffer
	w := NewLogWriter(&out, 1<<20)
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 500 {
				if _, err := w.Write([]byte("a line\n")); err != nil {
					t.Errorf("the line should be taken: %v", err)
				}
			}
			if err := w.Flush(context.Background()); err != nil {
				t.Errorf("Flush should return no error, and returned %v", err)
			}
		})
	}
	writers.Wait()
	if err := w.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if got := strings.Count(out.String(), "a line\n"); got != 4000 || w.Dropped() != 0 || out.Len() != 4000*7 {
		t.Errorf("of 4000 lines %d were written and %d dropped", got, w.Dropped())
	}
}

func TestNewLogWriterRefusesALimitOfNothing(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a limit of 0 should be refused")
		}
	}()
	NewLogWriter(&bytes.Buffer{}, 0)
}
