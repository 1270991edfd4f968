package compress

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Gunzip is the stage that decodes src, one or more members of gzip (RFC 1952). Of a content
// of more than limit bytes it gives the first limit bytes and then ends with a
// *[pipeline.LimitError], whose status is 413; however much src would decode to, no more than
// a piece of it is in memory. What is not gzip, is cut short, or has anything behind the last
// member ends with a *[server.Error] of status 400. A negative limit is 0.
//
// Until it ends, a stream of which something has come holds about 65 KiB.
func Gunzip(src pipeline.Source[[]byte], limit int64) pipeline.Source[[]byte] {
	return pipeline.Limit(&decoded{src: src, coding: codingGzip, decode: gunzip}, limit)
}

// Unzstd is the stage that decodes src, one or more frames of Zstandard (RFC 8878). What
// [Gunzip] says of limit and of errors holds. A frame whose window is larger than 8 MiB is
// refused (RFC 9659); dictionaries are not known.
//
// A frame holds twice its window and up to 256 KiB besides. But the window is taken for no
// larger than limit and a block of 128 KiB, and nothing of a frame is decoded before it is
// whole or a 64th of its window has come. So what a client costs is bounded by what it has
// sent; and a frame that comes bit by bit, with a large window, is not decoded as it comes.
func Unzstd(src pipeline.Source[[]byte], limit int64) pipeline.Source[[]byte] {
	limit = max(limit, 0)
	decode := func(in io.Reader, yield func([]byte) bool) error { return unzstd(in, limit, yield) }
	return pipeline.Limit(&decoded{src: src, coding: codingZstd, decode: decode}, limit)
}

// decoded is a decoder as a source.
//
// Theory. A decoder wants to read: it calls Read of what is below it and cannot be told that
// there is nothing yet. So it runs as a coroutine (iter.Pull), which is not a goroutine that
// anybody waits for: it runs only while Poll is in next, on the goroutine of Poll, and stops
// where it yields. It yields for two reasons: Read has no input, then the value is nil; or
// it has decoded something. A suspended one costs its stack and what the decoder holds.
//
// Rules:
//
//  1. src is polled only when the coroutine has said that it has no input.
//  2. It is not resumed before there is input, or its end.
//  3. It gives back what it has taken from a pool when it returns, and it returns in the
//     end: at the end of its stream, or when stop has Read fail.
//
// Owned by the loop goroutine.
type decoded struct {
	src    pipeline.Source[[]byte] // nil once closed
	coding coding
	// decode reads coded bytes from in and gives what they mean to yield, until that returns
	// false. It returns nil when the coding has ended well.
	decode func(in io.Reader, yield func([]byte) bool) error

	next   func() ([]byte, bool) // resumes the coroutine; nil before the first Poll
	stop   func()
	yield  func([]byte) bool
	failed error // what decode has returned

	input    []byte // not read yet, of the latest chunk
	inputEnd error
	hungry   bool // Read waits for input
	end      error
}

var errStopped = errors.New("compress: the stream was closed while it was decoded")

func (s *decoded) Poll(w pipeline.Waker) ([]byte, error) {
	if s.end != nil {
		return nil, s.end
	}
	if s.next == nil {
		s.hungry = true // so that a stream of which nothing has come holds nothing
		s.next, s.stop = iter.Pull(s.run)
	}
	for range maxChunks {
		if s.hungry {
			if err := s.feed(w); err != nil {
				return nil, err
			}
		}
		out, more := s.next()
		switch {
		case !more:
			s.end = s.ending()
			return nil, s.end
		case out != nil:
			return out, nil
		}
		s.hungry = true
	}
	w.Wake()
	return nil, pipeline.ErrPending
}

// feed gets the next chunk for the coroutine, or the end of src.
func (s *decoded) feed(w pipeline.Waker) error {
	chunk, err := s.src.Poll(w)
	switch err {
	case nil:
		s.input = chunk
	case pipeline.ErrPending:
		return err
	default:
		s.inputEnd = err
	}
	s.hungry = false
	return nil
}

// run is the coroutine.
func (s *decoded) run(yield func([]byte) bool) {
	s.yield = yield
	s.failed = s.decode(s, yield)
}

// Read is called within the coroutine. It suspends it while there is no input.
func (s *decoded) Read(p []byte) (int, error) {
	for len(s.input) == 0 {
		if s.inputEnd != nil {
			return 0, s.inputEnd
		}
		if !s.yield(nil) {
			return 0, errStopped
		}
	}
	n := copy(p, s.input)
	s.input = s.input[n:]
	return n, nil
}

// ending says how the stream has ended, when the coroutine has returned.
func (s *decoded) ending() error {
	var limit *pipeline.LimitError
	switch {
	case s.failed == nil:
		return io.EOF
	case s.inputEnd != nil && s.inputEnd != io.EOF:
		return s.inputEnd
	case errors.As(s.failed, &limit):
		return limit
	case errors.Is(s.failed, io.EOF), errors.Is(s.failed, io.ErrUnexpectedEOF):
		return badRequest("The content ends before its coding, %s, is complete.", s.coding)
	}
	return badRequest("The content is not what its coding, %s, says: %v.", s.coding, s.failed)
}

func badRequest(format string, args ...any) error {
	return &server.Error{Code: http.StatusBadRequest, Message: fmt.Sprintf(format, args...)}
}

func (s *decoded) Close() {
	src := s.src
	if src == nil {
		return
	}
	s.src, s.input = nil, nil
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	if s.stop != nil {
		s.stop()
	}
	src.Close()
}

// copyOut gives what r has to yield, by way of buffer, and returns nil at its end.
func copyOut(r io.Reader, buffer []byte, yield func([]byte) bool) error {
	for {
		n, err := r.Read(buffer)
		if n > 0 && !yield(buffer[:n]) {
			return errStopped
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// decodedSize is how much of what is decoded is one chunk, at most.
const decodedSize = 16 << 10
