package server

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"golang.org/x/sys/unix"
)

// A subscriber is a session whose handler answers with the events of a queue.
type subscriber struct {
	*session
	events *pipeline.Queue[Event]
	closed int
}

func newSubscriber(t *testing.T, o Options, ping time.Duration) *subscriber {
	t.Helper()
	s := &subscriber{}
	s.session = newSession(t, func(r *Request) Response {
		if r.Path() == "/hello" {
			return hello(r)
		}
		s.events = pipeline.NewQueue[Event](r.Loop(), 1000, pipeline.Refuse)
		return Events(pipeline.OnClose(s.events, func() { s.closed++ })).Ping(ping)
	}, o)
	return s
}

func (s *subscriber) push(e Event) {
	s.t.Helper()
	if err := s.events.Push(e); err != nil {
		s.t.Fatalf("the event should be taken by the stream, and was refused: %v", err)
	}
	s.loop.Settle()
}

// wantGone checks that the stream was closed with the connection.
func (s *subscriber) wantGone(why string, reason CloseReason) {
	s.t.Helper()
	s.wantClosed(why, reason)
	if err := s.events.Push(Event{Data: "x"}); err != pipeline.ErrClosed || s.closed != 1 {
		s.t.Errorf("%s: the source should be closed once; it was closed %d times, and Push returned %v", why, s.closed, err)
	}
}

func TestEventsAreAnOpenResponse(t *testing.T) {
	s := newSubscriber(t, Options{}, time.Minute)
	s.send(getRequest)
	head := s.wantAnswers("before the first event", "200")
	for _, field := range []string{"Content-Type: text/event-stream\r\n", "Cache-Control: no-store\r\n",
		"X-Accel-Buffering: no\r\n", "Transfer-Encoding: chunked\r\n"} {
		if !strings.Contains(head, field) {
			t.Errorf("the head should have the line %q:\n%s", field, head)
		}
	}
	s.push(Event{ID: "1", Data: "one"})
	if got := s.receive(); got != "11\r\nid: 1\ndata: one\n\n\r\n" {
		t.Errorf("the first event came as %q", got)
	}
	s.events.Finish(nil)
	s.loop.Settle()
	if got := s.receive(); got != "0\r\n\r\n" {
		t.Errorf("at the end of the source the stream should end, and the client got %q", got)
	}
	s.send("GET /hello HTTP/1.1\r\nHost: test\r\n\r\n")
	s.wantAnswers("the connection goes on behind a stream that has ended", "200")
}

// What the memory of many subscribers rests on.
func TestEventStreamThatWaitsHoldsNoRequest(t *testing.T) {
	var request *Request
	s := newSession(t, func(r *Request) Response {
		request = r
		return Events(pipeline.NewQueue[Event](r.Loop(), 1, pipeline.Refuse))
	}, Options{Strict: true})
	s.send(getRequest)
	s.wantAnswers("the head of the stream", "200")
	if s.conn.core.exchange != nil || s.conn.input != nil || s.conn.core.out != nil {
		t.Error("an event stream that waits should hold no exchange and no buffer")
	}
	if len(s.local.exchanges) != 1 {
		t.Errorf("the loop should have the exchange back, and has %d", len(s.local.exchanges))
	}
	defer func() {
		if recover() == nil {
			t.Error("a request that was given back should be caught when it is used")
		}
	}()
	request.Method()
}

func TestResponseHookKeepsTheRequestOfAnEventStream(t *testing.T) {
	var sent int64
	var path string
	var hooks Hooks
	hooks.Response = func(r *Request, status int, bytes int64) { sent, path = bytes, r.Path() }
	s := newSubscriber(t, Options{Hooks: hooks}, time.Minute)
	s.send("GET /stream HTTP/1.1\r\nHost: test\r\n\r\n")
	s.wantAnswers("the head of the stream", "200")
	s.push(Event{Data: "x"})
	s.events.Finish(nil)
	s.loop.Settle()
	if path != "/stream" || sent != int64(len("data: x\n\n")) {
		t.Errorf("the hook got the path %q and %d bytes; it should get /stream and 9", path, sent)
	}
}

func TestSilentEventStreamSendsComments(t *testing.T) {
	const ping = 10 * time.Second
	const comment = "3\r\n:\n\n\r\n"
	s := newSubscriber(t, Options{}, ping)
	s.send(getRequest)
	s.wantAnswers("the head of the stream", "200")
	s.loop.Advance(ping - time.Millisecond)
	if got := s.receive(); got != "" {
		t.Errorf("before its interval is over nothing should be sent, and the client got %q", got)
	}
	s.loop.Advance(time.Millisecond)
	if got := s.receive(); got != comment {
		t.Errorf("after its interval a comment should be sent, and the client got %q", got)
	}
	s.loop.Advance(ping / 2)
	s.push(Event{Data: "x"})
	if got := s.receive(); got != "9\r\ndata: x\n\n\r\n" {
		t.Errorf("the event should be sent alone, and the client got %q", got)
	}
	s.loop.Advance(ping - time.Millisecond)
	if got := s.receive(); got != "" {
		t.Errorf("an event should put the comment off, and the client got %q", got)
	}
	// A wake without a reason must not.
	s.conn.Wake()
	s.loop.Settle()
	if got := s.receive(); got != "" {
		t.Errorf("a wake without a reason should send nothing, and the client got %q", got)
	}
	s.loop.Advance(time.Millisecond)
	if got := s.receive(); got != comment {
		t.Errorf("a comment should be due an interval after the event, and the client got %q", got)
	}
	s.loop.Advance(3 * ping)
	if got := s.receive(); got != strings.Repeat(comment, 3) {
		t.Errorf("in three intervals of silence three comments should be sent, and the client got %q", got)
	}
}

func TestEventStreamWithoutPingIsSilent(t *testing.T) {
	s := newSubscriber(t, Options{}, 0)
	s.send(getRequest)
	s.wantAnswers("the head of the stream", "200")
	s.loop.Advance(24 * time.Hour)
	if got := s.receive(); got != "" {
		t.Errorf("without an interval nothing should be sent, and the client got %q", got)
	}
	s.wantOpen("no timeout ends a stream that has nothing to send")
}

func TestSubscriberThatLeavesIsNoticedAtOnce(t *testing.T) {
	s := newSubscriber(t, Options{}, time.Minute)
	s.send(getRequest)
	s.wantAnswers("the head of the stream", "200")
	s.finish()
	s.wantGone("the client has closed its sending side", ReasonClientClosed)

	s = newSubscriber(t, Options{}, time.Minute)
	s.send(getRequest)
	if err := unix.Close(s.peer); err != nil {
		t.Fatal(err)
	}
	s.loop.Settle()
	s.wantGone("the client is gone with bytes unread", ReasonConnectionLost)
}

func TestContextOfAnEventStreamIsCancelled(t *testing.T) {
	var ctx context.Context
	s := newSession(t, func(r *Request) Response {
		ctx = r.Context()
		return Events(pipeline.NewQueue[Event](r.Loop(), 1, pipeline.Refuse))
	}, Options{})
	s.send(getRequest)
	s.wantAnswers("the head of the stream", "200")
	if s.conn.core.exchange != nil || ctx.Err() != nil {
		t.Errorf("the request should be given back, and its context go on; it says %v", ctx.Err())
	}
	s.finish()
	if !errors.Is(context.Cause(ctx), ErrClientGone) {
		t.Errorf("the cause of the context should be that the client has gone, and is %v", context.Cause(ctx))
	}
}

// More requests behind an open stream wait, and cost what they are, not a read buffer.
func TestRequestsBehindAnEventStreamWait(t *testing.T) {
	const behind = "GET /hello HTTP/1.1\r\nHost: test\r\n\r\n"
	for _, together := range []bool{true, false} {
		s := newSubscriber(t, Options{}, time.Minute)
		if together {
			s.send(getRequest + behind)
		} else {
			s.send(getRequest)
			s.send(behind)
		}
		s.wantAnswers("only the stream is answered", "200")
		if s.conn.input != nil {
			t.Error("the connection should hold no read buffer while its stream waits")
		}
		s.push(Event{Data: "x"})
		if got := s.receive(); got != "9\r\ndata: x\n\n\r\n" {
			t.Errorf("the event should be sent as ever, and came as %q", got)
		}
		s.events.Finish(nil)
		s.loop.Settle()
		s.wantAnswers("the request behind the stream is answered when that has ended", "200")
	}
}

func TestSubscriberWithABody(t *testing.T) {
	s := newSubscriber(t, Options{}, time.Minute)
	s.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhel")
	s.wantAnswers("a body that nobody reads holds nothing up", "200")
	s.push(Event{Data: "x"})
	if got := s.receive(); got != "9\r\ndata: x\n\n\r\n" {
		t.Errorf("the event should be sent as ever, and came as %q", got)
	}
	s.events.Finish(nil)
	s.loop.Settle()
	s.send("loGET /hello HTTP/1.1\r\nHost: test\r\n\r\n")
	s.wantAnswers("behind the body the connection goes on", "200")
}

func TestHeadOfAnEventStream(t *testing.T) {
	s := newSubscriber(t, Options{}, time.Minute)
	s.send("HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
	if got := s.wantAnswers("HEAD", "200"); !strings.HasSuffix(got, "\r\n\r\n") || !strings.Contains(got, "text/event-stream") {
		t.Errorf("HEAD should be answered with the head alone, and the client got %q", got)
	}
	if s.closed != 1 {
		t.Errorf("the source should be closed once at once, and was closed %d times", s.closed)
	}
	s.wantOpen("HEAD was answered")
}

func TestEventStreamToHTTP10EndsWithTheConnection(t *testing.T) {
	s := newSubscriber(t, Options{}, time.Minute)
	s.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
	s.wantAnswers("the head of the stream", "200")
	s.push(Event{Data: "x"})
	if got := s.receive(); got != "data: x\n\n" {
		t.Errorf("HTTP/1.0 knows no chunks, and the event came as %q", got)
	}
	s.events.Finish(nil)
	s.loop.Settle()
	s.wantGone("the end of the connection is the end of the stream", ReasonAnswered)
}

func TestEventThatCannotBeSent(t *testing.T) {
	bad := Event{Name: "a\nb", Data: "x"}
	s := newSession(t, func(*Request) Response { return Events(pipeline.Once(bad)) }, Options{})
	s.send(getRequest)
	s.wantAnswers("no head is out yet", "500")

	one := newSubscriber(t, Options{}, time.Minute)
	one.send(getRequest)
	one.wantAnswers("the head of the stream", "200")
	one.push(bad)
	one.wantGone("a stream whose event cannot be sent is cut", ReasonResponseFailed)
	if got := one.receive(); got != "" {
		t.Errorf("nothing of the event, and no proper end, should be sent; the client got %q", got)
	}
}

func TestShutdownEndsEventStreams(t *testing.T) {
	for _, hooked := range []bool{true, false} { // with the request and without
		var hooks Hooks
		if hooked {
			hooks.Response = func(*Request, int, int64) {}
		}
		s := newSubscriber(t, Options{Hooks: hooks}, time.Minute)
		s.send(getRequest)
		s.wantAnswers("the head of the stream", "200")
		s.local.drain()
		s.loop.Settle()
		if got := s.receive(); got != "0\r\n\r\n" {
			t.Errorf("the stream should end properly, and the client got %q", got)
		}
		s.wantGone("the server is shut down", ReasonAnswered)
	}
}

func TestSubscriberThatIsEvictedWhileItDoesNotRead(t *testing.T) {
	topic := NewTopic(1<<20, pipeline.TopicOptions[Event]{Backlog: 4, Policy: pipeline.Evict})
	s := newSession(t, func(r *Request) Response {
		return Events(topic.Subscribe(r.Loop(), pipeline.Newest))
	}, Options{WriteTimeout: -1})
	s.send(getRequest)
	s.wantAnswers("the head of the stream", "200")
	published := 0
	for ; s.reason == nil && published < 1000; published++ {
		if err := topic.Publish(Event{Data: string(filler(64 << 10))}); err != nil {
			t.Fatal(err)
		}
		s.loop.Settle()
	}
	s.wantClosed("the client reads nothing and falls behind", ReasonEvicted)
	if got := topic.Stats(); got.Evicted != 1 || got.Subscribers != 0 {
		t.Errorf("the topic should count one eviction and no subscriber left; it says %+v", got)
	}
}

// Eviction is what the topic was asked for: it is in the topic's counts, not in the log.
func TestSubscriberThatIsEvictedBetweenTwoPolls(t *testing.T) {
	var log strings.Builder
	s := newSession(t, func(*Request) Response {
		return Events(pipeline.Concat(pipeline.Once(Event{Data: "x"}), pipeline.Fail[Event](pipeline.ErrEvicted)))
	}, Options{})
	s.local.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s.send(getRequest)
	s.wantClosed("its stream says that it was too slow", ReasonEvicted)
	if got := s.receive(); strings.HasSuffix(got, "0\r\n\r\n") || log.Len() > 0 {
		t.Errorf("the stream should be cut, and nothing logged; the client got %q, the log %q", got, log.String())
	}
}

func TestLastEventID(t *testing.T) {
	for _, c := range []struct{ why, fields, want string }{
		{"none", "", ""},
		{"one", "Last-Event-ID: 17\r\n", "17"},
		{"in another case, in UTF-8", "last-event-id: \xc3\xa4 b\r\n", "\xc3\xa4 b"},
		{"not UTF-8", "Last-Event-ID: \xff\r\n", ""},
		{"twice", "Last-Event-ID: 1\r\nLast-Event-ID: 2\r\n", ""},
		{"empty", "Last-Event-ID:\r\n", ""},
	} {
		got := "not asked"
		s := newSession(t, func(r *Request) Response { got = r.LastEventID(); return Empty(204) }, Options{})
		s.send("GET / HTTP/1.1\r\nHost: test\r\n" + c.fields + "\r\n")
		if got != c.want {
			t.Errorf("%s: the id is %q; it should be %q", c.why, got, c.want)
		}
	}
}

// The server has no goroutine for a stream, whatever it waits for.
func TestEventStreamsHaveNoGoroutines(t *testing.T) {
	topic := NewTopic(1<<10, pipeline.TopicOptions[Event]{})
	s := newSession(t, func(r *Request) Response {
		return Events(topic.Subscribe(r.Loop(), pipeline.Newest))
	}, Options{})
	before := runtime.NumGoroutine()
	s.send(getRequest)
	s.wantAnswers("the head of the stream", "200")
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("there are %d goroutines with a stream and %d without", after, before)
	}
}
