package server_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/server"
)

// logged collects what a server writes to its log.
type logged struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.text.Write(p)
}

func (l *logged) has(t *testing.T, what string, parts ...string) {
	t.Helper()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, part := range parts {
		if !strings.Contains(l.text.String(), part) {
			t.Errorf("%s: the log should have %q, and is:\n%s", what, part, l.text.String())
		}
	}
}

// serveHTTP serves a net/http handler, and returns the address and the log.
func serveHTTP(t *testing.T, h http.HandlerFunc, o ...server.HTTPOption) (string, *logged) {
	t.Helper()
	log := &logged{}
	_, address := start(t, "tcp", "127.0.0.1:0", server.FromHTTP(h, o...), server.Options{
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	return address, log
}

// await waits for something that must happen.
func await[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(safety):
		t.Fatalf("%s, and it has not happened", what)
	}
	return v
}

func TestFromHTTPStreamsBothWays(t *testing.T) {
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		controller := http.NewResponseController(w)
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintf(w, "<%s>", lines.Text())
			if err := controller.Flush(); err != nil {
				t.Errorf("Flush failed: %v", err)
			}
		}
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
	var resp *http.Response
	for i := range 5 {
		fmt.Fprintf(c, "2\r\n%d\n\r\n", i)
		if i == 0 {
			var err error
			if resp, err = http.ReadResponse(bufio.NewReader(c), nil); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, 3)
		if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != fmt.Sprintf("<%d>", i) {
			t.Fatalf("line %d should come back before the next is sent, and %q came with the error %v", i, got, err)
		}
	}
	fmt.Fprint(c, "0\r\n\r\n")
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) > 0 {
		t.Errorf("the response should end with the request, and %q came with the error %v", rest, err)
	}
}

func TestFromHTTPAsksForTheBodyWhenItIsRead(t *testing.T) {
	read := make(chan struct{})
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints) // what is sent ahead of 100
		<-read
		body, err := io.ReadAll(r.Body)
		fmt.Fprint(w, string(body), err)
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	reader := bufio.NewReader(c)
	for _, want := range []int{103, 100, 200} {
		resp, err := http.ReadResponse(reader, nil)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("the next response should be %d, and is %v with the error %v", want, resp, err)
		}
		switch want {
		case 103:
			close(read)
		case 100:
			fmt.Fprint(c, "ab")
		case 200:
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "ab<nil>" {
				t.Errorf("the handler should read the body, and answered %q", body)
			}
		}
	}
}

// A response that begins before the body was asked for is not held back for the sake of 100
// Continue: the client need not send the body any more.
func TestFromHTTPAnswersWithoutAskingForTheBody(t *testing.T) {
	seen := make(chan struct{})
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-seen
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	close(seen)
	if err != nil || resp.StatusCode != 200 || !resp.Close {
		t.Errorf("the answer should be 200 at once, and say that the connection is closed: %v, %v", resp, err)
	}
}

func TestFromHTTPPanics(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"panicked":                        func(http.ResponseWriter, *http.Request) { panic("wrecked") },
		"ended its goroutine":             func(http.ResponseWriter, *http.Request) { runtime.Goexit() },
		"has answered":                    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "kept back"); panic("wrecked") },
		"panicked in a deferred function": func(http.ResponseWriter, *http.Request) { defer func() { panic("wrecked") }() },
	} {
		address, log := serveHTTP(t, h)
		resp, body := ask(t, dial(t, "tcp", address), rootRequest)
		if resp.StatusCode != 500 || strings.Contains(body, "wrecked") || strings.Contains(body, "kept back") {
			t.Errorf("a handler that %s should be a 500 without a word of it, and is %d and %q", name, resp.StatusCode, body)
		}
		if name != "ended its goroutine" {
			log.has(t, "a handler that "+name, "wrecked", "http_adapter_test.go")
		} else {
			log.has(t, "a handler that "+name, "instead of returning")
		}
	}
}

func TestFromHTTPPanicCutsAResponseThatHasBegun(t *testing.T) {
	address, log := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "begun")
		w.(http.Flusher).Flush()
		panic("wrecked")
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the client should see that the response was cut")
	}
	log.has(t, "a panic behind a flush", "wrecked", "http_adapter_test.go")
}

func TestFromHTTPOnAPoolThatIsFull(t *testing.T) {
	pool := loop.NewPool(1, 0)
	began, end := make(chan struct{}), make(chan struct{})
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-end
	}, server.HTTPOn(pool))
	first := dial(t, "tcp", address)
	fmt.Fprint(first, rootRequest)
	await(t, "the first handler should run", began)
	resp, _ := ask(t, dial(t, "tcp", address), rootRequest)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("when the pool is full the answer should be 503 with Retry-After, and is %d with %v", resp.StatusCode, resp.Header)
	}
	close(end)
	if resp, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil || resp.StatusCode != 200 {
		t.Errorf("the first request should be answered, and was with %v, %v", resp, err)
	}
	pool.Close()
}

func TestFromHTTPDeadlines(t *testing.T) {
	results := make(chan error, 4)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		controller := http.NewResponseController(w)
		results <- controller.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		_, err := r.Body.Read(make([]byte, 1))
		results <- err
		if r.URL.Path == "/begun" {
			w.(http.Flusher).Flush()
		}
		results <- controller.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
		for chunk := make([]byte, 64<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				results <- err
				return
			}
		}
	})
	for _, path := range []string{"/", "/begun"} {
		c := dial(t, "tcp", address)
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\n", path)
		for i, want := range []error{nil, os.ErrDeadlineExceeded, nil, os.ErrDeadlineExceeded} {
			if err := await(t, "a deadline should end what waits", results); !errors.Is(err, want) {
				t.Errorf("%s: step %d should end with %v, and ended with %v", path, i, want, err)
			}
		}
	}
}

func TestFromHTTPOnAUnixSocket(t *testing.T) {
	_, address := start(t, "unix", filepath.Join(t.TempDir(), "socket"), server.FromHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RemoteAddr, r.Context().Value(http.LocalAddrContextKey).(net.Addr).Network())
	})), server.Options{})
	if _, body := ask(t, dial(t, "unix", address), rootRequest); body != "@unix" {
		t.Errorf("a client on a Unix socket should have the address @ on the network unix, and has %s", body)
	}
}

func TestFromHTTPBodyLimit(t *testing.T) {
	h := server.FromHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		var known *server.Error
		if !errors.As(err, &known) {
			t.Errorf("reading over the limit should give a *server.Error, and gave %v", err)
			return
		}
		http.Error(w, known.Message, known.Code)
	}))
	_, address := start(t, "tcp", "127.0.0.1:0", h, server.Options{BodyLimit: 4})
	resp, _ := ask(t, dial(t, "tcp", address), "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")
	if resp.StatusCode != 413 {
		t.Errorf("a body over the limit should be told with 413, and was with %d", resp.StatusCode)
	}
}

// The context and the response pass through the layers around the handler.
func TestFromHTTPWithinALayer(t *testing.T) {
	type key struct{}
	inner := server.FromHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Context().Value(key{}))
	}))
	_, address := start(t, "tcp", "127.0.0.1:0", func(r *server.Request) server.Response {
		r.SetContext(context.WithValue(r.Context(), key{}, "of the layer"))
		return inner(r).Map(func(a server.Response) server.Response { return a.With("X-Layer", "seen") })
	}, server.Options{})
	resp, body := ask(t, dial(t, "tcp", address), rootRequest)
	if body != "of the layer" || resp.Header.Get("X-Layer") != "seen" {
		t.Errorf("the handler should see the layer's context, and the layer its response: %q, %v", body, resp.Header)
	}
}
