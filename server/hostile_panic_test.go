package server_test

import (
	"context"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Row 45 of the hostile input: panics, wherever the code of a user runs. Each is logged
// with its stack, and nobody else notices.

const deliberately = "a deliberate panic"

// panicHere is in the stack that the log must show.
func panicHere() { panic(deliberately) }

// wantPanicLogged wants the log to say what panicked, and where.
func (s *subject) wantPanicLogged(t testing.TB, where string) {
	t.Helper()
	s.wantLogged(t, "a panic is logged with its stack: "+where, deliberately, "panicHere")
}

// panicsFirst is a stage that panics at the first poll, and panicsLater at the second.
func panicsFirst(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return panicsAt(1, src) }
func panicsLater(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return panicsAt(2, src) }

func panicsAt(n int, src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	return pipeline.Map(src, func(b []byte) ([]byte, error) {
		if n--; n == 0 {
			panicHere()
		}
		return b, nil
	})
}

// Before the head is out a panic is a 500, and the connection goes on.
func TestHostile45PanicBeforeTheHead(t *testing.T) {
	t.Parallel()
	pool := loop.NewPool(1, 1)
	t.Cleanup(pool.Close)
	s := newSubject()
	handlers := map[string]func(r *server.Request) server.Response{
		"/handler": func(*server.Request) server.Response { panicHere(); return server.Empty(204) },
		"/stream": func(r *server.Request) server.Response {
			return server.Stream(200, "", track(s, r.Target(), panicsFirst(once("data"))))
		},
		"/later": func(r *server.Request) server.Response {
			return server.Later(track(s, r.Target(), pipeline.Map(panicsFirst(once("data")),
				func([]byte) (server.Response, error) { return server.Empty(204), nil })))
		},
		"/body": func(r *server.Request) server.Response {
			return server.Later(track(s, r.Target(), pipeline.Map(panicsFirst(r.Body),
				func([]byte) (server.Response, error) { return server.Empty(204), nil })))
		},
		"/late": func(r *server.Request) server.Response {
			stream := server.Stream(200, "", track(s, r.Target()+" stream", panicsFirst(once("data"))))
			return server.Later(track(s, r.Target(), pipeline.Once(stream)))
		},
		"/worker": func(r *server.Request) server.Response {
			return server.Later(track(s, r.Target(), pipeline.Offload(r.Loop(), pool,
				func(context.Context) (server.Response, error) { panicHere(); return server.Empty(204), nil })))
		},
		"/worker/stream": func(r *server.Request) server.Response {
			return server.Stream(200, "", track(s, r.Target(), pipeline.Offload(r.Loop(), pool,
				func(context.Context) ([]byte, error) { panicHere(); return nil, nil }))).Length(4)
		},
	}
	s.start(t, server.Options{}, func(r *server.Request) server.Response { return handlers[r.Path()](r) })
	for target := range handlers {
		if target == "/worker/stream" {
			continue // its head is out before the worker begins; see below
		}
		p := s.dial(t).tap()
		p.send(post(target, "Content-Length: 5", "hello") + get(bystanding+"behind"))
		p.wantAnswer("a panic is an error of the server: "+target, 500)
		if a := p.wantAnswer("the request behind a panic is answered", 200); a.body != bystanding+"behind" {
			t.Errorf("the request behind a panic is answered, not with %q", a.body)
		}
		if strings.Contains(p.read.String(), "deliberate") {
			t.Errorf("the client is told nothing of a panic: %q", p.read.String())
		}
		s.wantPanicLogged(t, target)
		s.wantBystanderServed(t, "after a panic")
	}
	p := s.dial(t)
	p.send(get("/worker/stream"))
	p.wantCut("a panic of a worker behind a head cuts the body", 200)
	s.wantPanicLogged(t, "/worker/stream")
	s.wantReleased(t, "the sources of what panicked are closed", 7)
}

// After the head a panic cuts the body.
func TestHostile45PanicAfterTheHead(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		source := func() pipeline.Source[[]byte] { return track(s, r.Target(), panicsLater(once("first", "second"))) }
		switch r.Path() {
		case "/length":
			return server.Stream(200, "", source()).Length(11)
		case "/trailers":
			return server.Stream(200, "", track(s, r.Target(), once("first"))).Trailers(
				func() []server.Field { panicHere(); return nil })
		case "/late":
			return server.Later(pipeline.Once(server.Stream(200, "", source())))
		case "/open":
			return server.Stream(200, "", source()).OpenEnded()
		}
		return server.Stream(200, "", source())
	})
	targets := []string{"/stream", "/length", "/trailers", "/late", "/open"}
	for i, target := range targets {
		p := s.dial(t)
		p.send(get(target) + smuggled)
		s.wantBystanderServed(t, "while a stage panics")
		if a := p.wantCut("a panic behind the head cuts the body: "+target, 200); a.body != "first" {
			t.Errorf("what came before the panic is sent, and nothing else: %s gave %q", target, a.body)
		}
		p.wantGone("behind a panic comes nothing")
		s.wantClosed(t, "the connection is given up", 1, server.ReasonResponseFailed)
		s.wantPanicLogged(t, target)
		s.wantReleased(t, "the source is closed", i+1)
		s.wantDispatched(t, "nothing behind a panic is dispatched", target)
	}
}

// badlyClosed is a source that panics when it is closed.
type badlyClosed[T any] struct{ pipeline.Source[T] }

func (b badlyClosed[T]) Close() {
	b.Source.Close()
	panicHere()
}

// A source that panics while it is closed takes nothing with it but its own connection:
// whoever leaves, and whenever.
func TestHostile45PanicInClose(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{WriteTimeout: short}, func(r *server.Request) server.Response {
		switch name := r.Target(); r.Path() {
		case "/whole":
			return server.Stream(200, "", track[[]byte](s, name, badlyClosed[[]byte]{once("data")}))
		case "/failing":
			return server.Stream(200, "", track[[]byte](s, name, badlyClosed[[]byte]{pipeline.Fail[[]byte](errBroken)}))
		case "/full":
			return server.Stream(200, "", track[[]byte](s, name, badlyClosed[[]byte]{endless{make([]byte, 16<<10)}}))
		case "/open":
			return server.Stream(200, "", track[[]byte](s, name, badlyClosed[[]byte]{silent[[]byte]{}})).OpenEnded()
		}
		return server.Stream(200, "", track[[]byte](s, r.Target(), badlyClosed[[]byte]{silent[[]byte]{}}))
	})
	released := 0
	for _, c := range []struct {
		target string
		leave  func(p *peer)
	}{
		{"/whole", (*peer).close}, {"/failing", (*peer).close},
		{"/silent", (*peer).reset}, {"/open", (*peer).closeWrite}, {"/full", func(*peer) {}},
	} {
		p := s.dialNarrow(t)
		p.send(get(c.target))
		s.await(t, "the request is dispatched", func() bool { return len(s.dispatched) > 0 }, s.state)
		s.wantBystanderServed(t, "before a source is closed that panics")
		c.leave(p)
		released++
		s.wantPanicLogged(t, c.target)
		s.await(t, "a connection whose source panics when it is closed is closed itself: "+c.target,
			func() bool { return len(s.closed) > 0 }, s.state)
		s.note(func() { s.opened, s.closed = s.opened-1, s.closed[1:] })
		s.wantReleased(t, "its sources are closed: "+c.target, released)
		s.wantBystanderServed(t, "after a source was closed that panics")
		s.wantDispatched(t, "it was dispatched once", c.target)
		p.close()
	}
	s.wantLogged(t, "an error of a source is logged too", errBroken.Error())
}

// A Later that panics while it is closed does not lose the response that it gave.
func TestHostile45PanicInCloseOfLater(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		stream := server.Stream(200, "", track(s, r.Target()+" stream", once("data")))
		return server.Later(track[server.Response](s, r.Target(), badlyClosed[server.Response]{pipeline.Once(stream)}))
	})
	p := s.dial(t)
	p.send(get("/later"))
	p.readAnswer("GET", "some answer comes")
	s.wantPanicLogged(t, "/later")
	p.close()
	s.wantReleased(t, "the stream of the response that came is closed", 2)
	s.wantBystanderServed(t, "after a source was closed that panics")
}
