package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/server"
)

// Clients that leave at any moment, against handlers that do everything a handler can: each handler
// returns, and the server serves on.
func TestFromHTTPAgainstClientsThatLeave(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	large := strings.Repeat("x", 300_000)
	var running atomic.Int64
	handlers := []http.HandlerFunc{
		func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "small") },
		func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, large) },
		func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) },
		func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); w.WriteHeader(204) },
		func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); <-r.Context().Done() },
		func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(103)
			io.WriteString(w, large)
			panic("wrecked")
		},
		func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, r *http.Request) {
			if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
				conn.Close()
			}
		},
	}
	pool := loop.NewPool(64, 1024)
	h := server.FromHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Add(-1)
		handlers[r.URL.Path[1]-'0'](w, r)
	}), server.HTTPOn(pool))
	_, address := start(t, "tcp", "127.0.0.1:0", h, server.Options{Logger: slog.New(slog.DiscardHandler)})

	var clients sync.WaitGroup
	for i := range 8 {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		clients.Go(func() {
			for range 30 {
				c := dial(t, "tcp", address)
				length := 100_000
				if random.IntN(2) == 0 {
					length = random.IntN(length)
				}
				fmt.Fprintf(c, "POST /%d HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n%s",
					random.IntN(len(handlers)), large[:length])
				if length == 100_000 {
					io.CopyN(io.Discard, c, random.Int64N(50)) // a part of the head, which every answer has
				}
				leave(t, c)
			}
		})
	}
	clients.Wait()
	if _, body := ask(t, dial(t, "tcp", address), "GET /0 HTTP/1.1\r\nHost: test\r\n\r\n"); body != "small" {
		t.Errorf("the server should serve on, and answered %q", body)
	}
	pool.Close() // waits for every handler
	if n := running.Load(); n != 0 {
		t.Errorf("every handler should have returned, and %d run", n)
	}
}

// Shutdown ends an event stream as it ends those of Events, and its handler with it.
func TestFromHTTPShutdownEndsEventStreams(t *testing.T) {
	ended := make(chan struct{})
	s, address := start(t, "tcp", "127.0.0.1:0", server.FromHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(ended)
	})), server.Options{})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Errorf("nothing should have to be cut, and Shutdown returned %v", err)
	}
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Errorf("the stream should end properly, and ended with %v", err)
	}
	await(t, "the handler should end", ended)
}
