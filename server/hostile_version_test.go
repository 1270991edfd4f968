package server_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Old clients, clients that close one side, and clients on a Unix socket.

const http10 = " HTTP/1.0\r\n\r\n"

// Row 26: a client of HTTP/1.0 is sent no chunks.
func TestHostile26StreamToHTTP10(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		stream := server.Stream(200, "", track(s, r.Target(), once("first, ", "second")))
		switch r.Path() {
		case "/length":
			return stream.Length(int64(len("first, second")))
		case "/trailers":
			return stream.Trailers(func() []server.Field { return []server.Field{{Name: "A", Value: "b"}} })
		}
		return stream
	})
	for _, target := range []string{"/", "/trailers"} {
		for _, fields := range []string{"", "Connection: keep-alive\r\n"} {
			p := s.dial(t)
			p.send("GET " + target + " HTTP/1.0\r\n" + fields + "\r\n" + smuggled)
			a := p.wantLastAnswer("a stream to HTTP/1.0 ends with the connection: "+target, 200)
			if a.body != "first, second" || a.fields.Get("Transfer-Encoding") != "" {
				t.Errorf("a stream to HTTP/1.0 is sent as it is, not as %q with %q", a.body, a.fields)
			}
			s.wantDispatched(t, "nothing behind such a stream is dispatched", target)
		}
	}
	p := s.dial(t)
	p.send("GET /length HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
	if a := p.wantAnswer("a stream of declared length to HTTP/1.0", 200); a.fields.Get("Connection") != "keep-alive" {
		t.Errorf("a stream of declared length does not end a persistent connection: %q", a.fields)
	}
	p.wantIntact(s, "the connection goes on behind a stream of declared length")
	s.wantReleased(t, "all streams are closed", 5)
}

// Row 26: where only the close ends a body, only a reset can say that it was cut.
func TestHostile26CutStreamToHTTP10(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		first := true
		return server.Stream(200, "", track(s, r.Target(), pipeline.Map[[]byte, []byte](endless{[]byte("some")},
			func(b []byte) ([]byte, error) {
				switch {
				case first:
					first = false
					return b, nil
				case r.Path() == "/panic":
					panic("deliberate")
				}
				return nil, errBroken
			})))
	})
	for _, target := range []string{"/error", "/panic"} {
		p := s.dial(t)
		p.send("GET " + target + http10)
		p.wantReset("a stream to HTTP/1.0 that is cut does not look whole: " + target)
		s.wantLogged(t, "a cut stream is logged: "+target)
		s.wantClosed(t, "the connection is given up", 1, server.ReasonResponseFailed)
	}
}

func TestHostileHTTP10Persistence(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	for _, fields := range []string{"", "Connection: close\r\n", "Connection: keep-alive, close\r\n"} {
		p := s.dial(t)
		p.send("GET /x HTTP/1.0\r\n" + fields + "\r\n" + smuggled)
		p.wantLastAnswer("HTTP/1.0 does not persist unless asked to: "+fields, 200)
		s.wantDispatched(t, "nothing behind it is dispatched", "/x")
	}
	p := s.dial(t)
	for range 3 {
		p.send("POST /x HTTP/1.0\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello")
		if a := p.wantAnswer("HTTP/1.0 persists when asked to", 200); a.fields.Get("Connection") != "keep-alive" {
			t.Errorf("the answer says that HTTP/1.0 persists, not %q", a.fields)
		}
	}
	p.send("GET /last" + http10)
	p.wantLastAnswer("the last request of HTTP/1.0 does not ask for more", 200)

	p = s.dial(t)
	p.send("GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" + smuggled)
	p.wantLastAnswer("Connection: close is the client's last word", 200)
	s.wantDispatched(t, "nothing behind Connection: close is dispatched", "/x", "/x", "/x", "/last", "/x")
}

// A client that has closed its sending side still gets the answers to all it has sent.
func TestHostileHalfCloseBehindRequests(t *testing.T) {
	t.Parallel()
	g := newGates()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		switch target := r.Target(); r.Path() {
		case "/later":
			return server.Later(pipeline.Map[[]byte](g.wait(r), func([]byte) (server.Response, error) {
				return server.Text(200, target), nil
			}))
		case "/stream":
			return server.Stream(200, "", track[[]byte](s, target, g.wait(r)))
		}
		return countBody(r)
	})
	p := s.dial(t)
	p.send(get("/now") + get("/later") + get("/stream") + post("/body", "Content-Length: 5", "hello"))
	p.closeWrite()
	p.wantSaid("an answer that is there reaches a client that has half closed", "/now", 0)
	later := <-g.queues
	s.wantBystanderServed(t, "while a client that has half closed waits")
	push(t, later, "now")
	p.wantAnswer("a late answer reaches a client that has half closed", 200)
	stream := <-g.queues
	s.wantBystanderServed(t, "while a stream to a client that has half closed waits")
	push(t, stream, "data")
	stream.Finish(nil)
	if a := p.wantAnswer("a stream reaches a client that has half closed", 200); a.body != "data" {
		t.Errorf("the stream is whole, not %q", a.body)
	}
	p.wantSaid("the last request before the FIN is answered", "/body", 5)
	p.wantEnd("behind the last answer the connection ends")
	s.wantClosed(t, "the client has closed", 1, server.ReasonClientClosed)
}

// An answer without end is over when the client closes its side, whenever that comes.
func TestHostileHalfCloseOfOpenEndedAnswers(t *testing.T) {
	t.Parallel()
	g := newGates()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		events := track[[]byte](s, r.Target(), g.wait(r))
		if r.Path() == "/poll" {
			return server.Later(pipeline.Map(events, func([]byte) (server.Response, error) {
				return server.Text(200, "never"), nil
			})).OpenEnded()
		}
		return server.Stream(200, "text/event-stream", events).OpenEnded()
	})
	released := 0
	for _, target := range []string{"/events", "/poll"} {
		for _, together := range []bool{true, false} {
			p := s.dial(t)
			p.send(get(target))
			if !together {
				<-g.queues
				s.wantBystanderServed(t, "while an answer without end goes on")
			}
			p.closeWrite()
			released++
			s.wantReleased(t, "an answer without end is cancelled by FIN", released)
			s.wantClosed(t, "its client has left", 1, server.ReasonClientClosed)
			p.close()
		}
	}
}

// Requests that were cut by FIN are malformed, and FIN alone is not.
func TestHostileHalfCloseWithinARequest(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	whole := get("/x")
	for n := 1; n < len(whole); n++ {
		p := s.dial(t)
		p.send(whole[:n])
		p.closeWrite()
		p.wantLastAnswer("a head that ends too early is malformed: "+whole[:n], 400)
		s.wantClosed(t, "it is a malformed request", 1, server.ReasonBadRequest)
	}
	for _, nothing := range []string{"", "\r\n", "\r\n\r\n"} {
		p := s.dial(t)
		p.send(nothing)
		p.closeWrite()
		p.wantEnd("a client that says nothing is answered nothing")
		s.wantClosed(t, "it has closed in order", 1, server.ReasonClientClosed)
	}
	s.wantDispatched(t, "nothing is dispatched")
}

// What holds for TCP holds for a Unix socket.
func TestHostileUnixSocket(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.startAt(t, "unix", filepath.Join(t.TempDir(), "socket"), server.Options{HeadTimeout: unhurried}, countBody)
	for _, manner := range manners {
		for _, before := range []string{"", "/good"} {
			s.wantRefusal(t, refusal{input: post("/x", "Content-Length: 5\r\nTransfer-Encoding: chunked", fiveAndChunked)},
				before, manner.send)
			s.wantRefusal(t, refusal{input: chunked("/chunks", "5\nhello\r\n0\r\n\r\n"), dispatched: "/chunks"},
				before, manner.send)
		}
	}
	p := s.dial(t)
	p.send(strings.Repeat(get("/x"), 100))
	p.closeWrite()
	for range 100 {
		p.wantSaid("pipelined requests are answered on a Unix socket", "/x", 0)
	}
	p.wantEnd("and then the connection ends")
	s.wantClosed(t, "the client has closed", 1, server.ReasonClientClosed)
	p = s.dial(t)
	p.send("GET /slow HTTP/1.1\r\n")
	p.wantLastAnswer("a head that does not end is given up on a Unix socket", 408)
	s.wantClosed(t, "for that reason", 1, server.ReasonHeadTimeout)
}
