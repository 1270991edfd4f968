package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// safety bounds a wait for something that must happen.
const safety = 20 * time.Second

// start serves h until the test ends, and returns the server and its address.
func start(t *testing.T, network, address string, h server.Handler, o server.Options) (*server.Server, string) {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := server.New(h, o)
	if err != nil {
		t.Fatalf("the server could not be made: %v", err)
	}
	bound, err := s.Listen(network, address)
	if err != nil {
		t.Fatalf("the server could not listen: %v", err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is still open is cut
		_ = s.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve should return nil after Shutdown, and returned %v", err)
		}
	})
	return s, bound.String()
}

func dial(t *testing.T, network, address string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout(network, address, safety)
	if err != nil {
		t.Fatalf("the server could not be reached: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(safety)); err != nil {
		t.Fatal(err)
	}
	return c
}

// ask sends one request and reads the whole answer.
func ask(t *testing.T, c net.Conn, request string) (*http.Response, string) {
	t.Helper()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatalf("the request could not be sent: %v", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("the answer could not be read: %v", err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("the answer's body could not be read: %v", err)
	}
	return resp, string(body)
}

const rootRequest = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

func greet(*server.Request) server.Response { return server.Text(200, "Hello, World!") }

func TestServesTCPAndUnixSockets(t *testing.T) {
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "socket")} {
		_, bound := start(t, network, address, greet, server.Options{})
		c := dial(t, network, bound)
		for range 3 {
			if resp, body := ask(t, c, rootRequest); resp.StatusCode != 200 || body != "Hello, World!" {
				t.Errorf("over %s the answer should be 200 and a greeting, and is %d and %q", network, resp.StatusCode, body)
			}
		}
	}
}

func TestRequestKnowsItsAddresses(t *testing.T) {
	addresses := make(chan [2]string, 1)
	_, bound := start(t, "tcp", "127.0.0.1:0", func(r *server.Request) server.Response {
		addresses <- [2]string{r.RemoteAddr().String(), r.LocalAddr().String()}
		return server.Empty(200)
	}, server.Options{})
	c := dial(t, "tcp", bound)
	ask(t, c, rootRequest)
	if got := <-addresses; got != [2]string{c.LocalAddr().String(), bound} {
		t.Errorf("the request has the addresses %v; the connection is from %s to %s", got, c.LocalAddr(), bound)
	}
}

func TestAddressInUse(t *testing.T) {
	_, bound := start(t, "tcp", "127.0.0.1:0", greet, server.Options{})
	other, err := server.New(greet, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Listen("tcp", bound); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("listening where another server listens should fail and say why, and gave %v", err)
	}
	if err := other.Shutdown(t.Context()); err != nil {
		t.Errorf("a server that never served should shut down without an error, and gave %v", err)
	}
	if _, err := other.Listen("tcp", "127.0.0.1:0"); !errors.Is(err, server.ErrServerClosed) {
		t.Errorf("a server that was shut down should not listen, and gave %v", err)
	}
}

func TestConnectionOverTheLimitIsTurnedAway(t *testing.T) {
	s, bound := start(t, "tcp", "127.0.0.1:0", greet, server.Options{MaxConnections: 2, Loops: 2})
	first, second := dial(t, "tcp", bound), dial(t, "tcp", bound)
	ask(t, first, rootRequest)
	ask(t, second, rootRequest)
	resp, _ := ask(t, dial(t, "tcp", bound), rootRequest)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !resp.Close {
		t.Errorf("a connection too many should be answered 503 with Retry-After and closed, and got %v", resp)
	}
	if n := s.Connections(); n != 2 {
		t.Errorf("%d connections are counted; 2 are open", n)
	}
	ask(t, first, rootRequest)
}

func TestShutdownWaitsForWhatIsInHand(t *testing.T) {
	inHand, finish := make(chan struct{}), make(chan struct{})
	s, bound := start(t, "tcp", "127.0.0.1:0", func(r *server.Request) server.Response {
		q := pipeline.NewQueue[server.Response](r.Loop(), 1, pipeline.Refuse)
		go func() {
			close(inHand)
			<-finish
			_ = q.Push(server.Text(200, "done"))
		}()
		return server.Later(q)
	}, server.Options{})
	busy, idle := dial(t, "tcp", bound), dial(t, "tcp", bound)
	if _, err := io.WriteString(busy, rootRequest); err != nil {
		t.Fatal(err)
	}
	<-inHand
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(context.Background()) }()
	if n, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("an idle connection should be closed at once, and gave %d bytes, %v", n, err)
	}
	select {
	case err := <-down:
		t.Fatalf("Shutdown returned %v while a request was in hand", err)
	default:
	}
	close(finish)
	resp, body := ask(t, busy, "")
	if body != "done" || !resp.Close {
		t.Errorf("the request in hand should be answered, with Connection: close, and got %q, close %t", body, resp.Close)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown should return nil when everyone was served, and gave %v", err)
	}
	if _, err := net.Dial("tcp", bound); err == nil {
		t.Error("after Shutdown nobody should listen")
	}
}

func TestShutdownCutsWhatDoesNotEnd(t *testing.T) {
	closed, started := make(chan struct{}), make(chan struct{})
	s, bound := start(t, "tcp", "127.0.0.1:0", func(r *server.Request) server.Response {
		close(started)
		return server.Stream(200, "", pipeline.OnClose(pipeline.NewQueue[[]byte](r.Loop(), 1, pipeline.Refuse), func() { close(closed) }))
	}, server.Options{})
	c := dial(t, "tcp", bound)
	if _, err := io.WriteString(c, rootRequest); err != nil {
		t.Fatal(err)
	}
	<-started
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown should say that it had to cut a connection, and gave %v", err)
	}
	<-closed
	if _, err := io.ReadAll(c); errors.Is(err, context.DeadlineExceeded) {
		t.Error("the connection should have been closed")
	}
}

func TestServeOnce(t *testing.T) {
	s, bound := start(t, "tcp", "127.0.0.1:0", greet, server.Options{})
	ask(t, dial(t, "tcp", bound), rootRequest)
	if err := s.Serve(); !errors.Is(err, server.ErrServerClosed) {
		t.Errorf("a second Serve should be refused, and gave %v", err)
	}
	if _, err := server.New(nil, server.Options{}); err == nil {
		t.Error("a server without a handler should be refused")
	}
}

// A program may be told to end before its goroutine has come to Serve.
func TestShutdownBeforeServe(t *testing.T) {
	s, err := server.New(greet, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Shutdown(t.Context()); err != nil {
			t.Errorf("a server that has not served yet should shut down without an error, and gave %v", err)
		}
	}
	if err := s.Serve(); err != nil {
		t.Errorf("Serve after Shutdown should return nil, and gave %v", err)
	}
}
