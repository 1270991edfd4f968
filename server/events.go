package server

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/penstock-go/penstock/pipeline"
)

// defaultPing is how long an event stream may be silent before a comment is sent on it.
const defaultPing = 15 * time.Second

// eventFields are the fields of every event stream: nobody on the way may keep it back.
var eventFields = &fieldNode{
	field: Field{Name: "X-Accel-Buffering", Value: "no"},
	earlier: &fieldNode{
		field:   Field{Name: "Cache-Control", Value: "no-store"},
		earlier: &fieldNode{field: Field{Name: "Content-Type", Value: "text/event-stream"}},
	},
}

// Events is a response that stays open and sends the events of source as an event stream
// (Server-Sent Events, WHATWG HTML, section 9.2), each as soon as the client takes it. It
// is open-ended: see [Response.OpenEnded]. It ends when source does, when the client has
// gone, and when the server is shut down; source is closed then. At a shutdown the body gets
// its proper end.
//
// While source has no event, a comment is sent every 15 seconds, or as often as
// [Response.Ping] says, so that neither a proxy nor the client takes the stream for dead,
// and a client that has gone is noticed.
//
// The request is valid until the head of this response has been sent, not until it ends:
// what source needs of the request it takes out before. So a stream that waits holds
// neither the request nor its parser.
func Events(source pipeline.Source[Event]) Response {
	// The two are made in one piece: each event goes through both, and what many
	// connections need of memory that is not in the cache is most of what they cost.
	both := &struct {
		flow
		eventEncoder
	}{flow{length: -1, ping: defaultPing}, eventEncoder{events: source}}
	both.flow.source = &both.eventEncoder
	return Response{
		outline: 200 | kindStream | isOpenEnded | isEvents | releasesRequest,
		fields:  eventFields,
		flow:    &both.flow,
	}
}

// Ping sets how long the stream of an [Events] may be silent before a comment is sent on
// it; it is kept to within a second. Not positive: no comments are sent. A comment goes through
// the stages of [Response.MapBody] as an event does. Other responses are returned as they are.
func (r Response) Ping(interval time.Duration) Response {
	if r.outline.has(isEvents) {
		f := *r.flow
		f.ping = max(interval, 0)
		r.flow = &f
	}
	return r
}

// LastEventID returns the id of the last event that the client has got before it
// reconnected, from the Last-Event-ID field (WHATWG HTML, section 9.2.4). It is "" when
// there is none, and when the field is malformed: it comes more than once, or is not valid
// UTF-8.
func (r *Request) LastEventID() string {
	id, found := "", false
	for name, value := range r.Fields().All() {
		if !strings.EqualFold(name, "Last-Event-ID") {
			continue
		}
		if found || !utf8.ValidString(value) {
			return ""
		}
		id, found = value, true
	}
	return id
}

// NewTopic returns a topic of events. Each is checked and encoded once, however many
// subscribers it has. If the topic replays, each has the ID of its message, which is its own
// if it has one: so [Request.LastEventID] and [pipeline.After] find where a client has left off.
//
// limit is how many bytes an encoded event may have: Publish refuses a larger one with a
// *[pipeline.LimitError], and one that cannot be sent with an error that says why. The
// functions ID and Prepare of o are set by NewTopic.
func NewTopic(limit int, o pipeline.TopicOptions[Event]) *pipeline.Topic[Event] {
	o.ID = func(e Event) string { return e.ID }
	o.Prepare = func(id string, e Event) (Event, error) {
		if o.Replay > 0 {
			e.ID = id
		}
		return e.encode(limit)
	}
	return pipeline.NewTopic(o)
}

// encode returns the event with its bytes.
func (e Event) encode(limit int) (Event, error) {
	e.shared = nil
	if err := e.check(); err != nil {
		return Event{}, err
	}
	b := e.appendTo(nil)
	if len(b) > limit {
		return Event{}, &pipeline.LimitError{Subject: "the event", Limit: int64(limit)}
	}
	e.shared = &encodedEvent{event: e, bytes: b}
	return e, nil
}
