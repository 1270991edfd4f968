package server_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// The rows of hostile input that concern answers: what a handler must not be able to put
// on the wire, and how an answer ends.

// wantIntact asks for something else on the same connection, so that everything that was
// left over there is seen.
func (p *peer) wantIntact(s *subject, why string) {
	p.t.Helper()
	s.asked++
	p.send(get(bystanding + "intact"))
	if a := p.wantAnswer(why, 200); a.body != bystanding+"intact" {
		p.t.Errorf("%s: the next answer is %q", why, a.body)
	}
}

// Row 23: nothing that a handler was tricked into ends a field or a head.
func TestHostile23InjectionIntoAnswers(t *testing.T) {
	t.Parallel()
	responses := map[string]server.Response{}
	for name, value := range map[string]string{
		"CRLF": "a\r\nEvil: 1", "LF": "a\nEvil: 1", "CR": "a\rEvil: 1", "NUL": "a\x00Evil", "DEL": "a\x7fEvil",
		"two": "a\r\n\r\nHTTP/1.1 200 OK\r\nEvil: 1", "start": "\r\nEvil: 1",
	} {
		responses["/value/"+name] = server.Text(200, "Evil").With("A", value)
		responses["/name/"+name] = server.Text(200, "Evil").With(value, "b")
		responses["/added/"+name] = server.Empty(204).With("A", "b").Add("A", value)
		responses["/redirect/"+name] = server.Redirect(302, "/x"+value)
		responses["/type/"+name] = server.Bytes(200, value, []byte("Evil"))
		responses["/error/"+name] = server.Text(404, "Evil").With("Content-Type", value)
	}
	responses["/name/empty"] = server.Text(200, "Evil").With("", "b")
	responses["/name/space"] = server.Text(200, "Evil").With("Evil ", "b")
	responses["/name/colon"] = server.Text(200, "Evil").With("Evil:", "b")
	for _, field := range []string{"Content-Length", "transfer-encoding", "Connection"} {
		responses["/framing/"+field] = server.Text(200, "Evil").With(field, "5")
	}
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response { return responses[r.Path()] })
	p := s.dial(t).tap()
	for target := range responses {
		p.send(get(target))
		p.wantAnswer("an answer that would be split is refused: "+target, 500)
		s.wantLogged(t, "an answer that was refused is logged", target, "status=500")
	}
	p.wantIntact(s, "the connection goes on after answers that were refused")
	s.wantBystanderServed(t, "after answers that were refused")
	if strings.Contains(p.read.String(), "Evil") {
		t.Errorf("nothing of a refused answer is on the wire: %q", p.read.String())
	}
}

// Row 23 where the body is a stream, and where the response comes late: the sources are
// closed all the same.
func TestHostile23InjectionIntoStreams(t *testing.T) {
	t.Parallel()
	const evil = "a\r\nEvil: 1"
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		stream := server.Stream(200, "", track(s, r.Target(), once("Evil", "Evil")))
		switch r.Path() {
		case "/field":
			return stream.With("A", evil)
		case "/late":
			return server.Later(track(s, "late", pipeline.Once(stream.With("A", evil))))
		case "/length":
			return stream.Length(8).With("A", evil)
		}
		return stream.Trailers(func() []server.Field { return []server.Field{{Name: "A", Value: evil}} })
	})
	p := s.dial(t).tap()
	for _, target := range []string{"/field", "/late", "/length"} {
		p.send(get(target))
		p.wantAnswer("a stream whose head would be split is refused: "+target, 500)
		s.wantLogged(t, "it is logged", target, "status=500")
	}
	if strings.Contains(p.read.String(), "Evil") {
		t.Errorf("nothing of a refused stream is on the wire: %q", p.read.String())
	}
	p.send(get("/trailers"))
	if a := p.wantCut("an answer whose trailers would be split is cut", 200); a.body != "EvilEvil" {
		t.Errorf("the body before refused trailers is whole: %q", a.body)
	}
	if strings.Contains(p.read.String(), "Evil: 1") {
		t.Errorf("nothing of refused trailers is on the wire: %q", p.read.String())
	}
	s.wantLogged(t, "it is logged", "/trailers", "cut")
	s.wantReleased(t, "all sources are closed", 5)
}

// Row 24: answers that must not have a body have none, whatever the handler says.
func TestHostile24BodiesThatAreNotSent(t *testing.T) {
	t.Parallel()
	s := newSubject()
	statuses := map[string]int{"204": 204, "304": 304, "200": 200, "404": 404}
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		kind, code, _ := strings.Cut(strings.TrimPrefix(r.Path(), "/"), "/")
		status := statuses[code]
		large := strings.Repeat("body", 10<<10)
		switch kind {
		case "text":
			return server.Text(status, "body")
		case "large":
			return server.Text(status, large)
		case "bytes":
			return server.Bytes(status, "", []byte(large))
		case "stream":
			return server.Stream(status, "", track(s, r.Target(), once("body", large)))
		case "length":
			return server.Stream(status, "", track(s, r.Target(), once("body"))).Length(4)
		case "endless":
			return server.Stream(status, "", track(s, r.Target(), endless{[]byte("body")}))
		case "late":
			return server.Later(pipeline.Once(server.Text(status, "body")))
		}
		return server.File(status, "", fileOf(t, large), 0, int64(len(large)))
	})
	p := s.dial(t).tap()
	for _, kind := range []string{"text", "large", "bytes", "stream", "length", "endless", "late", "file"} {
		for _, code := range []string{"204", "304", "200", "404"} {
			method, target := "HEAD", "/"+kind+"/"+code
			if code == "204" || code == "304" {
				method = "GET"
			}
			p.send(method + " " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")
			a := p.wantAnswerTo(method, "an answer without content: "+method+" "+target, statuses[code])
			if a.close {
				t.Errorf("an answer without content does not end the connection: %s %s", method, target)
			}
			p.wantIntact(s, "nothing of a body follows: "+method+" "+target)
		}
	}
	if strings.Contains(p.read.String(), "body") {
		t.Errorf("no body that must not be sent is sent: %.300q", p.read.String())
	}
	s.wantReleased(t, "the sources of bodies that are not sent are closed", 12)
}

// fileOf is a file with this content.
func fileOf(t testing.TB, content string) *os.File {
	name := t.TempDir() + "/file"
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Errorf("a file can be written: %v", err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Errorf("a file can be opened: %v", err)
	}
	return file
}

// Row 24: a body that is not as long as declared ends its connection, and is never longer
// on the wire. What is shorter is visibly cut.
func TestHostile24BodiesOfAnotherLength(t *testing.T) {
	t.Parallel()
	file := strings.Repeat("x", 100)
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		switch r.Path() {
		case "/short":
			return server.Stream(200, "", track(s, r.Target(), once("12345"))).Length(10)
		case "/long":
			return server.Stream(200, "", track(s, r.Target(), once("12345", "67890", "Evil"))).Length(10)
		case "/longer":
			return server.Stream(200, "", track(s, r.Target(), once("12345", "67890Evil"))).Length(10)
		}
		return server.File(200, "", fileOf(t, file), 0, 1000)
	})
	for _, target := range []string{"/short", "/long", "/longer", "/file"} {
		p := s.dial(t).tap()
		p.send(get(target) + smuggled)
		a := p.readAnswer("GET", "the head of an answer is there: "+target)
		if want := map[string]string{"/short": "12345", "/file": file}[target]; want != "" && (a.body != want || !a.cut) {
			t.Errorf("a body that is too short is cut behind what there is: %s gave %q", target, a.body)
		}
		p.wantGone("behind a cut body comes nothing: " + target)
		if strings.Contains(p.read.String(), "Evil") {
			t.Errorf("no byte beyond a declared length is sent: %q", p.read.String())
		}
		s.wantBystanderServed(t, "after a body was cut")
		s.wantDispatched(t, "nothing behind a cut body is dispatched", target)
	}
	for _, target := range []string{"/short", "/long", "/longer"} {
		s.wantLogged(t, "a body of another length is logged", target)
	}
	s.wantLogged(t, "a file that is too short is logged", "cut", "file")
	s.wantReleased(t, "the sources of cut bodies are closed", 3)
}

var errBroken = errors.New("the source is broken")

// Row 25: a fault further down the pipeline does not touch the answers before it.
func TestHostile25FaultBehindAnAnswerInHand(t *testing.T) {
	t.Parallel()
	g := newGates()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		return server.Stream(200, "", track[[]byte](s, r.Target(), g.wait(r)))
	})
	for _, manner := range manners {
		p := s.dial(t)
		manner.send(p, get("/x")+withLine("A : b")+smuggled)
		q := <-g.queues
		s.wantBystanderServed(t, "while an answer streams")
		push(t, q, "first, ")
		s.wantBystanderServed(t, "while an answer streams on")
		push(t, q, "second")
		q.Finish(nil)
		if a := p.wantAnswer("the answer before the fault is whole", 200); a.body != "first, second" {
			t.Errorf("the answer before the fault is whole, not %q", a.body)
		}
		p.wantLastAnswer("the fault is answered in its turn", 400)
		s.wantDispatched(t, "nothing else is dispatched, sent "+manner.name, "/x")
	}
	s.wantReleased(t, "the streams are closed", len(manners))
}
