package server

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// someEvents returns n events, of which the last is larger than what is copied.
func someEvents(n int) []Event {
	events := make([]Event, n)
	for i := range events {
		events[i] = Event{ID: itoa(i), Name: "count", Data: strings.Repeat("line\n", i%3) + itoa(i)}
	}
	if n > 0 {
		events[n-1].Data = string(filler(2 * referenceSize))
	}
	return events
}

// sentEvents is what a client gets of someEvents.
func sentEvents(n int) string {
	var b []byte
	for _, e := range someEvents(n) {
		b = e.appendTo(b)
	}
	return string(b)
}

func TestEventIsEncodedAsTheStandardSays(t *testing.T) {
	for _, c := range []struct {
		why   string
		event Event
		want  string
	}{
		{"one line of data", Event{Data: "hello"}, "data: hello\n\n"},
		{"a space at the front stays, since the client takes one away", Event{Data: " x"}, "data:  x\n\n"},
		{"lines that end with LF", Event{Data: "a\nb\n"}, "data: a\ndata: b\ndata: \n\n"},
		{"lines that end with CR", Event{Data: "a\rb"}, "data: a\ndata: b\n\n"},
		{"lines that end with CRLF", Event{Data: "a\r\nb\r\n\r\nc"}, "data: a\ndata: b\ndata: \ndata: c\n\n"},
		{"LF before CR are two ends", Event{Data: "a\n\rb"}, "data: a\ndata: \ndata: b\n\n"},
		{"data that looks like a field", Event{Data: "a\nid: 7\n\nevent: x"}, "data: a\ndata: id: 7\ndata: \ndata: event: x\n\n"},
		{"a name with data", Event{Name: "tick", Data: "1"}, "event: tick\ndata: 1\n\n"},
		{"a name without data is an event all the same", Event{Name: "tick"}, "event: tick\ndata: \n\n"},
		{"an id alone is no event but counts", Event{ID: "7"}, "id: 7\n\n"},
		{"a retry time is in milliseconds, rounded up", Event{Retry: 1500*time.Millisecond + 1}, "retry: 1501\n\n"},
		{"a comment of two lines", Event{Comment: "a\rb"}, ": a\n: b\n\n"},
		{"everything", Event{ID: "x y", Name: "n", Data: "d", Retry: time.Second, Comment: "c"},
			": c\nid: x y\nevent: n\nretry: 1000\ndata: d\n\n"},
	} {
		if err := c.event.check(); err != nil {
			t.Errorf("%s: the event should be sent, and was refused: %v", c.why, err)
		}
		if got := string(c.event.appendTo(nil)); got != c.want {
			t.Errorf("%s: the event was sent as %q; it should be %q", c.why, got, c.want)
		}
	}
}

func TestEventThatWouldBreakTheStreamIsRefused(t *testing.T) {
	for _, c := range []struct {
		why, want string
		event     Event
	}{
		{"CR in an id", "LF", Event{ID: "a\rb", Data: "x"}},
		{"LF in an id", "LF", Event{ID: "a\n", Data: "x"}},
		{"NUL in an id, which clients ignore", "LF", Event{ID: "a\x00", Data: "x"}},
		{"an id that is not UTF-8", "UTF-8", Event{ID: "\xff", Data: "x"}},
		{"CR in a name", "CR or LF", Event{Name: "a\rdata: b", Data: "x"}},
		{"LF in a name", "CR or LF", Event{Name: "a\ndata: b", Data: "x"}},
		{"a negative retry time", "negative", Event{Retry: -1, Data: "x"}},
		{"nothing", "empty", Event{}},
	} {
		for _, topic := range []int{0, 1} {
			published := NewTopic(1<<10, pipeline.TopicOptions[Event]{Replay: topic}).Publish(c.event)
			if topic == 1 && c.event == (Event{}) {
				continue // it gets an id
			}
			if published == nil || !strings.Contains(published.Error(), c.want) {
				t.Errorf("%s: publishing it returned %v; that should say %q", c.why, published, c.want)
			}
		}
		turn := pipelinetest.NewTurn(t, 1)
		events := EncodeEvents(pipeline.Once(c.event))
		if b, err := pipelinetest.Poll(turn, events); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: it was encoded as %q with the error %v; that should say %q", c.why, b, err, c.want)
		}
		pipelinetest.Close(turn, events)
	}
}

func TestEncodeEventsKeepsTheLaws(t *testing.T) {
	shared, err := Event{Data: "shared"}.encode(100)
	if err != nil {
		t.Fatal(err)
	}
	events := []Event{{Data: "a"}, shared, {ID: "1", Data: "longer than the one before"}, {Name: "b"}}
	var want [][]byte
	for _, e := range events {
		want = append(want, e.appendTo(nil))
	}
	pipelinetest.TestStage(t, pipelinetest.StageCase[Event, []byte]{Stage: EncodeEvents, In: events, Want: want})
}

// An event that many get and one of them changes must not be sent as it was.
func TestChangedEventIsNotSentAsItWas(t *testing.T) {
	e, err := Event{Data: "before"}.encode(100)
	if err != nil {
		t.Fatal(err)
	}
	if b, ok := e.encoded(); !ok || string(b) != "data: before\n\n" {
		t.Errorf("the event should come with its bytes, and came with %q", b)
	}
	e.Data = "after"
	if b, ok := e.encoded(); ok {
		t.Errorf("the event was changed and would still be sent as %q", b)
	}
}

func TestTopicOfEventsEncodesOnceAndNumbers(t *testing.T) {
	topic := NewTopic(100, pipeline.TopicOptions[Event]{Replay: 10})
	turn := pipelinetest.NewTurn(t, 1)
	one := topic.Subscribe(turn, pipeline.Newest)
	two := topic.Subscribe(turn, pipeline.Newest)
	defer one.Close()
	defer two.Close()
	for _, e := range []Event{{Data: "a"}, {ID: "mine", Data: "b"}} {
		if err := topic.Publish(e); err != nil {
			t.Fatalf("publishing %v failed: %v", e, err)
		}
	}
	for turn.Step() {
	}
	for i := range 2 {
		first, err1 := one.Poll(turn)
		second, err2 := two.Poll(turn)
		b1, ok1 := first.encoded()
		b2, ok2 := second.encoded()
		if err1 != nil || err2 != nil || !ok1 || !ok2 || &b1[0] != &b2[0] {
			t.Errorf("event %d: both subscribers should get the same bytes; they got %q (%v) and %q (%v)", i, b1, err1, b2, err2)
		}
		if i == 0 && first.ID == "" || i == 1 && first.ID != "mine" {
			t.Errorf("event %d has the id %q; the topic should give one to an event without, and leave the other", i, first.ID)
		}
	}
	var limit *pipeline.LimitError
	if err := topic.Publish(Event{Data: strings.Repeat("x", 100)}); !errors.As(err, &limit) {
		t.Errorf("publishing an event over the limit returned %v; it should be a *pipeline.LimitError", err)
	}
}
