package server_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// The rows of hostile input that concern what outlives what.

// Row 39: a client that resets its connection is noticed although nobody reads.
func TestHostile39ResetWhileNobodyReads(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		switch name := r.Target(); r.Path() {
		case "/stream":
			return server.Stream(200, "", track[[]byte](s, name, silent[[]byte]{}))
		case "/later":
			return server.Later(track[server.Response](s, name, silent[server.Response]{}))
		case "/body":
			return server.Later(track(s, name, pipeline.Map(pipeline.Collect(r.Body, 1<<20),
				func([]byte) (server.Response, error) { return server.Empty(204), nil })))
		case "/open":
			return server.Stream(200, "", track[[]byte](s, name, silent[[]byte]{})).OpenEnded()
		case "/delay":
			return server.Stream(200, "", track(s, name, then(r.After(patience), once("never"))))
		default:
			return server.Stream(200, "", track(s, name, endless{make([]byte, 16<<10)}))
		}
	})
	paths := []string{"/stream", "/later", "/body", "/open", "/delay", "/blocked"}
	bodies := []string{"", "hello", strings.Repeat("x", 200<<10)}
	released := 0
	for _, path := range paths {
		for _, body := range bodies {
			p := s.dialNarrow(t)
			p.send(post(path, "Content-Length: 1000000", body))
			s.await(t, "the request is dispatched", func() bool { return len(s.dispatched) == 1 }, s.state)
			s.wantBystanderServed(t, "before the reset")
			p.reset()
			released++
			s.wantReleased(t, "what a connection that was reset had is closed: "+path, released)
			s.wantClosed(t, "a connection that was reset is given up: "+path, 1, server.ReasonConnectionLost)
			s.wantBystanderServed(t, "after the reset")
			s.wantDispatched(t, "it was dispatched once", path)
		}
	}
}

// Each exchange is told to the hooks once at its beginning and once at its end, however
// it ends.
func TestHostile39ResponseHook(t *testing.T) {
	t.Parallel()
	begun, ended := map[string]int{}, map[string]int{}
	s := newSubject()
	var o server.Options
	o.Hooks.Request = func(r *server.Request) { s.note(func() { begun[r.Target()]++ }) }
	o.Hooks.Response = func(r *server.Request, status int, _ int64) {
		s.note(func() { ended[fmt.Sprint(r.Target(), " ", status)]++ })
	}
	s.start(t, o, func(r *server.Request) server.Response {
		switch r.Path() {
		case "/later":
			return server.Later(track[server.Response](s, "", silent[server.Response]{}))
		case "/stream":
			return server.Stream(200, "", track[[]byte](s, "", silent[[]byte]{}))
		case "/cut":
			return server.Stream(200, "", track(s, "", once("hello"))).Length(100)
		}
		return server.Text(200, "now")
	})
	for _, target := range []string{"/now", "/later", "/stream", "/cut"} {
		p := s.dial(t)
		p.send(get(target))
		s.await(t, "the exchange begins", func() bool { return begun[target] == 1 }, s.state)
		s.wantBystanderServed(t, "while an exchange is in hand")
		p.reset()
		s.await(t, "the connection ends", func() bool { return len(s.closed) > 0 }, s.state)
		s.note(func() { s.opened, s.closed = s.opened-1, nil })
		status := map[string]int{"/now": 200, "/later": 0, "/stream": 200, "/cut": 200}[target]
		s.note(func() {
			if n := ended[fmt.Sprint(target, " ", status)]; n != 1 {
				t.Errorf("the end of an exchange is told once, with the status %d: %s was told %d times: %v", status, target, n, ended)
			}
		})
	}
	s.wantLogged(t, "the cut response is logged", "/cut")
}

// Row 41: strings of a request are right for ever, whatever comes on the connection.
func TestHostile41StringsAreKept(t *testing.T) {
	t.Parallel()
	var mutex sync.Mutex
	kept := map[string][]string{}
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		mutex.Lock()
		defer mutex.Unlock()
		name, _ := r.Fields().At(1)
		kept[r.Target()] = []string{r.Method(), r.Target(), r.Path(), r.RawQuery(), r.Host(), name, r.Field("Kept"), r.Query("q")}
		return server.Text(200, r.Field("Kept"))
	})
	want := map[string][]string{}
	for connection := range 3 {
		p := s.dial(t)
		for i := range 200 {
			n := fmt.Sprint(connection, "-", i)
			target := "/" + n + "?q=" + n
			p.send("KEEP" + n + " " + target + " HTTP/1.1\r\nHost: h" + n + "\r\nKept: value" + n + "\r\n\r\n")
			want[target] = []string{"KEEP" + n, target, "/" + n, "q=" + n, "h" + n, "Kept", "value" + n, n}
		}
		for range 200 {
			p.wantAnswer("each request is answered", 200)
		}
	}
	mutex.Lock()
	defer mutex.Unlock()
	for target, strings := range want {
		if got := kept[target]; fmt.Sprint(got) != fmt.Sprint(strings) {
			t.Errorf("strings that were kept stay right: %q became %q", strings, got)
		}
	}
	s.note(func() { s.dispatched = nil })
}

// Row 41: who uses a Request too late is told so.
func TestHostile41RequestUsedTooLate(t *testing.T) {
	t.Parallel()
	uses := map[string]func(r *server.Request){
		"Method":       func(r *server.Request) { r.Method() },
		"Target":       func(r *server.Request) { r.Target() },
		"Path":         func(r *server.Request) { r.Path() },
		"Field":        func(r *server.Request) { r.Field("Host") },
		"Fields":       func(r *server.Request) { r.Fields() },
		"Trailers":     func(r *server.Request) { r.Trailers() },
		"Context":      func(r *server.Request) { r.Context() },
		"SetBodyLimit": func(r *server.Request) { r.SetBodyLimit(1) },
		"Loop":         func(r *server.Request) { r.Loop() },
	}
	var first *server.Request
	s := besiege(t, server.Options{Strict: true}, func(r *server.Request) server.Response {
		if first == nil {
			first = r
			return server.Empty(204)
		}
		return server.Text(200, outcomeOf(func() { uses[r.Query("use")](first) }))
	})
	p := s.dial(t)
	p.send(get("/first"))
	p.wantAnswer("the first request is answered", 204)
	for use := range uses {
		p.send(get("/?use=" + use))
		if a := p.wantAnswer("the next request is answered", 200); a.body != "panic" {
			t.Errorf("a Request that is used after its response panics, but %s did: %s", use, a.body)
		}
	}
}

// outcomeOf says whether f panics or returns.
func outcomeOf(f func()) (outcome string) {
	defer func() {
		if recover() != nil {
			outcome = "panic"
		}
	}()
	f()
	return "return"
}

// Row 41: a body that is kept gives nothing of the next request.
func TestHostile41BodyReadTooLate(t *testing.T) {
	t.Parallel()
	var kept pipeline.Source[[]byte]
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		if kept == nil {
			kept = r.Body
			return server.Empty(204)
		}
		data, err := kept.Poll(nil)
		if len(data) > 0 || !errors.Is(err, server.ErrExchangeEnded) {
			return server.Text(200, fmt.Sprintf("%q and %v", data, err))
		}
		kept.Close()
		return countBody(r)
	})
	p := s.dial(t)
	p.send(post("/x", "Content-Length: 5", "hello") + post("/y", "Content-Length: 6", "secret"))
	p.wantAnswer("a request whose body is not read is answered", 204)
	p.wantSaid("a body that was kept gives nothing of another", "/y", 6)
}

// Row 43: many requests that are answered at once are no recursion.
func TestHostile43ManyPipelinedRequests(t *testing.T) {
	t.Parallel()
	const requests = 100_000
	deepest, shallowest := 0, 1<<30
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		depth := stackDepth()
		deepest, shallowest = max(deepest, depth), min(shallowest, depth)
		return server.Text(200, r.Target())
	})
	p := s.dial(t)
	go func() {
		var all strings.Builder
		for i := range requests {
			all.WriteString(get(fmt.Sprint("/", i)))
		}
		p.send(all.String())
	}()
	for i := range requests {
		if body := p.readPlain("each request is answered"); body != fmt.Sprint("/", i) {
			t.Fatalf("answers come in order: number %d is %s", i, body)
		}
		if i%1000 == 0 {
			s.wantBystanderServed(t, "beside many requests")
		}
	}
	p.close()
	s.wantClosed(t, "the client has left", 1, server.ReasonClientClosed)
	if deepest != shallowest {
		t.Errorf("the stack does not grow with the requests: it is from %d to %d calls deep", shallowest, deepest)
	}
}

// Row 43: neither are many values of which none comes through.
func TestHostile43ManyDroppedValues(t *testing.T) {
	t.Parallel()
	const values = 1_000_000
	var first, last int
	s := besiege(t, server.Options{}, func(*server.Request) server.Response {
		kept := pipeline.Filter[int](&numbers{last: values}, func(n int) bool {
			switch n {
			case 1:
				first = stackDepth()
			case values:
				last = stackDepth()
			}
			return n == values
		})
		return server.Stream(200, "", pipeline.Map(kept, func(n int) ([]byte, error) { return []byte(strconv.Itoa(n)), nil }))
	})
	p := s.dial(t)
	p.send(get("/x"))
	s.wantBystanderServed(t, "while values are dropped")
	if a := p.wantAnswer("the one value that is kept comes through", 200); a.body != strconv.Itoa(values) {
		t.Errorf("the one value that is kept is the last, not %q", a.body)
	}
	p.close()
	s.wantClosed(t, "the client has left", 1, server.ReasonClientClosed)
	if first != last {
		t.Errorf("the stack does not grow with the values: it was %d calls deep at the first and %d at the last", first, last)
	}
}

// numbers is the stream of the numbers from 1 to last.
type numbers struct{ n, last int }

func (s *numbers) Poll(pipeline.Waker) (int, error) {
	if s.n == s.last {
		return 0, io.EOF
	}
	s.n++
	return s.n, nil
}

func (*numbers) Close() {}

func stackDepth() int {
	var callers [200]uintptr
	return runtime.Callers(0, callers[:])
}
