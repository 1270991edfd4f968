package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Work that blocks does not block the loop, and its answer is sent.
func TestGoAnswersFromAWorker(t *testing.T) {
	t.Parallel()
	proceed := make(chan struct{})
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		name := r.Query("name")
		return server.Go(r, func(context.Context) server.Response {
			<-proceed
			return server.Text(200, "hello, "+name)
		})
	})
	p := s.dial(t)
	p.send(get("/?name=anna") + get("/?name=bert"))
	s.wantBystanderServed(t, "while a worker blocks")
	close(proceed)
	for _, name := range []string{"anna", "bert"} {
		if a := p.wantAnswer("the work is answered", 200); a.body != "hello, "+name {
			t.Errorf("the answer is %q, it should greet %s", a.body, name)
		}
	}
}

// The answer of a worker may itself be any response.
func TestGoAnswersAnyResponse(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		stream := track(s, r.Target(), once("a ", "stream"))
		return server.Go(r, func(context.Context) server.Response {
			return server.Later(pipeline.Once(server.Stream(200, "", stream)))
		})
	})
	p := s.dial(t)
	p.send(get("/later"))
	if a := p.wantAnswer("the worker's response is sent", 200); a.body != "a stream" {
		t.Errorf("the answer is %q, the body of the worker's stream was expected", a.body)
	}
}

// The work learns when its client has left, and what it answers then is closed.
func TestGoIsCancelledWhenTheClientLeaves(t *testing.T) {
	t.Parallel()
	began, causes := make(chan struct{}), make(chan error, 1)
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		late := track[[]byte](s, "late", silent[[]byte]{})
		return server.Go(r, func(ctx context.Context) server.Response {
			close(began)
			<-ctx.Done()
			causes <- context.Cause(ctx)
			return server.Stream(200, "", late)
		})
	})
	p := s.dial(t)
	p.send(get("/"))
	<-began
	p.reset()
	if err := <-causes; err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("the cause of the cancellation is %v, it should say that the client has left", err)
	}
	s.wantReleased(t, "a late response is closed", 1)
}

type valueKey struct{}

// The work's context is a child of what a layer has set, and is cancelled with it.
func TestGoInheritsTheContextOfTheRequest(t *testing.T) {
	t.Parallel()
	cancels := make(chan context.CancelFunc, 1)
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		ctx, cancel := context.WithCancel(context.WithValue(r.Context(), valueKey{}, "a value"))
		cancels <- cancel
		r.SetContext(ctx)
		return server.Go(r, func(ctx context.Context) server.Response {
			<-ctx.Done()
			value, _ := ctx.Value(valueKey{}).(string)
			return server.Text(200, value)
		})
	})
	p := s.dial(t)
	p.send(get("/"))
	(<-cancels)()
	if a := p.wantAnswer("work ends with the context of a layer", 200); a.body != "a value" {
		t.Errorf("the work found %q in its context, what the layer has put there was expected", a.body)
	}
}

// A context that nobody has asked the request for is cancelled when the answer is there.
func TestGoCancelsItsContextBehindTheAnswer(t *testing.T) {
	t.Parallel()
	contexts := make(chan context.Context, 1)
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		return server.Go(r, func(ctx context.Context) server.Response {
			contexts <- ctx
			return server.Text(200, "done")
		})
	})
	p := s.dial(t)
	p.send(get("/"))
	p.wantAnswer("the work is answered", 200)
	<-(<-contexts).Done()
}

// What has no worker and no place to wait is refused, and the client told to come back.
func TestGoRefusesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	began, proceed := make(chan struct{}, 1), make(chan struct{})
	s := besiege(t, server.Options{Workers: 1, WorkQueue: -1}, func(r *server.Request) server.Response {
		return server.Go(r, func(context.Context) server.Response {
			began <- struct{}{}
			<-proceed
			return server.Empty(204)
		})
	})
	first, second := s.dial(t), s.dial(t)
	first.send(get("/first"))
	<-began
	second.send(get("/second"))
	a := second.wantAnswer("the worker is busy", 503)
	if _, err := strconv.Atoi(a.fields.Get("Retry-After")); err != nil || a.close {
		t.Errorf("a refusal says when to come back, and keeps the connection: %v", a.fields)
	}
	close(proceed)
	first.wantAnswer("the first has the worker", 204)
	second.send(get("/third"))
	second.wantAnswer("the worker is free again", 204)
}

// A route may have a pool of its own.
func TestGoOnAnotherPool(t *testing.T) {
	t.Parallel()
	pool := loop.NewPool(1, 0)
	began, proceed := make(chan struct{}), make(chan struct{})
	s := besiege(t, server.Options{Workers: 1, WorkQueue: -1}, func(r *server.Request) server.Response {
		if r.Path() == "/slow" {
			return server.GoOn(pool, r, func(context.Context) server.Response {
				close(began)
				<-proceed
				return server.Text(200, "slow")
			})
		}
		return server.Go(r, func(context.Context) server.Response { return server.Text(200, "quick") })
	})
	slow, quick := s.dial(t), s.dial(t)
	slow.send(get("/slow"))
	<-began
	quick.send(get("/quick"))
	quick.wantAnswer("the server's own workers are free", 200)
	close(proceed)
	slow.wantAnswer("the other pool's answer comes", 200)
	pool.Close()
	slow.send(get("/slow"))
	slow.wantAnswer("a pool that is closed is an error of the server", 500)
	s.wantLogged(t, "that is logged", loop.ErrPoolClosed.Error())
}

// The work reads the body as it comes, and the client is asked for it when it does.
func TestGoBodyReadsTheBody(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{Loops: 1}, func(r *server.Request) server.Response {
		return server.GoBody(r, func(_ context.Context, body io.Reader) server.Response {
			var numbers []int
			if err := json.NewDecoder(body).Decode(&numbers); err != nil {
				return server.Fail(err)
			}
			sum := 0
			for _, n := range numbers {
				sum += n
			}
			return server.Text(200, strconv.Itoa(sum))
		})
	})
	p := s.dial(t).tap()
	p.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
	if line, err := p.reader.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" || err != nil {
		t.Fatalf("the client is asked for the body when the work reads it, not sent %q (%v)", line, err)
	}
	if line, err := p.reader.ReadString('\n'); line != "\r\n" || err != nil {
		t.Fatalf("100 Continue ends with an empty line, not with %q (%v)", line, err)
	}
	p.send("[1,2,")
	s.wantBystanderServed(t, "while a worker waits for the body")
	p.send("300]" + post("/", "Transfer-Encoding: chunked", "2\r\n[4\r\n2\r\n,5\r\n1\r\n]\r\n0\r\n\r\n"))
	for _, want := range []string{"303", "9"} {
		if a := p.wantAnswer("the body was read", 200); a.body != want {
			t.Errorf("the sum is %q, %s was expected", a.body, want)
		}
	}
	p.send(get("/"))
	p.wantAnswer("a request without a body has an empty one, which is no JSON", 500)
	s.wantLogged(t, "the error of the work is logged", "EOF")
}

// What is wrong with the body is an error of Read, with the status that it has anywhere.
func TestGoBodyFailsWithTheBody(t *testing.T) {
	t.Parallel()
	errs := make(chan error, 1)
	s := besiege(t, server.Options{BodyLimit: 1000}, func(r *server.Request) server.Response {
		return server.GoBody(r, func(_ context.Context, body io.Reader) server.Response {
			_, err := io.Copy(io.Discard, body)
			errs <- err
			return server.Fail(err)
		})
	})
	p := s.dial(t)
	p.send(post("/", "Transfer-Encoding: chunked", "400\r\n"+strings.Repeat("x", 1024)+"\r\n"))
	p.wantAnswer("the body is over its limit", 413)
	<-errs
	p = s.dial(t)
	p.send(post("/", "Transfer-Encoding: chunked", "no number\r\n"))
	p.wantAnswer("the body breaks the syntax", 400)
	<-errs
	p = s.dial(t)
	p.send(post("/", "Content-Length: 10", "half"))
	s.wantBystanderServed(t, "while half of a body is there")
	p.reset()
	if err := <-errs; err == nil || err == io.EOF {
		t.Errorf("Read returned %v to the work whose client has left, an error was expected", err)
	}
	s.note(func() { s.log = nil }) // whether the answer to a client that left was tried first is not the matter
}

// Workers that are done with their requests end with the server, and those that are not do not hold it up.
func TestGoAndTheEndOfTheServer(t *testing.T) {
	t.Parallel()
	began, proceed := make(chan struct{}), make(chan struct{})
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		return server.Go(r, func(ctx context.Context) server.Response {
			close(began)
			<-proceed // it does not care for ctx
			if ctx.Err() == nil {
				t.Error("the context of work that the end of the server has cut is cancelled")
			}
			return server.Empty(204)
		})
	})
	p := s.dial(t)
	p.send(get("/"))
	<-began
	s.cut(t)
	if err := <-s.served; err != nil {
		t.Errorf("Serve returned %v", err)
	}
	s.served <- nil
	close(proceed)
	p.wantGone("the work was cut")
}

// A shutdown waits for the answer of a worker, and ends its connection behind it.
func TestGoIsAnsweredDuringAShutdown(t *testing.T) {
	t.Parallel()
	began, proceed := make(chan struct{}), make(chan struct{})
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		return server.Go(r, func(context.Context) server.Response {
			close(began)
			<-proceed
			return server.Text(200, "the last one")
		})
	})
	p := s.dial(t)
	p.send(get("/"))
	<-began
	s.gone = true
	shut := make(chan error)
	go func() { shut <- s.server.Shutdown(context.Background()) }()
	close(proceed)
	p.wantAnswer("an answer that was on its way is sent", 200)
	if err := <-shut; err != nil {
		t.Errorf("Shutdown returned %v", err)
	}
}

// Row 45: whatever a worker does, the client gets a 500 and the log the stack.
func TestHostile45WorkerThatDoesNotReturn(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		switch r.Path() {
		case "/panic":
			return server.Go(r, func(context.Context) server.Response { panicHere(); return server.Empty(204) })
		case "/body":
			return server.GoBody(r, func(context.Context, io.Reader) server.Response { panicHere(); return server.Empty(204) })
		case "/stream":
			return server.GoStream(r, 200, "", func(context.Context, io.Reader, *pipeline.Writer) error { panicHere(); return nil })
		case "/begun":
			return server.GoStream(r, 200, "", func(_ context.Context, _ io.Reader, w *pipeline.Writer) error {
				if _, err := io.WriteString(w, "begun"); err != nil || w.Flush() != nil {
					return errBroken
				}
				panicHere()
				return nil
			})
		}
		return server.Go(r, func(context.Context) server.Response { runtime.Goexit(); return server.Empty(204) })
	})
	p := s.dial(t).tap()
	for _, target := range []string{"/panic", "/body", "/stream"} {
		p.send(post(target, "Content-Length: 5", "hello"))
		p.wantAnswer("a worker that panics is an error of the server: "+target, 500)
		s.wantPanicLogged(t, target)
		s.wantBystanderServed(t, "after a worker has panicked")
	}
	p.send(get("/exit"))
	p.wantAnswer("a worker that ends its goroutine is an error of the server", 500)
	s.wantLogged(t, "that is logged", "ended its goroutine")
	p.send(get("/begun"))
	if a := p.wantCut("a panic behind the head cuts the body", 200); a.body != "begun" {
		t.Errorf("what was flushed before the panic is sent, not %q", a.body)
	}
	s.wantPanicLogged(t, "/begun")
	if strings.Contains(p.read.String(), "deliberate") {
		t.Errorf("the client is told nothing of a panic: %q", p.read.String())
	}
}
