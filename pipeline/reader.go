package pipeline

import (
	"errors"
	"io"
	"sync"
)

// Theory.
//
// A Reader stands between a loop, which owns the source, and one goroutine that blocks. The goroutine asks, the loop
// polls and copies: a chunk is looked at only on the loop, within the call that has polled for it (law 7), so nothing
// is said about how long it must stay. The goroutine reads the copy while the loop does not touch it.
//
// Rules, and what each is for:
//
//   - The source is polled only while somebody waits in Read (asked): no demand, no bytes.
//   - At most one post is on its way (posted). It polls, or closes, or wakes the driver, whatever is to be done then.
//   - The buffer is written by the loop while asked is set, and read by the goroutine while it is not.
//   - Who finds the reader closed on the loop closes the source: the post that Close has made, or the poll that was
//     running. Off the loop it is closed only if the loop has refused the post, and neither of the two can come.

// A Reader reads the bytes of a source on a goroutine that may block, as an io.Reader. Each Read that has nothing left
// of the last chunk asks the loop for the next one, and waits; nothing is read ahead. It holds a copy of one chunk.
//
// Read and WriteTo are for one goroutine at a time, and not for the loop's. Close and CloseWithError may be called on any
// goroutine. PollWith is for the loop's.
type Reader struct {
	loop     Poster
	turnFunc func() // r.turn, made once for all posts

	// Owned by the loop.
	src    Source[[]byte]
	driver Waker // of the latest PollWith; nil: the reader polls in posts of its own

	mu      sync.Mutex // guards what follows; never held while foreign code runs
	arrived sync.Cond  // unread, or end, was set
	buffer  []byte     // memory of unread
	unread  []byte     // has come and was not read
	asked   bool       // Read waits for a chunk
	posted  bool       // turnFunc is waiting in the loop
	polling bool       // the loop is in the source's Poll
	closed  bool
	end     error // behind unread
}

var errReadPanicked = errors.New("pipeline: the source that a Reader was reading has panicked")

// NewReader returns a reader of src, which it owns: src is polled and closed on loop.
//
// A Read that waits ends with the source's next chunk, with its end, or with the reader's Close, and with nothing else:
// who has made the reader closes it when the goroutine is to give up, as when a client has left or a loop is stopped.
func NewReader(loop Poster, src Source[[]byte]) *Reader {
	r := &Reader{loop: loop, src: src}
	r.turnFunc = r.turn
	r.arrived.L = &r.mu
	return r
}

// Read gives what is left of the last chunk, or else waits for the next. It returns the error that the source has
// ended with, unchanged, so io.EOF at its end; what the reader was closed with; and the loop's error when that has
// stopped.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.await(); err != nil {
		return 0, err
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

// WriteTo writes to w all that is to come, without a buffer between: io.Copy uses it. It returns what Read would, but
// nil for io.EOF, or the error of w.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	for written := int64(0); ; {
		r.mu.Lock()
		err := r.await()
		chunk := r.unread
		r.unread = nil // the buffer is not written before the next await
		r.mu.Unlock()
		switch err {
		case nil:
		case io.EOF:
			return written, nil
		default:
			return written, err
		}
		n, err := w.Write(chunk)
		written += int64(n)
		if err != nil {
			return written, err
		}
	}
}

// await returns nil when there are bytes to read. It is called with mu held.
func (r *Reader) await() error {
	for len(r.unread) == 0 {
		switch {
		case r.end != nil:
			return r.end
		case r.asked:
			r.arrived.Wait()
		default:
			r.asked = true
			if err := r.post(); err != nil {
				r.finish(err)
			}
		}
	}
	return nil
}

// post has turn run on the loop, if it is not about to. It is called with mu held, and lets go of it meanwhile.
func (r *Reader) post() error {
	if r.posted {
		return nil
	}
	r.posted = true
	r.mu.Unlock()
	err := r.loop.Post(r.turnFunc)
	r.mu.Lock()
	if err != nil {
		r.posted = false
	}
	return err
}

// finish ends the stream behind what is unread. It is called with mu held.
func (r *Reader) finish(err error) {
	r.asked = false
	if r.end == nil {
		r.end = err
	}
	r.arrived.Broadcast()
}

// Close has Read return ErrClosed, also one that waits, and the source closed soon, on the loop. It returns nil.
func (r *Reader) Close() error {
	r.CloseWithError(ErrClosed)
	return nil
}

// CloseWithError is Close with another error than ErrClosed. Only the first call counts. If the loop has stopped, the
// source is closed on the goroutine of this call.
func (r *Reader) CloseWithError(err error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	if len(r.unread) > 0 {
		r.unread, r.end = nil, nil // an end that was not reached
	}
	r.finish(err)
	var refused error
	if !r.polling { // the poll closes it else
		refused = r.post()
	}
	r.mu.Unlock()
	if refused != nil {
		r.release()
	}
}

// PollWith has the source polled, if somebody waits in Read, with w as its waker. Who calls it once calls it for good:
// from then on the source is polled within PollWith only, and w is woken when calling it again may help. It is for a
// source that is to be polled in the turns of somebody else, as the body of a request is. It is called on the loop. Once
// the reader is closed it does nothing, and w is not woken any more.
func (r *Reader) PollWith(w Waker) {
	r.driver = w
	r.poll(w)
}

// turn runs on the loop, by a post.
func (r *Reader) turn() {
	r.mu.Lock()
	r.posted = false
	closed := r.closed
	r.mu.Unlock()
	switch {
	case closed:
		r.release()
	case r.driver != nil:
		r.driver.Wake()
	default:
		r.poll((*selfWaker)(r))
	}
}

// selfWaker is a Reader as the waker of its own polls.
type selfWaker Reader

// Wake has the reader poll again, in a post of its own, since nothing may be polled here.
func (w *selfWaker) Wake() {
	r := (*Reader)(w)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked {
		return
	}
	if err := r.post(); err != nil {
		r.finish(err)
	}
}

// poll runs on the loop. It polls the source until a chunk has come, if one was asked for.
func (r *Reader) poll(w Waker) {
	r.mu.Lock()
	if !r.asked {
		r.mu.Unlock()
		return
	}
	r.polling = true
	r.mu.Unlock()
	var chunk []byte
	err := errReadPanicked
	defer func() { r.polled(chunk, err) }()
	for range maxChunks { // chunks may be empty
		chunk, err = r.src.Poll(w)
		if err != nil || len(chunk) > 0 {
			return
		}
		err = errReadPanicked // if the next one panics
	}
	err = ErrPending
	w.Wake()
}

// polled keeps what came of a poll.
func (r *Reader) polled(chunk []byte, err error) {
	r.mu.Lock()
	r.polling = false
	closed := r.closed
	switch {
	case closed, err == ErrPending:
	case err != nil:
		r.finish(err)
	default:
		r.buffer = append(r.buffer[:0], chunk...)
		r.unread, r.asked = r.buffer, false
		r.arrived.Broadcast()
	}
	r.mu.Unlock()
	if closed {
		r.release()
	}
}

// release closes the source, once: see the rules.
func (r *Reader) release() {
	if src := r.src; src != nil {
		r.src = nil
		src.Close()
	}
}
