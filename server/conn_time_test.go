package server

import (
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

func TestIdleConnectionIsClosedAtItsTimeout(t *testing.T) {
	s := newSession(t, hello, Options{IdleTimeout: time.Minute})
	s.send(getRequest)
	s.wantAnswers("a request", "200")
	s.loop.Advance(59 * time.Second)
	s.wantOpen("a second before the idle timeout")
	s.send(getRequest)
	s.wantAnswers("a second request", "200")
	s.loop.Advance(59 * time.Second)
	s.wantOpen("the timeout begins anew after each answer")
	s.loop.Advance(2 * time.Second)
	s.wantClosed("after the idle timeout", ReasonIdleTimeout)
	if got := s.receive(); got != "" {
		t.Errorf("an idle connection is closed without a word, and the client got %q", got)
	}
}

func TestEmptyLinesDoNotPutTheIdleTimeoutOff(t *testing.T) {
	s := newSession(t, hello, Options{IdleTimeout: time.Minute})
	for range 3 { // on a connection in use, they do no harm either
		s.send(getRequest + "\r\n")
		s.wantAnswers("a request with an empty line behind it", "200")
		s.loop.Advance(50 * time.Second)
	}
	s.wantOpen("the timeout begins anew after each answer")
	s.send("\r\n")
	s.loop.Advance(11 * time.Second)
	s.wantClosed("an empty line is no request", ReasonIdleTimeout)
}

func TestHalfAnEmptyLineIsNotForgotten(t *testing.T) {
	s := newSession(t, hello, Options{})
	s.send(getRequest + "\r")
	s.wantAnswers("a request", "200")
	s.send("\n" + getRequest)
	s.wantAnswers("an empty line in two pieces, and a request", "200")
	s.send("\r")
	s.send(getRequest)
	s.wantAnswers("a bare CR before a request", "400")
}

func TestConnectionThatSaysNothingIsClosedAtTheHeadTimeout(t *testing.T) {
	s := newSession(t, hello, Options{HeadTimeout: 10 * time.Second})
	s.loop.Advance(9 * time.Second)
	s.wantOpen("before the head timeout")
	s.loop.Advance(2 * time.Second)
	s.wantClosed("after the head timeout", ReasonHeadTimeout)
}

func TestHeadDeadlineIsAbsolute(t *testing.T) {
	for _, first := range []bool{true, false} {
		s := newSession(t, hello, Options{HeadTimeout: 10 * time.Second})
		if !first {
			s.send(getRequest)
			s.wantAnswers("a request before", "200")
			s.loop.Advance(20 * time.Second)
		}
		s.slowly("GET / HTTP/1.1\r\nHost: test\r\nX: "+strings.Repeat("x", 100), 120, time.Second)
		got := s.wantAnswers("a head that comes a byte a second", "408")
		if !strings.Contains(got, "Connection: close\r\n") {
			t.Errorf("the 408 should say Connection: close:\n%s", got)
		}
		s.finish()
		s.wantClosed("after the 408", ReasonHeadTimeout)
		if held := len(s.local.connections); held != 0 {
			t.Errorf("%d connections are still remembered", held)
		}
	}
}

func TestHeadDeadlineBeginsAnewForTheNextHead(t *testing.T) {
	s := newSession(t, hello, Options{HeadTimeout: 10 * time.Second})
	for range 5 {
		s.slowly(getRequest, len(getRequest), 250*time.Millisecond)
		s.wantAnswers("a slow head within its deadline", "200")
	}
}

func TestBodyMustMakeProgress(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n"
	options := Options{BodyTimeout: 10 * time.Second, BodyRate: 100}
	count := func(r *Request) Response {
		return Later(pipeline.Map(pipeline.Collect(r.Body, 1<<20), func(b []byte) (Response, error) {
			return Text(200, itoa(len(b))), nil
		}))
	}

	s := newSession(t, count, options)
	s.send(head)
	s.slowly(strings.Repeat("x", 60), 60, time.Second)
	s.wantAnswers("a body that comes a byte a second", "408")
	s.finish()
	s.wantClosed("after the 408", ReasonAnswered)

	s = newSession(t, count, options)
	s.send(head)
	s.slowly(strings.Repeat("x", 100000), 500, time.Second)
	s.wantAnswers("a body that comes at 200 bytes a second", "200")

	s = newSession(t, count, Options{BodyTimeout: 10 * time.Second, BodyRate: -1})
	s.send(head)
	s.slowly(strings.Repeat("x", 30), 30, 9*time.Second)
	s.wantOpen("without a rate, a byte in each window is enough")
	s.loop.Advance(25 * time.Second)
	s.wantAnswers("no byte in a window", "408")

	s = newSession(t, func(r *Request) Response {
		r.SetBodyTimeout(time.Second)
		return count(r)
	}, options)
	s.send(head)
	s.loop.Advance(2 * time.Second)
	s.wantAnswers("the handler has made the timeout shorter", "408")
}

func TestNoBodyTimeRunsWhileTheHandlerDoesNotAsk(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		wait := r.After(time.Minute)
		return Later(pipeline.Map(wait, func(time.Duration) (Response, error) {
			return Stream(200, "", r.Body), nil
		}))
	}, Options{BodyTimeout: 5 * time.Second})
	s.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\n")
	s.loop.Advance(61 * time.Second)
	s.wantAnswers("the head of the echo, once the handler has woken up", "200")
	s.send("abc")
	if got := s.receive(); got != "3\r\nabc\r\n0\r\n\r\n" {
		t.Errorf("the echo is %q", got)
	}
	s.wantOpen("after the echo")
}

func TestBodyThatIsThrownAwayMustMakeProgressToo(t *testing.T) {
	s := newSession(t, hello, Options{BodyTimeout: 5 * time.Second})
	s.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n")
	s.wantAnswers("an answer before the body", "200")
	s.loop.Advance(6 * time.Second)
	s.send(getRequest)
	s.finish()
	s.wantClosed("the rest of the body did not come", ReasonBodyTimeout)
	if got := s.receive(); got != "" {
		t.Errorf("the request behind a body that never came was answered: %q", got)
	}
}

func TestWriteTimeoutWantsProgressOnly(t *testing.T) {
	large := func(r *Request) Response {
		return Bytes(200, "", make([]byte, 8<<20))
	}
	s := newSession(t, large, Options{WriteTimeout: 10 * time.Second})
	s.send(getRequest)
	for range 8 {
		s.loop.Advance(9 * time.Second)
		s.wantOpen("the client has taken something in time")
		if s.receive() == "" {
			t.Fatal("there should be more to receive")
		}
	}
	s.loop.Advance(11 * time.Second)
	s.wantClosed("the client took nothing for longer than the timeout", ReasonWriteTimeout)
}

func TestWriteTimeoutOfAHandler(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		r.SetWriteTimeout(time.Minute)
		return Bytes(200, "", make([]byte, 8<<20))
	}, Options{WriteTimeout: 10 * time.Second})
	s.send(getRequest)
	s.loop.Advance(50 * time.Second)
	s.wantOpen("the handler has made the timeout longer")
	s.loop.Advance(20 * time.Second)
	s.wantClosed("after the longer timeout", ReasonWriteTimeout)
}

// A connection that has always something to do never waits, so no time of waiting runs out on it.
func TestBusyConnectionIsNotTakenForAnIdleOne(t *testing.T) {
	s := newSession(t, hello, Options{})
	looptest.Send(t, s.peer, strings.Repeat(getRequest, 3*turnRequests))
	s.loop.Deliver(looptest.Event{FD: s.fd, Ready: loop.Readable}) // one turn, and not those that follow
	if s.conn.core.requests >= 3*turnRequests {
		t.Fatalf("one turn should not answer all %d requests", s.conn.core.requests)
	}
	s.loop.Jump(time.Hour)
	s.conn.Expire()
	s.wantOpen("it has requests to answer")
	s.loop.Settle()
	s.wantOpen("it has answered them")
}

func TestLingeringIsBounded(t *testing.T) {
	s := newSession(t, hello, Options{LingerTimeout: 2 * time.Second})
	s.send("GARBAGE\r\n\r\n")
	s.wantAnswers("garbage", "400")
	s.wantOpen("the client may still be sending")
	s.send(getRequest)
	if got := s.receive(); got != "" {
		t.Errorf("what comes behind garbage was answered: %q", got)
	}
	s.loop.Advance(3 * time.Second)
	s.wantClosed("after the linger timeout", ReasonBadRequest)

	s = newSession(t, hello, Options{LingerLimit: 100 << 10})
	s.send("GARBAGE\r\n\r\n")
	s.wantAnswers("garbage", "400")
	for range 20 {
		if s.reason == nil {
			s.send(strings.Repeat("x", 10<<10))
		}
	}
	s.wantClosed("after more than the linger limit", ReasonBadRequest)
}

func TestTimeoutsCanBeSwitchedOff(t *testing.T) {
	s := newSession(t, hello, Options{IdleTimeout: -1, HeadTimeout: -1})
	s.loop.Advance(time.Hour)
	s.send(getRequest)
	s.wantAnswers("a request after an hour", "200")
	s.loop.Advance(24 * time.Hour)
	s.wantOpen("after a day")
}
