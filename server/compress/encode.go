package compress

import (
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// Gzip is the stage that codes src as gzip (RFC 1952). Whenever src is pending, what has
// come of it so far leaves: whoever decodes it sees every byte as soon as it is there.
//
// Between two polls it holds no encoder, only the last bytes of src, to which what comes next
// can refer: a stream that waits holds about 5 KiB. So a great many of them may be open. A
// failure of src ends it without the end of the coding.
func Gzip(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	return &encoded{src: src, encoder: new(gzipEncoder)}
}

// Zstd is the stage that codes src as one frame of Zstandard (RFC 8878), with a window of
// 128 KiB. Like [Gzip] it gives what has come whenever src is pending.
//
// A frame needs its encoder to the end: a stream that is open holds about 640 KiB. Where
// strangers may open many and keep them open, Gzip is the better choice.
func Zstd(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	return &encoded{src: src, encoder: new(zstdEncoder)}
}

// An encoder codes one stream.
type encoder interface {
	// write codes b and keeps nothing of it.
	write(b []byte)
	// flush returns the code of what was written since the last flush; if last, with the
	// end of the coding. It is valid until recycle.
	flush(last bool) ([]byte, error)
	// recycle says that what flush has returned is not looked at any more.
	recycle()
	// release gives back whatever the encoder holds. It may be called again.
	release()
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
	src     pipeline.Source[[]byte] // nil once closed
	encoder encoder
	rest    []byte // of the latest chunk, not coded yet; src is polled only when it is empty
	end     error
}

func (s *encoded) Poll(w pipeline.Waker) ([]byte, error) {
	s.encoder.recycle()
	if s.end != nil {
		s.encoder.release()
		return nil, s.end
	}
	taken, err := s.gather(w)
	switch {
	case err == io.EOF:
		s.end = err
		return s.code(true)
	case err != nil && err != pipeline.ErrPending:
		s.end = err
	}
	if taken > 0 {
		return s.code(false)
	}
	if err == nil { // only empty chunks
		w.Wake()
		err = pipeline.ErrPending
	}
	return nil, err
}

// gather writes what src has to the encoder. An error is why it has not gone on.
func (s *encoded) gather(w pipeline.Waker) (taken int, err error) {
	for chunks := 0; taken < pollSize; {
		if len(s.rest) == 0 {
			if chunks == maxChunks {
				break
			}
			chunks++
			if s.rest, err = s.src.Poll(w); err != nil {
				s.rest = nil
				return taken, err
			}
		}
		n := min(len(s.rest), pollSize-taken)
		s.encoder.write(s.rest[:n])
		s.rest = s.rest[n:]
		taken += n
	}
	return taken, nil
}

func (s *encoded) code(last bool) ([]byte, error) {
	b, err := s.encoder.flush(last)
	if err != nil {
		s.end = err
		return nil, err
	}
	return b, nil
}

func (s *encoded) Close() {
	src := s.src
	if src == nil {
		return
	}
	s.src, s.rest = nil, nil
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	s.encoder.recycle()
	s.encoder.release()
	src.Close()
}
