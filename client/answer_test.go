package client

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

const expectHead = "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"

func expecting(body *pieces) *Request {
	return &Request{Method: "PUT", Body: body, Length: 2, ExpectContinue: true}
}

func TestContinue(t *testing.T) {
	body := allOf(t, "ab")
	x := newFixture(t, Options{}).do(expecting(body))
	x.sent(expectHead)
	x.says("HTTP/1.1 100 Continue\r\n\r\n")
	x.sent(expectHead + "ab")
	x.says("HTTP/1.1 204 No Content\r\n\r\n")
	x.wants(204, "", io.EOF)
	x.reused(true)
	x.finish()
}

// TestContinueIsNotWaitedForLong: a body whose upstream knows nothing of it is sent all the same.
func TestContinueIsNotWaitedForLong(t *testing.T) {
	body := allOf(t, "ab")
	x := newFixture(t, Options{}).do(expecting(body))
	x.loop.Advance(time.Second - time.Millisecond)
	if x.sent(expectHead); body.polls != 0 {
		t.Errorf("The body was polled %d times before its time.", body.polls)
	}
	x.loop.Advance(2 * time.Millisecond)
	x.sent(expectHead + "ab")
	x.loop.Advance(time.Minute + time.Second)
	x.poll()
	x.wants(0, "", ErrHeadTimeout)
	x.finish()
}

// TestContinueWithoutBound: then the answer's time bounds it.
func TestContinueWithoutBound(t *testing.T) {
	body := allOf(t, "ab")
	x := newFixture(t, Options{Timeouts: Timeouts{Continue: -1}}).do(expecting(body))
	x.loop.Advance(time.Minute + time.Second)
	x.poll()
	x.wants(0, "", ErrHeadTimeout)
	if x.finish(); body.polls != 0 || body.closes != 1 {
		t.Errorf("The body that nobody has asked for was polled %d times and closed %d times.", body.polls, body.closes)
	}
}

// TestAnswerInPlaceOfContinue: whatever it is, the body is not sent, and the connection not used again,
// since its upstream may be waiting for the body.
func TestAnswerInPlaceOfContinue(t *testing.T) {
	for _, status := range []string{"200 OK", "417 Expectation Failed"} {
		body := allOf(t, "ab")
		x := newFixture(t, Options{}).do(expecting(body))
		x.says("HTTP/1.1 " + status + "\r\nContent-Length: 2\r\n\r\nno")
		if x.sent(expectHead); x.got != "no" || body.polls != 0 || body.closes != 1 {
			t.Errorf("With %s the content is %q, and the body was polled %d times and closed %d times.", status, x.got, body.polls, body.closes)
		}
		x.reused(false)
		x.finish()
	}
}

// TestNoContentToWaitFor: RFC 9110, section 10.1.1.
func TestNoContentToWaitFor(t *testing.T) {
	x := newFixture(t, Options{}).do(&Request{Method: "PUT", Body: allOf(t), ExpectContinue: true})
	x.sent("PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
	x.says("HTTP/1.1 204 No Content\r\n\r\n")
	x.reused(true)
	x.finish()
}

// TestStaleConnection: the upstream has closed a kept connection while the request was on its way.
func TestStaleConnection(t *testing.T) {
	unsent := func(s *script) { s.noWrite = errors.New("script: broken pipe") }
	for _, c := range []struct {
		name    string
		request *Request
		before  func(s *script)
		again   bool
	}{
		{"GET", &Request{}, nil, true},
		{"PUT whose body was polled", &Request{Method: "PUT", Body: allOf(t, "ab"), Length: 2}, nil, false},
		{"PUT whose body waits", expecting(allOf(t, "ab")), nil, true},
		{"POST", &Request{Method: "POST"}, nil, false},
		{"POST that could not be written", &Request{Method: "POST"}, unsent, true},
	} {
		f := newFixture(t, Options{})
		x := f.do(&Request{})
		x.says("HTTP/1.1 204 No Content\r\n\r\n")
		x.finish()
		if c.before != nil {
			c.before(x.script)
		}
		x.out = nil
		y := f.do(c.request)
		if y.script != x.script {
			t.Fatalf("%s went to a new connection while one was idle.", c.name)
		}
		y.hangsUp()
		if again := len(f.scripts) == 2; again != c.again {
			t.Errorf("%s on a stale connection is tried again: %t; %t was expected.", c.name, again, c.again)
			continue
		}
		if !c.again {
			y.wants(0, "", ErrUpstream)
			y.finish()
			continue
		}
		y.givenUp()
		y.script = f.connect()
		if len(x.out) > 0 && string(y.out) != string(x.out) || len(y.out) == 0 {
			t.Errorf("%s was sent as %q, and again as %q.", c.name, x.out, y.out)
		}
		y.says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		y.wants(200, "ok", io.EOF)
		y.finish()
		if body, ok := c.request.Body.(*pieces); ok && body.closes != 1 {
			t.Errorf("%s: its body was closed %d times.", c.name, body.closes)
		}
	}
}

// givenUp holds that nothing is left on a connection that was given up.
func (x *exchange) givenUp() {
	x.t().Helper()
	if k := x.script.conn; k.call != nil || k.input != nil || k.sender.out != nil || x.closes != 1 {
		x.t().Errorf("A stale connection still holds call %t, read buffer %t, output %t, and was closed %d times.",
			k.call != nil, k.input != nil, k.sender.out != nil, x.closes)
	}
}

// TestStaleOnlyOnce: and only what was silent, on a connection that was kept.
func TestStaleOnlyOnce(t *testing.T) {
	f := newFixture(t, Options{})
	x := f.doKept(&Request{})
	x.hangsUp()
	x.script = f.connect()
	x.hangsUp()
	x.wants(0, "", ErrUpstream)
	if x.finish(); len(f.scripts) != 2 {
		t.Errorf("A request was sent on %d connections; twice is the most.", len(f.scripts))
	}

	x = newFixture(t, Options{}).do(&Request{})
	x.hangsUp()
	x.wants(0, "", ErrUpstream)
	x.finish()

	x = newFixture(t, Options{}).doKept(&Request{})
	x.says("H")
	x.hangsUp()
	x.wants(0, "", io.ErrUnexpectedEOF)
	if x.finish(); len(x.scripts) != 1 {
		t.Errorf("A request that was answered in part was sent again.")
	}
}

// TestStaleAndTotal: the time of the whole goes on.
func TestStaleAndTotal(t *testing.T) {
	f := newFixture(t, Options{Timeouts: Timeouts{Total: 10 * time.Second, Head: 8 * time.Second}})
	x := f.doKept(&Request{})
	x.loop.Advance(6 * time.Second)
	x.hangsUp()
	x.script = f.connect()
	x.loop.Advance(3999 * time.Millisecond)
	if x.poll(); x.err != nil {
		t.Fatalf("After 9.999 of 10 seconds the call ends with %v.", x.err)
	}
	x.loop.Advance(2 * time.Millisecond)
	x.poll()
	x.wants(0, "", ErrTotalTimeout)
	x.finish()
}

func TestRefusedAnswers(t *testing.T) {
	for _, text := range []string{
		"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
		"garbage\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
	} {
		x := newFixture(t, Options{}).do(&Request{})
		x.says(text)
		var e *Error
		if x.wants(0, "", ErrUpstream); !errors.As(x.err, &e) || e.Status() != 502 {
			t.Errorf("%q ends with %v; an Error with the status 502 was expected.", text, x.err)
		}
		x.reused(false)
		x.finish()
	}
	x := newFixture(t, Options{HeadLimits: parser.Limits{Head: 1000}}).do(&Request{})
	x.says("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 1000))
	var cause *parser.Error
	if x.wants(0, "", ErrUpstream); !errors.As(x.err, &cause) || cause.Status() != 502 {
		t.Errorf("A head that is too large ends with %v; the parser's error was expected as its cause.", x.err)
	}
	x.finish()
}

func TestRequestsThatCannotBeSent(t *testing.T) {
	for _, r := range []*Request{
		{Method: "GET X"}, {Method: "CONNECT"}, {Target: "x"}, {Target: "*"}, {Target: "/ x"}, {Target: "/\r\n"}, {Host: "a b"}, {Host: "a\r\nb"},
		{Fields: []parser.Field{{Name: "a b"}}}, {Fields: []parser.Field{{Name: "A", Value: "b\nc"}}}, {Fields: []parser.Field{{Name: "content-length", Value: "1"}}},
		{Fields: []parser.Field{{Name: "TRANSFER-ENCODING", Value: "chunked"}}}, {Upgrade: "a\n"}, {Upgrade: "a", Body: pipeline.Empty[[]byte]()},
	} {
		body := allOf(t, "a")
		if r.Body == nil && r.Upgrade == "" {
			r.Body = body
			body.closes--
		}
		f := newFixture(t, Options{})
		if r.Target == "" {
			r.Target = "/"
		}
		call := newCall(f.pool, r)
		var w woken
		if _, err := call.Poll(&w); !errors.Is(err, ErrRequest) || len(f.scripts) > 0 {
			t.Errorf("%+v ends with %v and %d connections; ErrRequest and none were expected.", r, err, len(f.scripts))
		}
		call.Close()
		if body.closes != 0 {
			t.Errorf("%+v: the body was closed %d times; once was expected.", r, body.closes+1)
		}
	}
	x := newFixture(t, Options{}).do(&Request{Method: "OPTIONS", Target: "*"})
	x.sent("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n")
	x.finish()
}
