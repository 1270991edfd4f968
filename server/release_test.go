package server

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// queued is a connection whose answers are streams of what the test pushes.
type queued struct {
	*session
	body   *pipeline.Queue[[]byte]
	closed int
}

// newQueued has change make the response of a stream.
func newQueued(t *testing.T, o Options, change func(*Request, Response) Response) *queued {
	t.Helper()
	q := &queued{}
	q.session = newSession(t, func(r *Request) Response {
		if r.Path() == "/hello" {
			return hello(r)
		}
		q.body = pipeline.NewQueue[[]byte](r.Loop(), 100, pipeline.Refuse)
		return change(r, Stream(200, "", pipeline.OnClose(q.body, func() { q.closed++ })))
	}, o)
	return q
}

func (q *queued) push(text string) {
	q.t.Helper()
	if err := q.body.Push([]byte(text)); err != nil {
		q.t.Fatal(err)
	}
	q.loop.Settle()
}

func (q *queued) wantReleased(why string, released bool) {
	q.t.Helper()
	if q.conn.core.exchange == nil != released {
		q.t.Fatalf("%s: the request should be given back: %t, and is: %t", why, released, !released)
	}
}

func releasing(_ *Request, r Response) Response { return r.ReleaseRequest() }

func TestStreamThatReleasesItsRequest(t *testing.T) {
	for _, length := range []int64{-1, 6} {
		status, sent := 0, int64(0)
		var cause func() error
		q := newQueued(t, Options{Strict: true}, func(r *Request, response Response) Response {
			r.OnFinish(func(code int, n int64) { status, sent = code, n })
			ctx := r.Context()
			cause = ctx.Err
			return response.Length(length).ReleaseRequest()
		})
		for range 2 {
			q.send(getRequest)
			q.wantAnswers("the head of a stream that waits", "200")
			q.wantReleased("the stream waits", true)
			q.push("abc")
			q.push("def")
			q.finishBody()
			got := q.receive()
			if want := map[int64]string{6: "abcdef", -1: "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"}[length]; got != want {
				t.Errorf("the body should go on as ever, as %q, and came as %q", want, got)
			}
			if q.closed == 0 || status != 200 || sent != 6 || cause() == nil {
				t.Errorf("the stream should have ended: it was closed %d times, OnFinish says %d and %d bytes, its context %v", q.closed, status, sent, cause())
			}
			q.send(strings.Replace(getRequest, "/", "/hello", 1))
			q.wantAnswers("behind the stream the connection goes on", "200")
			status, sent, q.closed = 0, 0, 0
		}
	}
}

func (q *queued) finishBody() {
	q.body.Finish(nil)
	q.loop.Settle()
}

// A stream is not open-ended because its request was released: a client that has closed its
// sending side still gets the rest.
func TestHalfCloseOfAReleasedStream(t *testing.T) {
	for _, openEnded := range []bool{false, true} {
		q := newQueued(t, Options{}, func(_ *Request, r Response) Response {
			if openEnded {
				r = r.OpenEnded()
			}
			return r.ReleaseRequest()
		})
		q.send(getRequest)
		q.wantAnswers("the head of the stream", "200")
		q.wantReleased("the stream waits", true)
		q.finish()
		if openEnded {
			q.wantClosed("the client of an open-ended response has left", ReasonClientClosed)
			continue
		}
		q.loop.Advance(time.Hour)
		q.wantOpen("the client waits for the rest")
		q.push("abc")
		q.finishBody()
		if got := q.receive(); got != "3\r\nabc\r\n0\r\n\r\n" {
			t.Errorf("the rest should come, and the client got %q", got)
		}
		q.wantClosed("the client has left behind the answer", ReasonClientClosed)
	}
}

func TestDrainingAReleasedStream(t *testing.T) {
	q := newQueued(t, Options{}, releasing)
	q.send(getRequest)
	q.wantAnswers("the head of the stream", "200")
	q.local.drain()
	q.loop.Settle()
	q.wantOpen("the stream is in hand, and not open-ended")
	q.push("abc")
	q.finishBody()
	if got := q.receive(); got != "3\r\nabc\r\n0\r\n\r\n" {
		t.Errorf("the rest should come, and the client got %q", got)
	}
	q.finish()
	q.wantClosed("the exchange is done", ReasonAnswered)
}

func TestRequestThatIsNotReleased(t *testing.T) {
	q := newQueued(t, Options{}, func(_ *Request, r Response) Response { return r })
	q.send(getRequest)
	q.wantAnswers("the head of the stream", "200")
	q.wantReleased("nobody has asked for that", false)

	q = newQueued(t, Options{Hooks: Hooks{Response: func(*Request, int, int64) {}}}, releasing)
	q.send(getRequest)
	q.wantAnswers("the head of the stream", "200")
	q.wantReleased("there is a hook that gets the request", false)
}

// While the request is received it is kept; whoever has read the bytes that were declared
// has read all of it.
func TestReleasedRequestWithABody(t *testing.T) {
	var body pipeline.Source[[]byte]
	q := newQueued(t, Options{}, func(r *Request, response Response) Response {
		body = r.Body
		return response.ReleaseRequest()
	})
	q.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhel")
	q.wantAnswers("the head of the stream", "200")
	q.wantReleased("the body has not come", false)
	read := func(want string) {
		t.Helper()
		chunk, err := body.Poll(q.conn)
		if string(chunk) != want || err != nil && err != pipeline.ErrPending {
			t.Fatalf("%q should be read of the body; there is %q, %v", want, chunk, err)
		}
	}
	read("hel")
	read("")
	q.send("lo")
	read("lo")
	q.loop.Settle()
	q.push("abc")
	q.wantReleased("the last chunk may be looked at", false)
	if _, err := body.Poll(q.conn); err != io.EOF {
		t.Errorf("the body should end, and said %v", err)
	}
	q.push("def")
	q.wantReleased("the body was read", true)
	if _, err := body.Poll(q.conn); err != io.EOF {
		t.Errorf("the end of the body should stay, and was followed by %v", err)
	}
}

func TestPingIsForEventsOnly(t *testing.T) {
	q := newQueued(t, Options{}, func(_ *Request, r Response) Response { return r.ReleaseRequest().Ping(time.Second) })
	q.send(getRequest)
	q.wantAnswers("the head of the stream", "200")
	q.loop.Advance(time.Minute)
	if got := q.receive(); got != "" {
		t.Errorf("only an event stream has comments, and the client got %q", got)
	}
	if r := Text(200, "x").ReleaseRequest(); r.outline.has(releasesRequest) {
		t.Error("a complete response has nothing to release the request for")
	}
}
