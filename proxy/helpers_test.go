package proxy

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// patienceOfTests is how long a test waits for what should come at once.
const patienceOfTests = 20 * time.Second

// upstreamAt returns the upstream at an address, of a client of its own.
func upstreamAt(t testing.TB, address string, o client.Options) *client.Upstream {
	t.Helper()
	c, err := client.New(o)
	if err != nil {
		t.Fatalf("the client could not be made: %v", err)
	}
	u, err := c.Upstream(address)
	if err != nil {
		t.Fatalf("the upstream %s was refused: %v", address, err)
	}
	return u
}

// behind runs a handler of net/http as the upstream.
func behind(t testing.TB, h http.HandlerFunc) *client.Upstream {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return upstreamAt(t, s.URL, client.Options{})
}

// A script is an upstream that does to each connection what the test says. The script runs on a
// goroutine of its own for each; the connection is closed when it returns.
type script func(c net.Conn, r *bufio.Reader)

// scripted runs a script as the upstream.
func scripted(t testing.TB, s script) *client.Upstream {
	t.Helper()
	return upstreamAt(t, "http://"+listenScript(t, s), client.Options{})
}

func listenScript(t testing.TB, s script) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("the upstream could not listen: %v", err)
	}
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			running.Go(func() {
				defer c.Close()
				s(c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return l.Addr().String()
}

// readHead reads the lines of a head, without the empty one.
func readHead(r *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return head.String(), err
		}
		if line == "\r\n" {
			return head.String(), nil
		}
		head.WriteString(line)
	}
}

// recorder is an upstream that gives every request the same answer, and keeps what it was sent.
type recorder struct {
	*client.Upstream
	heads chan string
}

// record runs a recorder. Its answer must have a length or end a chunked body.
func record(t testing.TB, answer string) *recorder {
	heads := make(chan string, 64)
	u := scripted(t, func(c net.Conn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			heads <- head
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
		}
	})
	return &recorder{u, heads}
}

// head returns the head of the next request.
func (r *recorder) head(t testing.TB) string {
	t.Helper()
	return receive(t, r.heads, "the request at the upstream")
}

// receive returns the next value of a channel, which should come at once.
func receive[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patienceOfTests):
		t.Fatalf("%s has not come within %v", what, patienceOfTests)
		panic("unreachable")
	}
}

const emptyAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// logs keeps what is logged. Safe for use by several goroutines.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logs) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// serve runs a proxy and returns its address.
func serve(t testing.TB, to Picker, o Options) (address string) {
	t.Helper()
	return serveLogging(t, to, o, new(logs))
}

// serveLogging is serve with what the server and the proxy log kept.
func serveLogging(t testing.TB, to Picker, o Options, l *logs) (address string) {
	t.Helper()
	o.Logger = l.logger()
	return servertest.Serve(t, New(to, o), server.Options{Logger: o.Logger, Name: "-"})
}

// dial connects to a proxy until the test ends.
func dial(t testing.TB, address string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("the proxy could not be connected to: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patienceOfTests)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// send writes to a connection.
func send(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatalf("%q could not be sent: %v", text, err)
	}
}

// answerTo sends a request, which should have "Connection: close", and returns all that comes back.
func answerTo(t testing.TB, address, request string) string {
	t.Helper()
	c := dial(t, address)
	send(t, c, request)
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("the answer to %q should end with its connection, and after %q came: %v", request, answer, err)
	}
	return string(answer)
}

// withoutDate cuts the Date that the server adds.
func withoutDate(answer string) string {
	begin := strings.Index(answer, "Date: ")
	if begin < 0 {
		return answer
	}
	return answer[:begin] + answer[begin+strings.Index(answer[begin:], "\r\n")+2:]
}
