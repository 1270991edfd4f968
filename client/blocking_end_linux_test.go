package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// closable is a body that counts how often it is closed.
type closable struct {
	io.Reader
	inRead func() // before each
	closed atomic.Int32
}

func (c *closable) Read(p []byte) (int, error) {
	if c.inRead != nil {
		c.inRead()
	}
	return c.Reader.Read(p)
}

func (c *closable) Close() error {
	c.closed.Add(1)
	if closer, ok := c.Reader.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// wantClosed holds that the body is closed once, soon.
func (c *closable) wantClosed(t *testing.T, what string) {
	t.Helper()
	if !soon(func() bool { return c.closed.Load() > 0 }) || c.closed.Load() != 1 {
		t.Errorf("%s, the body of the request was closed %d times; once was expected.", what, c.closed.Load())
	}
}

var errGivenUp = errors.New("the test has given up")

// TestContextEndsAtEachStage, which is reached for certain before it does.
func TestContextEndsAtEachStage(t *testing.T) {
	pipe, _ := io.Pipe()
	for _, c := range []struct {
		stage  string
		body   *closable // nil: none
		server func(c net.Conn, r *bufio.Reader, reached func())
	}{
		{"before it begins", &closable{Reader: strings.NewReader("abc")}, nil},
		{"while the body blocks", &closable{Reader: pipe}, nil},
		{"while the upstream does not take the body", &closable{Reader: io.LimitReader(endlessZeros{}, 1<<40)}, func(_ net.Conn, r *bufio.Reader, reached func()) {
			discardHead(r)
			_, _ = io.CopyN(io.Discard, r, 1<<20)
			reached()
		}},
		{"while it waits for the head", nil, func(_ net.Conn, r *bufio.Reader, reached func()) {
			discardHead(r)
			reached()
		}},
		{"within the head", nil, func(c net.Conn, r *bufio.Reader, reached func()) {
			discardHead(r)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-")
			reached()
		}},
		{"within a redirect", nil, func(c net.Conn, r *bufio.Reader, reached func()) {
			discardHead(r)
			_, _ = io.WriteString(c, "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 4\r\n\r\nmo")
			reached()
		}},
		{"within the body", nil, func(c net.Conn, r *bufio.Reader, _ func()) {
			discardHead(r)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmo")
		}},
	} {
		t.Run(c.stage, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			reached := func() { cancel(errGivenUp) }
			over := make(chan struct{})
			w := newBlockingWorld(t, 0, Options{MaxRedirects: 1})
			defer close(over)
			r := &BlockingRequest{Method: "POST", URL: "http://127.0.0.1:1"}
			switch {
			case c.server != nil:
				r.URL = w.script(func(conn net.Conn, r *bufio.Reader) {
					c.server(conn, r, reached)
					<-over
				})
			case c.stage == "while the body blocks":
				c.body.inRead = reached
				r.URL = w.serve(echo)
			default:
				reached()
			}
			if c.body != nil {
				r.Body = c.body
			}
			response, err := w.DoContext(ctx, r)
			if err == nil {
				defer response.Body.Close()
				first := make([]byte, 2)
				if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "mo" {
					t.Errorf("The content begins with %q, %v.", first, err)
				}
				go reached() // perhaps while the next Read waits
				_, err = response.Body.Read(first)
			}
			if !errors.Is(err, errGivenUp) || !errors.Is(err, context.Canceled) {
				t.Errorf("The exchange ends with %v; it should say why the context has ended.", err)
			}
			if c.body != nil {
				c.body.wantClosed(t, "Cancelled "+c.stage)
			}
		})
	}
}

// TestContextEndsAnywhere: behind some reads of either body, chosen by a seed.
func TestContextEndsAnywhere(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	w := newBlockingWorld(t, 2, Options{MaxConnections: 3})
	target := w.serve(echo)
	for i := range 150 {
		ctx, cancel := context.WithCancelCause(context.Background())
		left, size := random.IntN(40), random.IntN(1<<20)
		var reads atomic.Int32
		count := func() {
			if int(reads.Add(1)) > left {
				cancel(errGivenUp)
			}
		}
		body := &closable{Reader: zeros(int64(size)), inRead: count}
		response, err := w.DoContext(ctx, &BlockingRequest{Method: "POST", URL: target, Body: body})
		n := 0
		if err == nil {
			for buffer := make([]byte, 1+random.IntN(64<<10)); err == nil; count() {
				var k int
				k, err = response.Body.Read(buffer)
				n += k
			}
			_ = response.Body.Close()
		}
		if err == io.EOF && n != size || err != io.EOF && !errors.Is(err, errGivenUp) {
			t.Errorf("Exchange %d of the seed %d gives %d bytes of %d and ends with %v.", i, seed, n, size, err)
		}
		body.wantClosed(t, "Whatever has become of the exchange")
		cancel(nil)
	}
}

func TestDeadline(t *testing.T) {
	w := newBlockingWorld(t, 0, Options{})
	never := make(chan struct{})
	defer close(never)
	silent := w.script(func(net.Conn, *bufio.Reader) { <-never })
	cause := errors.New("the caller's own")
	for _, after := range []time.Duration{-time.Second, 10 * time.Millisecond} {
		ctx, cancel := context.WithDeadlineCause(context.Background(), time.Now().Add(after), cause)
		_, err := w.DoContext(ctx, &BlockingRequest{URL: silent})
		if !errors.Is(err, ErrTotalTimeout) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, cause) {
			t.Errorf("With a deadline in %v the request ends with %v.", after, err)
		}
		cancel()
	}
	if _, err := w.DoContext(context.Background(), &BlockingRequest{URL: silent, Timeouts: &Timeouts{Head: time.Millisecond}}); !errors.Is(err, ErrHeadTimeout) {
		t.Errorf("With a time for the head the request ends with %v.", err)
	}
}

func TestClosedClient(t *testing.T) {
	for _, loops := range []int{0, 1} {
		w := newBlockingWorld(t, loops, Options{})
		answer := make(chan struct{})
		target := w.serve(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "ab")
			_ = http.NewResponseController(w).Flush()
			<-answer
			_, _ = io.WriteString(w, "cd")
		})
		response, err := w.DoContext(context.Background(), &BlockingRequest{URL: target})
		if err != nil {
			t.Fatal(err)
		}
		w.Close()
		body := &closable{Reader: strings.NewReader("abc")}
		if _, err := w.DoContext(context.Background(), &BlockingRequest{URL: target, Body: body}); !errors.Is(err, ErrClientClosed) {
			t.Errorf("A request of a client that was closed ends with %v.", err)
		}
		body.wantClosed(t, "When the client is closed")
		close(answer)
		if content, err := io.ReadAll(response.Body); string(content) != "abcd" || err != nil {
			t.Errorf("The content of a request that was on its way is %q, %v.", content, err)
		}
		_ = response.Body.Close()
	}
}

// TestClosedBeforeTheFirst: there is no loop to be ended.
func TestClosedBeforeTheFirst(t *testing.T) {
	w := newBlockingWorld(t, 0, Options{})
	w.Close()
	if _, err := w.DoContext(context.Background(), &BlockingRequest{URL: "http://127.0.0.1"}); !errors.Is(err, ErrClientClosed) {
		t.Errorf("A request of a client that was closed ends with %v.", err)
	}
}

// TestLoopHasEnded: one of Options.Loops that nobody runs any more.
func TestLoopHasEnded(t *testing.T) {
	l, err := loop.New(loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l.Stop()
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	w := newBlockingWorld(t, 0, Options{Loops: []*loop.Loop{l}})
	body := &closable{Reader: strings.NewReader("abc")}
	_, err = w.DoContext(context.Background(), &BlockingRequest{URL: "http://127.0.0.1", Body: body})
	if !errors.Is(err, ErrClientClosed) || !errors.Is(err, loop.ErrStopped) {
		t.Errorf("A request on a loop that has ended ends with %v.", err)
	}
	body.wantClosed(t, "When the loop has ended")
}

// TestDoContextOnALoop: it would wait for itself.
func TestDoContextOnALoop(t *testing.T) {
	l, err := loop.New(loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l.Current() {
		t.Error("A loop that nobody runs should be run by no goroutine.")
	}
	w := newBlockingWorld(t, 0, Options{Loops: []*loop.Loop{l}})
	body := &closable{Reader: strings.NewReader("abc")}
	if err := l.Post(func() {
		defer l.Stop()
		_, err = w.DoContext(context.Background(), &BlockingRequest{URL: "http://127.0.0.1", Body: body})
	}); err != nil {
		t.Fatal(err)
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, ErrRequest) {
		t.Errorf("DoContext on the goroutine of its loop ends with %v.", err)
	}
	body.wantClosed(t, "When it was called on its loop")
}

// TestLoopEndsMidway: the context frees who waits.
func TestLoopEndsMidway(t *testing.T) {
	l, err := loop.New(loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run() }()
	w := newBlockingWorld(t, 0, Options{Loops: []*loop.Loop{l}})
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	never := make(chan struct{})
	defer close(never)
	response, err := w.DoContext(ctx, &BlockingRequest{URL: w.script(func(c net.Conn, r *bufio.Reader) {
		discardHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
		<-never
	})})
	if err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		_, err := response.Body.Read(make([]byte, 1))
		read <- err
	}()
	l.Stop()
	<-ended
	cancel(errGivenUp)
	if err := <-read; !errors.Is(err, errGivenUp) && !errors.Is(err, loop.ErrStopped) {
		t.Errorf("A Read whose loop has ended, and whose context, gives %v.", err)
	}
	_ = response.Body.Close()
}

type panickingJar struct{ listJar }

func (*panickingJar) Cookies(*url.URL) []*http.Cookie { panic("no cookies") }

func TestJarPanics(t *testing.T) {
	w := newBlockingWorld(t, 0, Options{Jar: new(panickingJar), Logger: slog.New(slog.DiscardHandler)})
	body := &closable{Reader: strings.NewReader("abc")}
	if _, err := w.DoContext(context.Background(), &BlockingRequest{URL: "http://127.0.0.1", Body: body}); !errors.Is(err, ErrRequest) {
		t.Errorf("With a jar that panics a request ends with %v.", err)
	}
	body.wantClosed(t, "When the jar has panicked")
}

// TestUpstreamFailsMidway: the content is seen to be cut.
func TestUpstreamFailsMidway(t *testing.T) {
	w := newBlockingWorld(t, 0, Options{})
	response, err := w.DoContext(context.Background(), &BlockingRequest{URL: w.script(func(c net.Conn, r *bufio.Reader) {
		discardHead(r)
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
	})})
	if err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(response.Body); string(content) != "ab" || !errors.Is(err, ErrUpstream) || errors.Is(err, pipeline.ErrClosed) {
		t.Errorf("A content that was cut is %q and ends with %v.", content, err)
	}
	_ = response.Body.Close()
}
