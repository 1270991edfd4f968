package server_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// stream is a peer with an event stream open.
type stream struct {
	*peer
	lines *bufio.Scanner
}

// subscribe opens an event stream by sending request.
func (s *subject) subscribe(t testing.TB, why, request string) *stream {
	t.Helper()
	p := s.dial(t)
	p.send(request)
	response, err := http.ReadResponse(p.reader, nil)
	if err != nil || response.StatusCode != 200 || response.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s: an event stream is opened, not: %v, %v", why, response, err)
	}
	return &stream{p, bufio.NewScanner(response.Body)}
}

// wantData reads events until as many came as there are values, and compares their data.
func (st *stream) wantData(why string, values ...string) {
	st.t.Helper()
	for _, want := range values {
		got := "nothing"
		for st.lines.Scan() && st.lines.Text() != "" {
			if data, ok := strings.CutPrefix(st.lines.Text(), "data: "); ok {
				got = data
			}
		}
		if got != want {
			st.t.Fatalf("%s: the next event is %q, not %q (%v)", why, want, got, st.lines.Err())
		}
	}
}

// newsroom is a server whose streams get what is published to a topic.
type newsroom struct {
	*subject
	topic *pipeline.Topic[server.Event]
}

func newNewsroom(t *testing.T, o pipeline.TopicOptions[server.Event]) *newsroom {
	n := &newsroom{newSubject(), server.NewTopic(1<<20, o)}
	n.start(t, server.Options{}, func(r *server.Request) server.Response {
		if r.Path() != "/events" {
			return server.Text(200, r.Target())
		}
		return server.Events(n.topic.Subscribe(r.Loop(), pipeline.After(r.LastEventID())))
	})
	return n
}

func (n *newsroom) publish(t testing.TB, values ...string) {
	t.Helper()
	for _, v := range values {
		if err := n.topic.Publish(server.Event{ID: v, Data: v}); err != nil {
			t.Fatalf("what is published is taken: %v", err)
		}
	}
}

func TestHostileSubscribers(t *testing.T) {
	n := newNewsroom(t, pipeline.TopicOptions[server.Event]{Replay: 100})
	healthy := n.subscribe(t, "the healthy one", get("/events"))
	published := 0
	// news has everybody but the rude ones get another event.
	news := func(t *testing.T, others ...*stream) {
		t.Helper()
		published++
		value := strings.Repeat("n", published)
		n.publish(t, value)
		healthy.wantData("the healthy one gets every event", value)
		for _, o := range others {
			o.wantData("whoever is still there gets the event", value)
		}
		n.wantBystanderServed(t, "beside the streams")
	}
	news(t)

	t.Run("half-closes", func(t *testing.T) {
		p := n.subscribe(t, "before it half-closes", get("/events"))
		p.closeWrite()
		n.wantClosed(t, "a subscriber that half-closes has left", 1, server.ReasonClientClosed)
		news(t)
	})
	t.Run("resets", func(t *testing.T) {
		p := n.subscribe(t, "before it resets", get("/events"))
		p.reset()
		n.wantClosed(t, "a subscriber that resets is gone", 1, server.ReasonConnectionLost)
		news(t)
	})
	t.Run("sends requests behind the stream", func(t *testing.T) {
		p := n.subscribe(t, "with requests behind it", get("/events")+strings.Repeat(get("/behind"), 1000))
		p.send(strings.Repeat(get("/behind"), 1000))
		news(t, p)
		p.closeWrite()
		n.wantClosed(t, "it has left, and its requests with it", 1, server.ReasonClientClosed)
	})
	t.Run("sends a body", func(t *testing.T) {
		p := n.subscribe(t, "with a body", post("/events", "Content-Length: 100000", "the beginning"))
		news(t, p)
		p.send(strings.Repeat("x", 50000))
		news(t, p)
		p.reset()
		n.wantClosed(t, "it is gone in the middle of its body", 1, server.ReasonConnectionLost)
	})
	t.Run("says nonsense in Last-Event-ID", func(t *testing.T) {
		for _, fields := range []string{"Last-Event-ID: \xff\xfe", "Last-Event-ID: 1\r\nLast-Event-ID: 2", "Last-Event-ID:"} {
			p := n.subscribe(t, "the field is ignored", strings.Replace(get("/events"), "\r\n\r\n", "\r\n"+fields+"\r\n\r\n", 1))
			news(t, p)
			p.closeWrite()
			n.wantClosed(t, "it has left", 1, server.ReasonClientClosed)
		}
		p := n.subscribe(t, "an id that nobody gave", strings.Replace(get("/events"), "\r\n\r\n", "\r\nLast-Event-ID: unheard of\r\n\r\n", 1))
		p.wantData("everything that is kept comes", "n", "nn")
		p.closeWrite()
		n.wantClosed(t, "it has left", 1, server.ReasonClientClosed)
	})
	if got := n.topic.Stats().Subscribers; got != 1 {
		t.Errorf("the healthy one is left, and the topic counts %d subscribers", got)
	}
}

func TestHostileSubscriberThatNeverReads(t *testing.T) {
	n := newNewsroom(t, pipeline.TopicOptions[server.Event]{Backlog: 8, Policy: pipeline.Evict})
	healthy := n.subscribe(t, "the healthy one", get("/events"))
	n.subscribe(t, "the one that never reads", get("/events"))
	value := strings.Repeat("x", 60<<10)
	for n.topic.Stats().Evicted == 0 {
		n.publish(t, value)
		healthy.wantData("the healthy one gets every event", value)
	}
	n.wantClosed(t, "the one that never reads is evicted", 1, server.ReasonEvicted)
	n.publish(t, "still here")
	healthy.wantData("the healthy one is not", "still here")
}

func TestRequestsBehindAStreamAreAnsweredAfterIt(t *testing.T) {
	n := newNewsroom(t, pipeline.TopicOptions[server.Event]{})
	p := n.subscribe(t, "with requests behind it", get("/events")+get("/1")+get("/2"))
	n.publish(t, "a")
	p.wantData("the stream goes first", "a")
	n.topic.Close()
	if p.lines.Scan() {
		t.Errorf("a closed topic ends its streams, and there came %q", p.lines.Text())
	}
	for _, target := range []string{"/1", "/2"} {
		if a := p.wantAnswer("then the requests behind it", 200); a.body != target {
			t.Errorf("the answers come in order: %s, not %s", target, a.body)
		}
	}
	if err := n.topic.Publish(server.Event{Data: "b"}); !errors.Is(err, pipeline.ErrClosed) {
		t.Errorf("publishing to a closed topic is an error, not %v", err)
	}
}

// A stream that would never end does not hold up the end of the server.
func TestShutdownDoesNotWaitForStreams(t *testing.T) {
	n := newNewsroom(t, pipeline.TopicOptions[server.Event]{})
	p := n.subscribe(t, "before the shutdown", get("/events"))
	ended := make(chan error, 1)
	go func() { // reads on while the server ends
		for p.lines.Scan() {
		}
		ended <- p.lines.Err()
	}()
	if err := n.server.Shutdown(context.Background()); err != nil {
		t.Errorf("the server ends in order, not with %v", err)
	}
	n.gone = true
	if err := <-ended; err != nil {
		t.Errorf("the stream ends properly, not with %v", err)
	}
}
