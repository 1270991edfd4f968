package pipeline

import (
	"errors"
	"io"
	"runtime/debug"
	"sync/atomic"

	"github.com/valyala/bytebufferpool"
)

// Theory.
//
// What src gives is copied to a buffer, for a chunk is valid only until src is polled or closed, and a client may leave
// while a worker writes. The buffer is written by one task on the pool, which ends when it has written: so a source that
// is slow holds no worker, and while the worker writes nobody polls src, which is the back-pressure.
//
// Rules, and what each is for:
//
//   - buffer, written, failure, complete and released are owned by the task from its submission until deliver has run,
//     or for good if that was refused, and else by the loop. busy, which says who, is the loop's.
//   - Who owns them closes the writer, once: the task, behind the last byte, or when it finds that the source was closed;
//     the loop, by another task, if no task was on its way when it was closed. So nothing is written to a writer that
//     was closed, and a writer is closed although its loop has stopped.

// CopyTo writes all bytes of src to w, in their order, and gives their number when the last was written; then it ends.
// It is for a writer that blocks, such as a file: Write is called on goroutines of pool, by one at a time.
//
// No goroutine is held while src has nothing, and src is not polled during a Write. What src gives at once is put
// together up to 64 KiB, so at most that and one chunk are in memory, and none while src has nothing.
//
// CopyTo owns w. If w has a method CloseWithError(error) error, it is called once when nothing is written any more: with
// nil behind the last byte, so that w can make final what it holds, and else, when the source is closed, with the error
// that it has ended with, or ErrClosed, so that w can undo it. If w has Close() error instead, that is called in both
// cases. It is called on a goroutine of pool, or, if pool refuses when the source is closed early, on one of its own.
//
// An error of Write, and one of the method that closes w behind the last byte, ends the stream unchanged. It ends with
// io.ErrShortWrite if Write returns too small a number and no error, with a *PanicError if w panics, and with the error
// of pool, unchanged, if that refuses a task. There is at most one task for each CopyTo: a pool of its own, with a queue
// as long as there may be copies, never refuses. Close does not interrupt a Write, and does not wait for it.
func CopyTo(loop Poster, pool Executor, src Source[[]byte], w io.Writer) Source[int64] {
	s := &copied{loop: loop, pool: pool, src: src, w: w}
	s.taskFunc, s.deliverFunc = s.task, s.deliver
	return s
}

// copySize is how many bytes are put together for one Write.
const copySize = 64 << 10

var errCopyExited = errors.New("pipeline: the writer of a CopyTo ended its goroutine instead of returning")

// copied is owned by the loop's goroutine, but for what the rules say.
type copied struct {
	loop        Poster
	pool        Executor
	src         Source[[]byte] // nil once closed
	w           io.Writer
	taskFunc    func() // s.task and s.deliver, made once for all tasks
	deliverFunc func()
	waker       Waker // of the latest Poll if that returned ErrPending
	end         error // what Poll returns once the number was read
	ready       bool  // the number is there to be read
	busy        bool
	closed      atomic.Bool // set by Close, read by the task

	buffer   *bytebufferpool.ByteBuffer // nil while there is nothing to write
	written  int64
	complete bool  // src has ended
	failure  error // of the task that was delivered last
	released bool  // w was closed, or is about to be
}

func (s *copied) Poll(w Waker) (int64, error) {
	switch {
	case s.ready:
		s.ready = false
		return s.written, nil
	case s.end != nil:
		return 0, s.end
	}
	if !s.busy {
		if err := s.gather(w); err != nil {
			return 0, err
		}
		s.busy = true
		if err := s.pool.Submit(s.taskFunc); err != nil {
			s.busy = false
			s.end = ending(err)
			return 0, s.end
		}
	}
	s.waker = w
	return 0, ErrPending
}

// gather fills the buffer. It returns nil when there is something for a task to do.
func (s *copied) gather(w Waker) error {
	for range maxChunks {
		if s.complete || s.gathered() >= copySize {
			return nil
		}
		chunk, err := s.src.Poll(w)
		switch {
		case err == nil:
			s.add(chunk)
		case err == io.EOF:
			s.complete = true
		case err != ErrPending:
			s.end = err
			return err
		case s.gathered() > 0:
			return nil
		default:
			s.dropBuffer() // it may be long before there is more
			return err
		}
	}
	if s.gathered() == 0 {
		w.Wake()
		return ErrPending
	}
	return nil
}

func (s *copied) gathered() int {
	if s.buffer == nil {
		return 0
	}
	return len(s.buffer.B)
}

func (s *copied) add(chunk []byte) {
	if s.buffer == nil {
		s.buffer = bytebufferpool.Get()
	}
	s.buffer.B = append(s.buffer.B, chunk...)
}

func (s *copied) dropBuffer() {
	if b := s.buffer; b != nil {
		s.buffer = nil
		bytebufferpool.Put(b)
	}
}

// task runs on a worker's goroutine. What must be done in any case is deferred, so that it is done after a panic and a
// runtime.Goexit too.
func (s *copied) task() {
	s.failure = errCopyExited
	defer func() {
		if p := recover(); p != nil {
			s.failure = &PanicError{Value: p, Stack: debug.Stack()}
		}
		if s.closed.Load() {
			_ = s.release(ErrClosed)
		} else if err := s.loop.Post(s.deliverFunc); err != nil {
			_ = s.release(err)
		}
	}()
	s.failure = s.write()
}

// write writes the buffer, and closes the writer behind the last byte.
func (s *copied) write() error {
	if s.closed.Load() {
		return ErrClosed
	}
	if s.gathered() > 0 {
		n, err := s.w.Write(s.buffer.B)
		if err == nil && n < len(s.buffer.B) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return err
		}
		s.written += int64(n)
		s.buffer.Reset()
	}
	if s.complete && !s.closed.Load() {
		return s.release(nil)
	}
	return nil
}

// deliver runs on the loop when a task has ended.
func (s *copied) deliver() {
	s.busy = false
	switch {
	case s.closed.Load():
		s.dropBuffer()
		s.releaseLater(ErrClosed)
		return
	case s.failure != nil:
		s.end = ending(s.failure)
	case s.complete:
		s.ready, s.end = true, io.EOF
	}
	if w := s.waker; w != nil {
		s.waker = nil
		w.Wake()
	}
}

func (s *copied) Close() {
	src := s.src
	if src == nil {
		return
	}
	s.src, s.waker = nil, nil
	if s.end == nil || s.ready {
		s.end, s.ready = ErrClosed, false
	}
	s.closed.Store(true)
	src.Close()
	if !s.busy { // else the task does it, or deliver
		s.dropBuffer()
		s.releaseLater(s.end)
	}
}

// releaseLater has a worker close the writer.
func (s *copied) releaseLater(cause error) {
	if s.released {
		return
	}
	task := func() { _ = s.release(cause) }
	if s.pool.Submit(task) != nil {
		go task()
	}
}

// release closes the writer, if that was not done and it can be closed. cause is nil if it has got everything.
func (s *copied) release(cause error) error {
	if s.released {
		return nil
	}
	s.released = true
	switch w := s.w.(type) {
	case interface{ CloseWithError(error) error }:
		return w.CloseWithError(cause)
	case io.Closer:
		return w.Close()
	}
	return nil
}
