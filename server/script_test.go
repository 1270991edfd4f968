package server_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// A script waits for whatever is a source, one after the other.
func TestScriptWaits(t *testing.T) {
	t.Parallel()
	pool := loop.NewPool(1, 1)
	t.Cleanup(pool.Close)
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		return server.Script(r, func(co *pipeline.Co) server.Response {
			body := pipeline.Collect(r.Body, 100)
			defer body.Close()
			text, err := pipeline.Await(co, body)
			if err != nil {
				return server.Fail(err)
			}
			if _, err := pipeline.Await(co, r.After(time.Millisecond)); err != nil {
				return server.Fail(err)
			}
			work := pipeline.Offload(r.Loop(), pool, func(context.Context) (int, error) { return len(text), nil })
			defer work.Close()
			n, err := pipeline.Await(co, work)
			if err != nil {
				return server.Fail(err)
			}
			return server.Text(200, fmt.Sprintf("%s has %d bytes", text, n))
		})
	})
	p := s.dial(t)
	for range 2 {
		p.send(post("/", "Content-Length: 5", "he"))
		s.wantBystanderServed(t, "while a script waits")
		p.send("llo")
		if a := p.wantAnswer("the script answers", 200); a.body != "hello has 5 bytes" {
			t.Errorf("the answer is %q", a.body)
		}
	}
	p.send(post("/", "Content-Length: 101", strings.Repeat("x", 101)))
	p.wantAnswer("the body is over the script's own limit", 413)
}

// A script whose client leaves runs to its end: its waits fail, its deferred calls run, and its response is closed.
func TestScriptWhoseClientLeaves(t *testing.T) {
	t.Parallel()
	errs := make(chan error, 2)
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		return server.Script(r, func(co *pipeline.Co) server.Response {
			waited := track[int](s, "waited for", silent[int]{})
			defer waited.Close()
			_, err := pipeline.Await(co, waited)
			errs <- err
			errs <- co.Err()
			return server.Stream(200, "", track(s, "response", once("too late")))
		})
	})
	p := s.dial(t)
	p.send(get("/"))
	s.await(t, "the script waits", func() bool { return len(s.tracked) > 0 && s.tracked[0].polled() > 0 }, s.state)
	s.wantBystanderServed(t, "while a script waits")
	p.reset()
	for range 2 {
		if err := <-errs; !errors.Is(err, pipeline.ErrClosed) {
			t.Errorf("what a script waits for ends with %v when its client has left, ErrClosed was expected", err)
		}
	}
	s.wantReleased(t, "what the script has made and its response are closed", 2)
}

// Row 45: a script that panics is a 500, and the log says where.
func TestHostile45PanicInAScript(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		return server.Script(r, func(co *pipeline.Co) server.Response {
			source := track(s, r.Target(), r.After(0))
			defer source.Close()
			if _, err := pipeline.Await(co, source); err != nil {
				return server.Fail(err)
			}
			panicHere()
			return server.Empty(204)
		})
	})
	p := s.dial(t)
	for n := range 2 {
		p.send(get("/"))
		p.wantAnswer("a script that panics is an error of the server", 500)
		s.wantPanicLogged(t, "in a script")
		s.wantReleased(t, "its deferred calls have run", n+1)
	}
}
