package server_test

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// The rows of hostile input that concern bodies which do not come, come too late, or are
// not wanted.

// short is a timeout of the server that a test waits for, and unhurried is one that a
// client which is not slow meets even on a busy machine. Neither is measured.
const (
	short     = 50 * time.Millisecond
	unhurried = 10 * short
)

// Row 20: a handler waits for a body that does not come.
func TestHostile20BodyThatDoesNotCome(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{BodyTimeout: short}, countBody)
	for name, input := range map[string]string{
		"declared":      post("/x", "Content-Length: 100", ""),
		"begun":         post("/x", "Content-Length: 100", "hello"),
		"chunked":       chunked("/x", ""),
		"within a size": chunked("/x", "5"),
		"within data":   chunked("/x", "5\r\nhe"),
		"no last chunk": chunked("/x", "5\r\nhello\r\n"),
	} {
		p := s.dial(t)
		p.send(input)
		s.wantBystanderServed(t, "while a body does not come")
		a := p.wantAnswer("a body that does not come is given up: "+name, 408)
		if !a.close {
			t.Errorf("the connection of a body that did not come is not kept: %s", name)
		}
		p.send(smuggled)
		p.wantGone("behind a body that did not come nothing is a request: " + name)
		s.wantClosed(t, "the connection ends with the answer", 1, server.ReasonAnswered)
		s.wantDispatched(t, "nothing behind a body that did not come is dispatched", "/x")
	}
}

// Row 20 with a handler that does not wait: what comes is the body all the same.
func TestHostile20BodyThatNobodyWants(t *testing.T) {
	t.Parallel()
	indifferent := func(*server.Request) server.Response { return server.Text(200, "indifferent") }
	s := besiege(t, server.Options{BodyTimeout: short}, indifferent)
	p := s.dial(t)
	p.send(post("/x", "Content-Length: 100", ""))
	p.wantAnswer("a request whose body nobody wants is answered", 200)
	p.send(smuggled)
	s.wantBystanderServed(t, "while a body that nobody wants does not come")
	p.wantGone("a body that nobody wants is waited for in vain")
	s.wantClosed(t, "the body timeout holds for a body that is thrown away", 1, server.ReasonBodyTimeout)
	s.wantDispatched(t, "what comes in place of a body is never dispatched", "/x")

	p = s.dial(t)
	body := strings.Repeat(smuggled, 100)
	p.send(post("/x", "Content-Length: "+strconv.Itoa(len(body)), body) + get("/behind"))
	p.wantAnswer("a request with a body of requests is answered", 200)
	p.wantAnswer("the request behind that body is answered", 200)
	s.wantDispatched(t, "none of the requests in a body is dispatched", "/x", "/behind")
}

// Row 21: the answer is final while the body is still coming.
func TestHostile21EarlyAnswer(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{BodyLimit: 1000}, func(r *server.Request) server.Response {
		if r.Path() == "/limited" {
			return countBody(r)
		}
		return server.Text(401, "Who are you?")
	})
	const size = 800 << 10
	body := strings.Repeat(smuggled, size/len(smuggled)+1)[:size]
	chunk := "c8000\r\n" + body + "\r\n0\r\n\r\n"
	for _, c := range []struct {
		name, input string
		status      int
	}{
		{"declared", post("/early", "Content-Length: "+strconv.Itoa(size), body), 401},
		{"chunked", chunked("/early", chunk), 401},
		{"over its limit", post("/limited", "Content-Length: "+strconv.Itoa(size), body), 413},
		{"over its limit, chunked", chunked("/limited", chunk), 413},
	} {
		p := s.dial(t)
		if !p.send(c.input) {
			t.Errorf("a client that sends its whole body before it reads can do so: %s", c.name)
		}
		s.wantBystanderServed(t, "while a body is drained")
		p.wantLastAnswer("an early answer reaches a client that is still sending: "+c.name, c.status)
		s.wantClosed(t, "the connection ends with the early answer", 1, server.ReasonAnswered)
		target, _, _ := strings.Cut(strings.TrimPrefix(c.input, "POST "), " ")
		s.wantDispatched(t, "nothing of the drained body is dispatched", target)
	}
}

// A client that never stops sending is cut off, but has its answer.
func TestHostile21EarlyAnswerToEndlessBody(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		if r.Path() == "/stream" { // whose body might have been read meanwhile, so that it promises no close
			return server.Stream(401, "", once("Who are you?"))
		}
		return server.Text(401, "Who are you?")
	})
	const endlessly = "Content-Length: 9223372036854775807"
	for target, start := range map[string]string{
		"/declared": post("/declared", endlessly, ""),
		"/chunked":  chunked("/chunked", "7fffffffffffffff\r\n"),
		"/stream":   post("/stream", endlessly, ""),
	} {
		p := s.dial(t)
		p.send(start)
		taken := make(chan int64)
		go func() { taken <- p.sendEndlessly(strings.Repeat(smuggled, 100)) }()
		p.wantAnswer("an early answer reaches a client that never stops sending: "+target, 401)
		s.wantBystanderServed(t, "while a client does not stop sending")
		p.wantNothingMore("behind an early answer comes nothing")
		if n := <-taken; n > 64<<20 {
			t.Errorf("a body that nobody wants is cut off soon, not after %d bytes: %s", n, target)
		}
		p.close()
		s.wantDispatched(t, "nothing of an endless body is dispatched", target)
	}
}

const expecting = "Content-Length: 5\r\nExpect: 100-continue"

// wantNothingYet checks that nothing has come. What the server does, it has done when a
// bystander that asked later has its answer.
func (p *peer) wantNothingYet(s *subject, why string) {
	p.t.Helper()
	s.wantBystanderServed(p.t, "meanwhile")
	_ = p.conn.SetReadDeadline(time.Unix(1, 0))
	n, err := p.reader.Read(make([]byte, 1))
	if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Errorf("%s: %d bytes came, and the error %v", why, n, err)
	}
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
}

// Row 22: 100 goes out at the first demand for the body.
func TestHostile22ContinueAtFirstDemand(t *testing.T) {
	t.Parallel()
	g := newGates()
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		target := r.Target()
		body := then(g.wait(r), pipeline.Collect(r.Body, 100))
		return server.Later(pipeline.Map(body, func(body []byte) (server.Response, error) {
			return server.Text(200, said(target, len(body))), nil
		}))
	})
	p := s.dial(t)
	for range 2 {
		p.send(post("/x", expecting, ""))
		q := <-g.queues
		p.wantNothingYet(s, "before somebody asks for the body there is no 100")
		push(t, q, "go on")
		p.wantAnswer("the demand for the body sends 100", 100)
		p.wantNothingYet(s, "100 is sent once, and the body waited for")
		p.send("hello")
		p.wantSaid("the body that was waited for is read", "/x", 5)
	}
}

func TestHostile22ContinueNotAskedFor(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{BodyLimit: 100}, func(r *server.Request) server.Response {
		if r.Path() == "/final" {
			return server.Text(401, "Who are you?")
		}
		return countBody(r)
	})
	p := s.dial(t)
	p.send(post("/final", expecting, ""))
	p.wantLastAnswer("a final answer without demand for the body sends no 100", 401)
	s.wantDispatched(t, "the request is dispatched", "/final")

	p = s.dial(t)
	p.send(post("/final", expecting, "hello") + smuggled)
	p.wantLastAnswer("a body that comes unasked is not taken for a request", 401)
	s.wantDispatched(t, "nothing behind an unasked body is dispatched", "/final")

	p = s.dial(t)
	p.send(post("/x", "Content-Length: 101\r\nExpect: 100-continue", ""))
	p.wantLastAnswer("a body that would be too large is not asked for", 413)

	p = s.dial(t)
	p.send("POST /x HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
	p.wantNothingYet(s, "a client of HTTP/1.0 is sent no 100")
	p.send("hello")
	p.wantSaid("the body of a client of HTTP/1.0 is read", "/x", 5)

	p = s.dial(t)
	p.send(post("/x", "Content-Length: 0\r\nExpect: 100-continue", "") + get("/y"))
	p.wantSaid("a request without content needs no 100", "/x", 0)
	p.wantSaid("and is followed by another", "/y", 0)
}

func TestHostile22OtherExpectations(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	for _, expectation := range []string{"200-ok", "100-continue, more", "100-continued", "100-continue;q=1", "x=y"} {
		p := s.dial(t)
		p.send(post("/x", "Content-Length: 5\r\nExpect: "+expectation, ""))
		p.wantAnswer("the expectation "+expectation+" cannot be met", 417)
		p.send("hello")
		s.wantBystanderServed(t, "after an expectation that cannot be met")
		p.close()
	}
	s.wantDispatched(t, "no request with an unknown expectation reaches the handler")
}

// A body that the client cuts off is an error for whoever reads it, and not its end.
func TestHostile20BodyCutByTheClient(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		if r.Path() == "/echo" {
			return server.Stream(200, "", track(s, "echo", r.Body))
		}
		return countBody(r)
	})
	for _, input := range []string{
		post("/x", "Content-Length: 100", "hello"),
		chunked("/x", "5\r\nhello\r\n"),
		chunked("/x", "5\r\nhello\r\n0\r\n"),
	} {
		p := s.dial(t)
		p.send(input)
		p.closeWrite()
		p.wantLastAnswer("a body that was cut is malformed", 400)
		p = s.dial(t)
		p.send(strings.Replace(input, "/x", "/echo", 1))
		s.wantBystanderServed(t, "while the rest of a body is missing")
		p.closeWrite()
		if a := p.wantCut("the echo of a body that was cut is cut too", 200); a.body != "hello" {
			t.Errorf("what came of a body is echoed before the cut: %q, want hello", a.body)
		}
		s.wantDispatched(t, "each request was dispatched once", "/x", "/echo")
	}
	s.wantReleased(t, "the echoes are closed", 3)
	for range 3 {
		s.wantLogged(t, "a cut response is logged", "/echo", "cut")
	}
}
