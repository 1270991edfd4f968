package server

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/penstock-go/penstock/pipeline"
)

// An Event is one event of an event stream (WHATWG HTML, section 9.2.6). The zero value of
// a field sends nothing for it; an event of which nothing is sent is an error.
type Event struct {
	// ID is what the client says in Last-Event-ID when it reconnects after this event.
	// It must be valid UTF-8 without CR, LF and NUL.
	ID string

	// Name is the type of the event, "message" when it is empty. It must not have CR or
	// LF.
	Name string

	// Data is sent as one line of data for each of its lines, which end with LF, CR or
	// CRLF; the client joins them with LF. An event that has a Name but no Data is sent
	// with an empty one; an event that has neither is not shown to the page, but its ID
	// and Retry count.
	Data string

	// Retry is how long the client waits before it reconnects from now on, rounded up
	// to the millisecond.
	Retry time.Duration

	// Comment is sent before the event, a line for each of its lines. No client shows it.
	Comment string

	shared *encodedEvent // nil unless many get the event: see NewTopic
}

// encodedEvent is an event that was encoded once, for many.
type encodedEvent struct {
	event Event // what was encoded
	bytes []byte
}

// encoded returns the bytes of an event that was encoded before and not changed since.
func (e Event) encoded() ([]byte, bool) {
	shared := e.shared
	if shared == nil {
		return nil, false
	}
	e.shared = nil
	return shared.bytes, e == shared.event
}

// check says what is wrong with the event.
func (e *Event) check() error {
	switch {
	case strings.ContainsAny(e.ID, "\r\n\x00"):
		return fmt.Errorf("server: the id of an event is %q, and must not have CR, LF or NUL", e.ID)
	case !utf8.ValidString(e.ID):
		return fmt.Errorf("server: the id of an event is %q, and must be valid UTF-8", e.ID)
	case strings.ContainsAny(e.Name, "\r\n"):
		return fmt.Errorf("server: the name of an event is %q, and must not have CR or LF", e.Name)
	case e.Retry < 0:
		return fmt.Errorf("server: the retry time of an event is %v, and must not be negative", e.Retry)
	case e.ID == "" && e.Name == "" && e.Data == "" && e.Retry == 0 && e.Comment == "":
		return fmt.Errorf("server: an event is empty: it has no id, name, data, retry time or comment")
	}
	return nil
}

// appendTo appends the event, which check has let pass, as it is sent.
func (e *Event) appendTo(b []byte) []byte {
	if e.Comment != "" {
		b = appendLines(b, ": ", e.Comment)
	}
	if e.ID != "" {
		b = appendLine(b, "id: ", e.ID)
	}
	if e.Name != "" {
		b = appendLine(b, "event: ", e.Name)
	}
	if e.Retry > 0 {
		b = append(b, "retry: "...)
		b = strconv.AppendInt(b, int64((e.Retry+time.Millisecond-1)/time.Millisecond), 10)
		b = append(b, '\n')
	}
	if e.Data != "" || e.Name != "" {
		b = appendLines(b, "data: ", e.Data)
	}
	return append(b, '\n')
}

func appendLine(b []byte, name, value string) []byte {
	b = append(b, name...)
	b = append(b, value...)
	return append(b, '\n')
}

// appendLines appends a line for each line of text, which CR, LF and CRLF separate.
func appendLines(b []byte, name, text string) []byte {
	for {
		end := strings.IndexAny(text, "\r\n")
		if end < 0 {
			return appendLine(b, name, text)
		}
		b = appendLine(b, name, text[:end])
		if text[end] == '\r' && strings.HasPrefix(text[end+1:], "\n") {
			end++
		}
		text = text[end+1:]
	}
}

// EncodeEvents is the stage from events to the bytes of an event stream: each event is one
// chunk. An event that cannot be sent ends the stream with an error.
func EncodeEvents(events pipeline.Source[Event]) pipeline.Source[[]byte] {
	return &eventEncoder{events: events}
}

// eventEncoder is small while events come encoded and go on. Owned by the loop goroutine.
type eventEncoder struct {
	events pipeline.Source[Event] // nil once closed
	own    *encoderState          // nil until it is needed
}

// encoderState is what an encoder has that has something to remember.
type encoderState struct {
	bytes []byte // of the last event that did not come encoded
	end   error
}

func (s *eventEncoder) state() *encoderState {
	if s.own == nil {
		s.own = new(encoderState)
	}
	return s.own
}

func (s *eventEncoder) Poll(w pipeline.Waker) ([]byte, error) {
	if s.own != nil && s.own.end != nil {
		return nil, s.own.end
	}
	event, err := s.events.Poll(w)
	if err == nil {
		if b, ok := event.encoded(); ok {
			return b, nil
		}
		err = event.check()
	}
	switch err {
	case nil:
		own := s.state()
		own.bytes = event.appendTo(own.bytes[:0])
		return own.bytes, nil
	case pipeline.ErrPending:
	default:
		s.state().end = err
	}
	return nil, err
}

func (s *eventEncoder) Close() {
	events := s.events
	if events == nil {
		return
	}
	s.events = nil
	if own := s.state(); own.end == nil {
		own.end = pipeline.ErrClosed
	}
	events.Close()
}
