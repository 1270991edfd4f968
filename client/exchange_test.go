package client

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// exchange is one request of a test and what has become of it.
type exchange struct {
	*fixture
	*script
	call     pipeline.Source[*Response]
	response *Response
	waker    woken
	err      error // what the call or the body has ended with
	got      string
	inform   []int
}

// do begins a request, on a connection that is idle or on a new one.
func (f *fixture) do(r *Request) *exchange {
	f.t.Helper()
	if r.Target == "" {
		r.Target = "/"
	}
	x := &exchange{fixture: f, call: newCall(f.pool, r)}
	if r.Informed == nil {
		r.Informed = func(h *parser.Head) { x.inform = append(x.inform, h.Status) }
	}
	x.poll()
	x.script = f.connect()
	x.poll()
	return x
}

// doKept is do on a connection that has carried a request.
func (f *fixture) doKept(r *Request) *exchange {
	f.t.Helper()
	x := f.do(&Request{})
	x.says("HTTP/1.1 204 No Content\r\n\r\n")
	x.reused(true)
	x.finish()
	x.out = nil
	return f.do(r)
}

// poll polls for the response, then for all of its body that has come.
func (x *exchange) poll() {
	x.t().Helper()
	for x.err == nil {
		if x.response == nil {
			r, err := x.call.Poll(&x.waker)
			if err == pipeline.ErrPending {
				break
			}
			x.response, x.err = r, err
			continue
		}
		chunk, err := x.response.Body.Poll(&x.waker)
		if err == pipeline.ErrPending {
			break
		}
		x.got += string(chunk)
		x.err = err
	}
	x.loop.Settle()
}

func (x *exchange) t() testing.TB { return x.fixture.t }

// says has the upstream say something, and polls.
func (x *exchange) says(text string) {
	x.t().Helper()
	x.arrives(text)
	x.loop.Settle()
	x.poll()
}

func (x *exchange) hangsUp() {
	x.t().Helper()
	x.ends()
	x.loop.Settle()
	x.poll()
}

// finish closes what is there and holds what has to be so behind every exchange.
func (x *exchange) finish() {
	x.t().Helper()
	x.t().Cleanup(x.fixture.close) // before the loop is looked at
	if x.response != nil {
		x.response.Close()
	}
	x.call.Close()
	x.loop.Settle()
	x.left()
}

// left holds that nothing is left of an exchange but, perhaps, an idle connection.
func (x *exchange) left() {
	x.t().Helper()
	k := x.script.conn
	if k.call != nil || k.input != nil || k.sender.out != nil || k.sender.source != nil || x.call.(*call).parser != nil {
		x.t().Errorf("The exchange is over, and its connection still holds call %t, read buffer %t, output %t, body %t, or the call a parser %t.",
			k.call != nil, k.input != nil, k.sender.out != nil, k.sender.source != nil, x.call.(*call).parser != nil)
	}
	if k.idle == (x.closes > 0) || x.closes > 1 {
		x.t().Errorf("The exchange is over, and its connection is idle %t and was closed %d times; it is one or the other.", k.idle, x.closes)
	}
	idleTimer := 0
	if k.idle {
		idleTimer = 1
	}
	if h := x.loop.Held(); h.Tasks > 0 || h.Timers > idleTimer {
		x.t().Errorf("The exchange is over, and %d tasks and %d timers are left.", h.Tasks, h.Timers)
	}
}

// wants holds what was received: the status, 0 for none, the content, and how it ended.
func (x *exchange) wants(status int, content string, end error) {
	x.t().Helper()
	got := 0
	if x.response != nil && x.response.Head() != nil {
		got = x.response.Head().Status
	}
	if got != status || x.got != content || !errors.Is(x.err, end) {
		x.t().Errorf("The answer is %d %q and ends with %v; %d %q and %v were expected.", got, x.got, x.err, status, content, end)
	}
}

func (x *exchange) reused(want bool) {
	x.t().Helper()
	if got := x.script.conn.idle; got != want {
		x.t().Errorf("The connection waits for another request: %t; %t was expected.", got, want)
	}
}

func (x *exchange) sent(want string) {
	x.t().Helper()
	if string(x.out) != want {
		x.t().Errorf("The upstream was sent %q; %q was expected.", x.out, want)
	}
}

const getHead = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

func TestAnswerAndReuse(t *testing.T) {
	f := newFixture(t, Options{})
	x := f.do(&Request{})
	x.sent(getHead)
	x.says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	x.wants(200, "hello", io.EOF)
	x.reused(true)
	x.finish()
	y := f.do(&Request{Target: "/2"})
	y.says("HTTP/1.1 204 No Content\r\n\r\n")
	y.wants(204, "", io.EOF)
	y.finish()
}

// TestNotReused: what stands behind an answer is never taken for another.
func TestNotReused(t *testing.T) {
	const second = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for _, c := range []struct {
		method, says string
		want         bool
	}{
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", true},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab" + second, false},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", false},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", false},
		{"GET", "HTTP/1.1 204 No Content\r\n\r\nab", false},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nab", false},
		{"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false},
		{"GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", false},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true},
		{"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n", false},
	} {
		x := newFixture(t, Options{}).do(&Request{Method: c.method})
		x.says(c.says)
		if x.err != io.EOF {
			t.Errorf("%s answered with %q ends with %v.", c.method, c.says, x.err)
		}
		if got := x.script.conn.idle; got != c.want {
			t.Errorf("%s answered with %q leaves a connection that is used again: %t.", c.method, c.says, got)
		}
		x.finish()
	}
}

// TestSecondAnswerLater: it comes when nobody has asked for it.
func TestSecondAnswerLater(t *testing.T) {
	x := newFixture(t, Options{}).do(&Request{})
	x.says("HTTP/1.1 204 No Content\r\n\r\n")
	x.reused(true)
	x.says("HTTP/1.1 204 No Content\r\n\r\n")
	x.reused(false)
	x.finish()
}

func TestInformational(t *testing.T) {
	x := newFixture(t, Options{}).do(&Request{})
	x.says("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 102 P\r\n\r\n")
	x.says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	x.wants(200, "", io.EOF)
	if got := fmt.Sprint(x.inform); got != "[103 102]" {
		t.Errorf("The informational responses that were told are %s; 103 and 102 were sent, and a 100 that nobody had asked for.", got)
	}
	x.finish()

	for n, want := range map[int]error{maxInformational: io.EOF, maxInformational + 1: ErrUpstream} {
		x := newFixture(t, Options{}).do(&Request{})
		x.says(strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", n))
		x.says("HTTP/1.1 204 No Content\r\n\r\n")
		if !errors.Is(x.err, want) {
			t.Errorf("%d informational responses end with %v; %v was expected.", n, x.err, want)
		}
		x.finish()
	}
}

// TestCloseWhileInformed: the hook belongs to who owns the call, and may close it.
func TestCloseWhileInformed(t *testing.T) {
	f := newFixture(t, Options{})
	var x *exchange
	x = f.do(&Request{Informed: func(*parser.Head) { x.call.Close() }})
	x.says("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
	x.wants(0, "", pipeline.ErrClosed)
	x.finish()
}

// TestCloseInPollOfTheBody: so may the request's body, while it is polled, and Trailers.
func TestCloseInPollOfTheBody(t *testing.T) {
	for _, inTrailers := range []bool{false, true} {
		f := newFixture(t, Options{})
		body := allOf(t, "a", "b")
		var x *exchange
		leave := func() { x.call.Close() }
		r := &Request{Method: "POST", Body: body, Length: -1}
		if body.ready = 0; inTrailers {
			r.Trailers = func() []parser.Field { leave(); return nil }
		}
		x = f.do(r)
		if !inTrailers {
			body.inPoll = leave
		}
		body.more(3)
		x.loop.Settle()
		x.poll()
		x.wants(0, "", pipeline.ErrClosed)
		if body.closes != 1 || !x.reset {
			t.Errorf("The call was closed by its body; the body was closed %d times, and the connection reset %t.", body.closes, x.reset)
		}
		x.finish()
	}
}

func TestEarlyAnswer(t *testing.T) {
	for _, c := range []struct {
		status string
		goesOn bool
	}{{"200 OK", true}, {"413 Content Too Large", false}, {"301 Moved Permanently", false}} {
		f := newFixture(t, Options{})
		body := allOf(t, "ab", "cd")
		body.ready = 1
		x := f.do(&Request{Method: "POST", Body: body, Length: 4})
		x.says("HTTP/1.1 " + c.status + "\r\nContent-Length: 3\r\n\r\nx")
		body.more(2)
		x.loop.Settle()
		if got := strings.HasSuffix(string(x.out), "\r\n\r\nabcd"); got != c.goesOn {
			t.Errorf("Behind an early %s the upstream has %q; that the body goes on is %t.", c.status, x.out, c.goesOn)
		}
		if body.closes != 1 {
			t.Errorf("Behind an early %s the body was closed %d times.", c.status, body.closes)
		}
		x.says("yz")
		if x.got != "xyz" || x.err != io.EOF {
			t.Errorf("An early %s gives %q and ends with %v.", c.status, x.got, x.err)
		}
		x.reused(c.goesOn)
		x.finish()
	}
}

// TestAnsweredBeforeAllWasSent: the upstream would take the rest of the body for a request.
func TestAnsweredBeforeAllWasSent(t *testing.T) {
	body := allOf(t, "ab", "cd")
	body.ready = 1
	x := newFixture(t, Options{}).do(&Request{Method: "PUT", Body: body, Length: 4})
	x.says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	x.wants(200, "", io.EOF)
	x.reused(false)
	if body.closes != 1 || !x.reset {
		t.Errorf("The body was closed %d times and the connection reset %t; the upstream must see that the request was cut.", body.closes, x.reset)
	}
	x.finish()
}

// TestAnswerBehindFailedWrite: the upstream has answered, and closed with data unread.
func TestAnswerBehindFailedWrite(t *testing.T) {
	body := allOf(t, "ab", "cd")
	body.ready = 1
	x := newFixture(t, Options{}).do(&Request{Method: "POST", Body: body, Length: 4})
	x.in = []byte("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
	x.breaks()
	body.more(1)
	x.loop.Settle()
	x.poll()
	x.wants(413, "no", io.EOF)
	x.reused(false)
	x.finish()
	if body.closes != 1 {
		t.Errorf("The body was closed %d times.", body.closes)
	}
}

// TestFailedWriteAndSilence: an upstream that reads nothing any more does not hold the call for ever.
func TestFailedWriteAndSilence(t *testing.T) {
	body := allOf(t, "ab", "cd")
	body.ready = 1
	x := newFixture(t, Options{}).do(&Request{Method: "POST", Body: body, Length: 4})
	x.noWrite = errors.New("script: broken pipe")
	woken := x.waker.times
	body.more(1)
	x.loop.Settle()
	if x.waker.times == woken {
		t.Error("Writing has failed, and who waits for the answer was not woken to find out why.")
	}
	x.poll()
	x.loop.Advance(time.Minute + time.Second)
	x.poll()
	x.wants(0, "", ErrHeadTimeout)
	x.finish()
}
