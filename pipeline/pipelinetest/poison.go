package pipelinetest

import (
	"bytes"

	"github.com/penstock-go/penstock/pipeline"
)

// Poison returns src with law 7 enforced: each chunk is a copy that is overwritten at the next Poll or Close, so that
// who keeps it reads other bytes.
func Poison(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return &poisoned{src: src} }

// poison is what chunks are overwritten with.
const poison = 0xDB

type poisoned struct {
	src   pipeline.Source[[]byte]
	chunk []byte // handed out last
}

func (s *poisoned) Poll(w pipeline.Waker) ([]byte, error) {
	s.overwrite()
	chunk, err := s.src.Poll(w)
	if err != nil {
		return nil, err
	}
	s.chunk = bytes.Clone(chunk)
	return s.chunk, nil
}

func (s *poisoned) Close() {
	s.overwrite()
	s.src.Close()
}

func (s *poisoned) overwrite() {
	for i := range s.chunk {
		s.chunk[i] = poison
	}
	s.chunk = nil
}

// keep returns v so that it stays what it is: chunks of bytes are copied.
func keep[T any](v T) T {
	if chunk, ok := any(v).([]byte); ok {
		return any(bytes.Clone(chunk)).(T)
	}
	return v
}
