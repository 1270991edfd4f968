package pipeline

import "fmt"

// Limit passes src on as long as it has n bytes or fewer. Of a longer one it passes exactly the first n bytes and then
// ends with a *LimitError. A negative n is 0.
func Limit(src Source[[]byte], n int64) Source[[]byte] {
	n = max(n, 0)
	return &limited{upstream: upstream[[]byte]{src: src}, limit: n, rest: n}
}

type limited struct {
	upstream[[]byte]
	limit int64
	rest  int64 // bytes that may still pass
}

func (s *limited) Poll(w Waker) ([]byte, error) {
	chunk, err := s.poll(w)
	if err != nil {
		return nil, err
	}
	if int64(len(chunk)) <= s.rest {
		s.rest -= int64(len(chunk))
		return chunk, nil
	}
	// The end is set now, for the next Poll, and the bytes below the limit still pass: how src is cut must not show.
	end := s.fail(&LimitError{Subject: "the content", Limit: s.limit})
	if s.rest == 0 { // an empty chunk would have the receiver begin an answer that has failed already
		return nil, end
	}
	return chunk[:s.rest], nil
}

// LimitError ends a stream that had more bytes than were allowed.
type LimitError struct {
	Subject string // what was too long: "the content", "a line", "the event"
	Limit   int64  // the most bytes it may have
}

// Error says what was too long and how long it may be.
func (e *LimitError) Error() string {
	return fmt.Sprintf("pipeline: %s is longer than the %d bytes allowed", e.Subject, e.Limit)
}

// Status is 413, Content Too Large (RFC 9110 section 15.5.14).
func (e *LimitError) Status() int { return 413 }

// Public is the sentence for the client.
func (e *LimitError) Public() string {
	return fmt.Sprintf("%s is longer than the %d bytes allowed", e.Subject, e.Limit)
}
