package pipeline

import (
	"fmt"
	"io"
	"sync"
)

// Theory.
//
// A Writer is two buffers that change places: a goroutine that blocks fills the one, the consumer on the loop has the
// other, and a Poll swaps them. So a chunk is valid until the next Poll (law 7) without a copy, nothing is allocated
// once both have grown, and the memory is bounded by twice the buffer.
//
// What was written is due when it was flushed, when it fills half of the buffer, or when the writer was closed; the
// consumer is woken then and not before. Half, so that the goroutine can go on writing while the wake-up is on its way.

// A Writer writes to a source on a goroutine that may block, as an io.Writer. Write waits while the buffer is full, so
// the goroutine goes as fast as the consumer takes it: for the body of a response, as fast as the client does.
//
// Its methods may be called on any goroutine but the loop's, except for CloseWithError, which never waits.
type Writer struct {
	loop     Poster
	capacity int
	wakeFunc func() // w.wake, made once for all posts

	mu      sync.Mutex // guards what follows; never held while foreign code runs
	room    sync.Cond  // there is room in waiting, or there will never be
	waiting []byte     // was written and not handed out
	due     int        // how much of waiting must be handed out
	lent    []byte     // was handed out last, and is filled next
	end     error      // behind waiting
	closed  bool       // by the consumer
	posted  bool       // wakeFunc is waiting in the loop
	waker   Waker      // of the latest Poll if that returned ErrPending, until it is woken
}

// written is the other side of a Writer.
type written struct{ w *Writer }

// NewWriter returns a writer, and the source of what is written, which is polled on loop. The buffer is the number of
// bytes that may wait to be handed out; as many again may be in the hands of the consumer. Memory grows with what is
// written. NewWriter panics if buffer is less than 1.
func NewWriter(loop Poster, buffer int) (*Writer, Source[[]byte]) {
	if buffer < 1 {
		panic(fmt.Sprintf("pipeline: NewWriter was given a buffer of %d bytes, at least 1 was expected", buffer))
	}
	w := &Writer{loop: loop, capacity: buffer}
	w.wakeFunc = w.wake
	w.room.L = &w.mu
	return w, written{w}
}

// Write copies p into the buffer, and waits whenever that is full. What it has copied leaves when the writer is flushed
// or closed, or half of the buffer is full. It returns ErrClosed when the consumer has closed the source, or the
// writer was closed, and the loop's error when that has stopped; then written is what was copied before.
func (w *Writer) Write(p []byte) (copied int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for copied < len(p) {
		for len(w.waiting) >= w.capacity && !w.over() {
			w.room.Wait()
		}
		if w.over() {
			break
		}
		copied += w.take(p[copied:])
		if 2*len(w.waiting) >= w.capacity {
			if err := w.makeDue(); err != nil {
				return copied, err
			}
		}
	}
	if copied < len(p) || len(p) == 0 && w.over() {
		return copied, ErrClosed
	}
	return copied, nil
}

// take copies into the buffer what there is room for. It is called with mu held.
func (w *Writer) take(p []byte) int {
	have := len(w.waiting)
	n := min(w.capacity-have, len(p))
	if have+n > cap(w.waiting) {
		grown := make([]byte, have, min(max(have+n, 2*cap(w.waiting)), w.capacity))
		copy(grown, w.waiting)
		w.waiting = grown
	}
	w.waiting = append(w.waiting, p[:n]...)
	return n
}

// Flush has the consumer get what was written so far. It does not wait for that. The errors are those of Write.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over() {
		return ErrClosed
	}
	if len(w.waiting) == 0 {
		return nil
	}
	return w.makeDue()
}

// Close ends the source with io.EOF, behind what was written. It returns nil.
func (w *Writer) Close() error {
	w.CloseWithError(nil)
	return nil
}

// CloseWithError ends the source with err, or, if that is nil, as Close does. With an error, what was written and is
// not due yet is dropped: so if nothing has been due, the consumer gets the error first. Only the first call counts. A
// Write that waits returns ErrClosed.
func (w *Writer) CloseWithError(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over() {
		return
	}
	if err == nil {
		w.end, w.due = io.EOF, len(w.waiting)
	} else {
		w.end, w.waiting = ending(err), w.waiting[:w.due]
	}
	w.room.Broadcast()
	_ = w.post() // a loop that has stopped needs no end
}

// over says that nothing can be written any more. It is called with mu held.
func (w *Writer) over() bool { return w.closed || w.end != nil }

// makeDue makes what was written due. It is called with mu held, and lets go of it meanwhile.
func (w *Writer) makeDue() error {
	w.due = len(w.waiting)
	return w.post()
}

// post has the consumer woken if it waits and is not being woken already. It is called with mu held, and lets go of it
// meanwhile.
func (w *Writer) post() error {
	if w.waker == nil || w.posted {
		return nil
	}
	w.posted = true
	w.mu.Unlock()
	err := w.loop.Post(w.wakeFunc)
	w.mu.Lock()
	if err != nil {
		w.close() // the loop is gone, and with it the only one who would have closed
	}
	return err
}

// wake runs on the loop.
func (w *Writer) wake() {
	w.mu.Lock()
	w.posted = false
	waker := w.waker
	w.waker = nil
	w.mu.Unlock()
	if waker != nil {
		waker.Wake()
	}
}

// close is what the consumer's Close does. It is called with mu held.
func (w *Writer) close() {
	w.closed = true
	if w.end == nil || len(w.waiting) > 0 {
		w.end = ErrClosed // an end behind bytes that nobody will read was not reached
	}
	w.waiting, w.lent, w.due, w.waker = nil, nil, 0, nil
	w.room.Broadcast()
}

// Poll hands out what was written, all of it, when some of it is due.
func (s written) Poll(waker Waker) ([]byte, error) {
	w := s.w
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waker = nil
	if w.due > 0 {
		w.lent, w.waiting, w.due = w.waiting, w.lent[:0], 0
		w.room.Broadcast()
		return w.lent, nil
	}
	if w.end != nil {
		return nil, w.end
	}
	w.waker = waker
	return nil, ErrPending
}

// Close has Write return ErrClosed, also one that waits. What was not handed out is dropped.
func (s written) Close() {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if !s.w.closed {
		s.w.close()
	}
}
