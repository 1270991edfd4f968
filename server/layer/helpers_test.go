package layer

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// safety bounds a wait for something that must happen.
const safety = 20 * time.Second

// serve serves h until stop is called, or the test ends. When stop has returned, every
// exchange has ended.
func serve(t *testing.T, network, address string, h server.Handler) (bound string, stop func()) {
	t.Helper()
	s, err := server.New(h, server.Options{Loops: 1, Logger: slog.New(slog.DiscardHandler), Strict: true})
	if err != nil {
		t.Fatalf("the server could not be made: %v", err)
	}
	listening, err := s.Listen(network, address)
	if err != nil {
		t.Fatalf("the server could not listen: %v", err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), safety)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("the server should shut down without an error, and gave %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve should return nil after Shutdown, and returned %v", err)
		}
	}
	t.Cleanup(stop)
	return listening.String(), stop
}

// ask has h answer one request on a connection of its own, and waits until the exchange has
// ended.
func ask(t *testing.T, h server.Handler, request string) (*http.Response, string) {
	t.Helper()
	address, stop := serve(t, "tcp", "127.0.0.1:0", h)
	response, body := askAt(t, "tcp", address, request)
	stop()
	return response, body
}

func askAt(t *testing.T, network, address, request string) (*http.Response, string) {
	t.Helper()
	c, err := net.DialTimeout(network, address, safety)
	if err != nil {
		t.Fatalf("the server could not be reached: %v", err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(safety)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatalf("the request could not be sent: %v", err)
	}
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("the answer could not be read: %v", err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("the answer's body could not be read: %v", err)
	}
	return response, string(body)
}

// request is a request without a body.
func request(method string, fields ...string) string {
	return method + " / HTTP/1.1\r\nHost: test\r\n" + strings.Join(append(fields, ""), "\r\n") + "\r\n"
}

// answering is a handler that answers the same to everything.
func answering(response server.Response) server.Handler {
	return func(*server.Request) server.Response { return response }
}

func greet(*server.Request) server.Response { return server.Text(200, "hello") }

// kind is a kind of answer that a layer must be able to deal with.
type kind struct {
	name   string
	answer server.Handler
	status int
	body   string
}

func kinds(t *testing.T) []kind {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusal := &server.Error{Code: 418, Message: "I am a teapot."}
	return []kind{
		{"complete", greet, 200, "hello"},
		{"later", func(*server.Request) server.Response {
			return server.Later(pipeline.Once(server.Later(pipeline.Once(server.Text(200, "hello")))))
		}, 200, "hello"},
		{"a stream", func(*server.Request) server.Response {
			return server.Stream(200, "text/plain", pipeline.Once([]byte("hello")))
		}, 200, "hello"},
		{"events", func(*server.Request) server.Response {
			return server.Events(pipeline.Once(server.Event{Data: "hello"}))
		}, 200, "data: hello\n\n"},
		{"a file", func(*server.Request) server.Response {
			file, err := os.Open(path)
			if err != nil {
				return server.Fail(err)
			}
			return server.File(200, "text/plain", file, 0, 5)
		}, 200, "hello"},
		{"a failure", func(*server.Request) server.Response { return server.Fail(refusal) }, 418, "I am a teapot.\n"},
		{"later, a failure", func(*server.Request) server.Response {
			return server.Later(pipeline.Fail[server.Response](refusal))
		}, 418, "I am a teapot.\n"},
	}
}
