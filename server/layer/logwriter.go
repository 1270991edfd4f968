package layer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// ErrLogClosed is returned by [LogWriter.Write] after Close.
var ErrLogClosed = errors.New("layer: a line was written to a LogWriter after its Close")

// A LogWriter takes the lines of a log on the loops and has them written on one goroutine of
// its own, so that a slow disk or pipe never holds a loop. What waits is bounded: a line
// that finds no room is dropped and counted. All methods may be called on any goroutine.
//
// What it writes at once are whole lines, as many as wait.
type LogWriter struct {
	out     io.Writer
	limit   int
	wake    chan struct{} // holds one note that there is something to do; closed by Close
	stopped chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex // guards what follows; never held while out is written to
	waiting []byte
	lines   uint64 // in waiting
	spare   []byte // the buffer that was written last
	flushed []chan struct{}
	dropped uint64
	err     error // of out, until somebody was told
	closed  bool
}

// NewLogWriter returns a writer whose lines go to out, which no one else writes to until
// Close has returned. limit is how many bytes may wait while others are written, and so
// half of what the writer may hold. It panics if limit is less than 1.
func NewLogWriter(out io.Writer, limit int) *LogWriter {
	if limit < 1 {
		panic(fmt.Sprintf("layer: NewLogWriter was given the limit %d, at least 1 was expected", limit))
	}
	w := &LogWriter{out: out, limit: limit, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	go w.run()
	return w
}

// Write takes line, which it copies: one line with its newline, or several that belong
// together. It never blocks. A line that finds no room is dropped and counted, which is no
// error; the only error is [ErrLogClosed].
func (w *LogWriter) Write(line []byte) (int, error) {
	if !w.append(func(b []byte) []byte { return append(b, line...) }) {
		return 0, ErrLogClosed
	}
	return len(line), nil
}

// append has f append a line to what waits, without a copy between. It returns false after
// Close.
func (w *LogWriter) append(f func([]byte) []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		w.dropped++
		return false
	}
	before := len(w.waiting)
	if w.waiting = f(w.waiting); len(w.waiting) > w.limit {
		w.waiting = w.waiting[:before]
		if cap(w.waiting) > 2*w.limit { // one huge line must not leave its room behind
			w.waiting = append(make([]byte, 0, w.limit), w.waiting...)
		}
		w.dropped++
		return true
	}
	w.lines++
	w.note()
	return true
}

// note has the goroutine look for something to do. It is called with mu held.
func (w *LogWriter) note() {
	select {
	case w.wake <- struct{}{}:
	default: // it has been told
	}
}

// Dropped returns how many lines were lost: for want of room, since the writer below failed,
// or since they came after Close.
func (w *LogWriter) Dropped() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.dropped
}

// Flush waits until every line that was taken before has been written, or has failed to be,
// and returns the first error of the writer below that was not returned yet. When ctx ends
// before that it returns ctx's error; the lines still wait to be written.
func (w *LogWriter) Flush(ctx context.Context) error {
	w.mu.Lock()
	done := w.stopped
	if !w.closed {
		done = make(chan struct{})
		w.flushed = append(w.flushed, done)
		w.note()
	}
	w.mu.Unlock()
	return w.await(ctx, done)
}

// Close has the writer take no more lines, and then does as Flush does. The writer below is
// not closed.
func (w *LogWriter) Close(ctx context.Context) error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.wake)
	}
	w.mu.Unlock()
	return w.await(ctx, w.stopped)
}

func (w *LogWriter) await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	w.err = nil
	return err
}

// run is the goroutine of the writer.
func (w *LogWriter) run() {
	defer close(w.stopped)
	for range w.wake { // a note that was there at Close still comes
		w.writeWaiting()
	}
}

// writeWaiting writes what waits.
func (w *LogWriter) writeWaiting() {
	w.mu.Lock()
	lines, count, flushed := w.waiting, w.lines, w.flushed
	w.waiting, w.spare = w.spare[:0], nil
	w.lines, w.flushed = 0, nil
	w.mu.Unlock()
	var err error
	if len(lines) > 0 {
		_, err = w.out.Write(lines)
	}
	w.mu.Lock()
	w.spare = lines
	if err != nil {
		w.dropped += count
		if w.err == nil {
			w.err = fmt.Errorf("layer: %d lines of the log could not be written: %w", count, err)
		}
	}
	w.mu.Unlock()
	for _, f := range flushed {
		close(f)
	}
}
