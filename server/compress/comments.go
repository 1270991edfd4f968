package compress

import (
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// commented is an event stream with a comment in each silence: when two ticks have come
// since the last bytes. A comment stands only where an event may begin, which is at the
// start and behind an empty line. Owned by the loop goroutine.
type commented struct {
	events pipeline.Source[[]byte] // nil once closed
	ticks  pipeline.Source[time.Duration]
	silent bool    // there was a tick since the last bytes
	end    [2]byte // the last bytes; none have come while it is zero
}

// comment is what nobody is shown (WHATWG HTML, section 9.2.6).
const comment = ":\n\n"

func (s *commented) Poll(w pipeline.Waker) ([]byte, error) {
	if s.events == nil {
		return nil, pipeline.ErrClosed
	}
	chunk, err := s.events.Poll(w)
	if err == nil {
		s.silent = false
		for _, b := range chunk[max(0, len(chunk)-2):] {
			s.end = [2]byte{s.end[1], b}
		}
	}
	if err != pipeline.ErrPending {
		return chunk, err
	}
	if !s.ticked(w) {
		return nil, err
	}
	if due := s.silent && (s.end == [2]byte{} || s.end == [2]byte{'\n', '\n'}); due {
		s.silent = false
		return []byte(comment), nil
	}
	s.silent = true
	s.ticked(w) // w waits for the next
	return nil, err
}

// ticked says whether a tick has come; if not, w is woken by it.
func (s *commented) ticked(w pipeline.Waker) bool {
	_, err := s.ticks.Poll(w)
	return err == nil
}

func (s *commented) Close() {
	events := s.events
	if events == nil {
		return
	}
	s.events = nil
	s.ticks.Close()
	events.Close()
}
