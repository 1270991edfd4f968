package compress

import (
	"io"

	"github.com/valyala/bytebufferpool"

	"github.com/penstock-go/penstock/pipeline"
)

// Gzip is the stage that codes src as gzip (RFC 1952). Whenever src is pending, what has
// come of it so far leaves: whoever decodes it sees every byte as soon as it is there.
//
// Between two polls it holds no encoder, only the last bytes of src, to which what comes next
// can refer: a stream that waits holds about 3 KiB. So a great many of them may be open. A
// failure of src ends it without the end of the coding.
func Gzip(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	return &encoded{src: src, encoder: new(gzipEncoder)}
}

// Zstd is the stage that codes src as Zstandard (RFC 8878). Like [Gzip] it gives what has come
// whenever src is pending, and a failure of src ends it.
//
// What leaves together is a frame of its own, of at most 64 KiB decoded: the frames are one
// content together (RFC 8878, section 3.1). So a stream that waits holds nothing, but no
// frame refers to the one before: pieces of some KiB get shorter, and a short event longer.
// For event streams Gzip is the better choice, as it is for clients that take the first frame
// for the whole content.
func Zstd(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	return &encoded{src: src, encoder: new(zstdEncoder)}
}

// An encoder codes one content, piece by piece. It holds nothing but what the next piece
// needs of those before.
type encoder interface {
	// encode appends the code of plain to out, so that it can be decoded at once; if last,
	// with the end of the coding. It keeps neither.
	encode(out *bytebufferpool.ByteBuffer, plain []byte, last bool) error
}

const (
	// pollSize bounds the bytes that are coded in one poll, and so how long it takes.
	pollSize = 64 << 10
	// maxChunks is how many chunks are taken from upstream in one poll.
	maxChunks = 32
)

// encoded gathers what src has, up to a bound, and codes it in one piece. Owned by the loop
// goroutine.
type encoded struct {
	src     pipeline.Source[[]byte]    // nil once closed
	encoder encoder                    // nil at the end
	output  *bytebufferpool.ByteBuffer // what the last Poll has returned, or nil
	rest    []byte                     // of the latest chunk, not coded yet; src is polled only when it is empty
	end     error
}

func (s *encoded) Poll(w pipeline.Waker) ([]byte, error) {
	s.recycle()
	if s.end != nil {
		return nil, s.end
	}
	plain := bytebufferpool.Get()
	defer bytebufferpool.Put(plain)
	err := s.gather(plain, w)
	if err != nil && err != pipeline.ErrPending {
		s.end = err
	}
	code, codeErr := s.code(plain.B, err == io.EOF)
	if codeErr != nil {
		s.end = codeErr
	}
	if s.end != nil {
		s.encoder = nil
	}
	switch {
	case len(code) > 0:
		return code, nil
	case s.end != nil:
		return nil, s.end
	case err == nil: // only empty chunks
		w.Wake()
	}
	return nil, pipeline.ErrPending
}

// gather appends what src has to plain. An error is why it has not gone on.
func (s *encoded) gather(plain *bytebufferpool.ByteBuffer, w pipeline.Waker) (err error) {
	for chunks := 0; len(plain.B) < pollSize; {
		if len(s.rest) == 0 {
			if chunks == maxChunks {
				break
			}
			chunks++
			if s.rest, err = s.src.Poll(w); err != nil {
				s.rest = nil
				return err
			}
		}
		n := min(len(s.rest), pollSize-len(plain.B))
		plain.B = append(plain.B, s.rest[:n]...)
		s.rest = s.rest[n:]
	}
	return nil
}

// code returns the code of plain, if there is any or it is the last.
func (s *encoded) code(plain []byte, last bool) ([]byte, error) {
	if len(plain) == 0 && !last {
		return nil, nil
	}
	s.output = bytebufferpool.Get()
	if err := s.encoder.encode(s.output, plain, last); err != nil {
		return nil, err
	}
	return s.output.B, nil
}

// recycle gives back what is not looked at any more.
func (s *encoded) recycle() {
	if b := s.output; b != nil {
		s.output = nil
		bytebufferpool.Put(b)
	}
}

func (s *encoded) Close() {
	src := s.src
	if src == nil {
		return
	}
	s.src, s.rest, s.encoder = nil, nil, nil
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	s.recycle()
	src.Close()
}

// encodeAll returns content in the coding c, in one piece.
func encodeAll(c coding, content []byte) ([]byte, error) {
	var e encoder = new(gzipEncoder)
	if c == codingZstd {
		e = new(zstdEncoder)
	}
	out := bytebufferpool.Get()
	defer bytebufferpool.Put(out)
	if err := e.encode(out, content, true); err != nil {
		return nil, err
	}
	return append([]byte(nil), out.B...), nil
}
