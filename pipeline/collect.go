package pipeline

import "io"

// Collect returns all the bytes of src as one slice, which is the receiver's for good, and then ends; for an empty src
// that slice is empty. Of more than limit bytes it ends with a *LimitError instead. Memory grows with the bytes that
// came, not with limit. A negative limit is 0.
func Collect(src Source[[]byte], limit int) Source[[]byte] {
	return &collected{upstream: upstream[[]byte]{src: src}, limit: max(limit, 0), bytes: []byte{}}
}

type collected struct {
	upstream[[]byte]
	limit int
	bytes []byte // what has come so far
}

func (s *collected) Poll(w Waker) ([]byte, error) {
	if s.end != nil {
		return nil, s.end
	}
	for range maxChunks {
		chunk, err := s.poll(w)
		switch {
		case err == ErrPending:
			return nil, ErrPending
		case err == io.EOF:
			return s.take(), nil
		case err != nil:
			s.take()
			return nil, err
		case len(chunk) > s.limit-len(s.bytes):
			s.take()
			return nil, s.fail(&LimitError{Subject: "the content", Limit: int64(s.limit)})
		}
		s.bytes = append(s.bytes, chunk...)
	}
	w.Wake()
	return nil, ErrPending
}

func (s *collected) Close() {
	s.take()
	s.upstream.Close()
}

// take hands over what has come so far and forgets it.
func (s *collected) take() []byte {
	taken := s.bytes
	s.bytes = nil
	return taken
}
