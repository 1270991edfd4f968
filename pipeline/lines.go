package pipeline

import (
	"bytes"
	"io"
	"math"
)

// Lines returns the lines of src without the LF or CRLF that ends them. Bytes after the last LF are a line too; a CR
// that no LF follows is part of its line. A line of more than limit bytes, its ending not counted, ends the stream
// with a *LimitError; when src fails, a line that was not complete is dropped. A negative limit is 0.
//
// A line is valid until the next Poll or Close. One that lies in a single chunk of src is not copied; of any other at
// most limit+1 bytes are kept.
func Lines(src Source[[]byte], limit int) Source[[]byte] {
	return &lines{upstream: upstream[[]byte]{src: src}, limit: min(max(limit, 0), math.MaxInt-1)}
}

// lines reads src chunk by chunk. The rules, which keep law 7 on both sides:
//   - rest is the part of the latest chunk not looked at yet. src is polled only when rest is empty, so that rest, and
//     any line cut from it, stays valid.
//   - start is a copy of the beginning of a line that the chunks so far did not end. It is handed out with its end
//     appended, and written to again only in a later Poll.
type lines struct {
	upstream[[]byte]
	limit int
	rest  []byte
	start []byte
}

func (s *lines) Poll(w Waker) ([]byte, error) {
	for range maxChunks {
		if i := bytes.IndexByte(s.rest, '\n'); i >= 0 {
			end := s.rest[:i]
			s.rest = s.rest[i+1:]
			return s.line(end)
		}
		if err := s.keep(); err != nil {
			return nil, err
		}
		chunk, err := s.poll(w)
		switch {
		case err == nil:
			s.rest = chunk
		case err == io.EOF && len(s.start) > 0:
			return s.last()
		default:
			return nil, err
		}
	}
	w.Wake()
	return nil, ErrPending
}

func (s *lines) Close() {
	s.rest, s.start = nil, nil
	s.upstream.Close()
}

// line returns the line that ends with end, in front of an LF.
func (s *lines) line(end []byte) ([]byte, error) {
	if len(s.start) > 0 {
		if len(s.start)+len(end) > s.limit+1 { // more than a CR too long, so not worth the copy
			return nil, s.tooLong()
		}
		end = append(s.start, end...)
		s.start = end[:0] // overwritten by the next Poll at the earliest
	}
	end = bytes.TrimSuffix(end, []byte{'\r'})
	if len(end) > s.limit {
		return nil, s.tooLong()
	}
	return end, nil
}

// last returns the line that the end of src ended.
func (s *lines) last() ([]byte, error) {
	last := s.start
	s.start = nil
	if len(last) > s.limit {
		return nil, s.tooLong()
	}
	return last, nil
}

// keep copies rest to start, before the next chunk makes it invalid. A line that is one byte above the limit is not too
// long yet if that byte is a CR, for an LF may follow.
func (s *lines) keep() error {
	if len(s.rest) == 0 {
		return nil
	}
	n := len(s.start) + len(s.rest)
	if n > s.limit+1 || n == s.limit+1 && !bytes.HasSuffix(s.rest, []byte{'\r'}) {
		return s.tooLong()
	}
	s.start = append(s.start, s.rest...)
	s.rest = nil
	return nil
}

func (s *lines) tooLong() error {
	s.rest, s.start = nil, nil
	return s.fail(&LimitError{Subject: "a line", Limit: int64(s.limit)})
}
