package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// Upstreams that fail in every way there is, over TCP and with all that runs in earnest.

// farm is a running loop with a client, and an upstream that serves each connection in its own way.
type farm struct {
	t        *testing.T
	loop     *loop.Loop
	client   *Client
	upstream *Upstream
	listener net.Listener
	served   sync.WaitGroup
	ran      chan error
}

func newFarm(t *testing.T, o Options, serve func(c *net.TCPConn)) *farm {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &farm{t: t, listener: listener, ran: make(chan error, 1)}
	if f.loop, err = loop.New(loop.Options{}); err != nil {
		t.Fatal(err)
	}
	f.client, _ = New(o)
	if f.upstream, err = f.client.Upstream("http://" + listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	go func() { f.ran <- f.loop.Run() }()
	f.served.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			f.served.Go(func() { defer c.Close(); serve(c.(*net.TCPConn)) })
		}
	})
	return f
}

// end closes everything, and holds that nothing is left on the loop but what the client closes.
func (f *farm) end() {
	f.t.Helper()
	stats := f.upstream.Stats()
	f.client.Close()
	held := make(chan loop.Held, 1)
	_ = f.loop.Post(func() { _ = f.loop.Post(func() { held <- f.loop.Held() }) }) // behind what Close has posted
	if h := <-held; h != (loop.Held{}) {
		f.t.Errorf("The loop still holds %+v, the upstream having been %+v before the client was closed.", h, stats)
	}
	f.loop.Stop()
	if err := <-f.ran; err != nil {
		f.t.Error(err)
	}
	_ = f.listener.Close()
	f.served.Wait()
}

// outcome is what became of a request.
type outcome struct {
	status  int
	content string
	err     error
}

// fetcher polls a request to its end, on the loop.
type fetcher struct {
	task     loop.Task
	loop     *loop.Loop
	call     pipeline.Source[*Response]
	response *Response
	got      outcome
	done     chan outcome
}

func (f *farm) fetch(r *Request) outcome {
	x := &fetcher{loop: f.loop, done: make(chan outcome, 1)}
	x.task.Init(x)
	_ = f.loop.Post(func() {
		x.call = f.upstream.Do(f.loop, r)
		x.Run()
	})
	return <-x.done
}

func (x *fetcher) Wake() { x.loop.Schedule(&x.task) }

func (x *fetcher) Run() {
	for x.got.err == nil {
		if x.response == nil {
			r, err := x.call.Poll(x)
			if err == pipeline.ErrPending {
				return
			}
			if x.response, x.got.err = r, err; r != nil {
				x.got.status = r.Head().Status
			}
			continue
		}
		chunk, err := x.response.Body.Poll(x)
		if err == pipeline.ErrPending {
			return
		}
		x.got.content += string(chunk)
		x.got.err = err
	}
	if x.response != nil {
		x.response.Close()
	}
	x.call.Close()
	x.done <- x.got
}

// readHead reads a request's head, and what came with it.
func readHead(c net.Conn) bool {
	var got []byte
	buffer := make([]byte, 4096)
	for !bytes.Contains(got, []byte("\r\n\r\n")) {
		n, err := c.Read(buffer)
		if err != nil {
			return false
		}
		got = append(got, buffer[:n]...)
	}
	return true
}

// says is an upstream that says the same whatever it is asked, and then hangs up.
func says(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		if readHead(c) {
			_, _ = io.WriteString(c, text)
		}
	}
}

// forEver is an upstream that says something and then something else again and again, until nobody listens.
func forEver(first, then string) func(*net.TCPConn) {
	then = strings.Repeat(then, 1+1000/len(then))
	return func(c *net.TCPConn) {
		if !readHead(c) {
			return
		}
		_, err := io.WriteString(c, first)
		for err == nil {
			_, err = io.WriteString(c, then)
		}
	}
}

var hostileUpstreams = []struct {
	name  string
	serve func(*net.TCPConn)
	want  outcome
}{
	{"hangs up without a word", says(""), outcome{0, "", ErrUpstream}},
	{"says garbage", says("SSH-2.0-OpenSSH\r\n\r\n"), outcome{0, "", ErrUpstream}},
	{"answers twice", says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nb"), outcome{200, "a", io.EOF}},
	{"has a head that is too large", says("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 100_000) + "\r\n\r\n"), outcome{0, "", ErrUpstream}},
	{"has a head without end", forEver("HTTP/1.1 200 OK\r\n", "A: b\r\n"), outcome{0, "", ErrUpstream}},
	{"has informational responses without end", forEver("", "HTTP/1.1 103 Early Hints\r\n\r\n"), outcome{0, "", ErrUpstream}},
	{"has a chunk extension without end", forEver("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", ";a=b"), outcome{200, "", ErrUpstream}},
	{"has a trailer section without end", forEver("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n"), outcome{200, "", ErrUpstream}},
	{"has too short a body", says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"), outcome{200, "abc", io.ErrUnexpectedEOF}},
	{"has too long a body", says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc"), outcome{200, "ab", io.EOF}},
	{"has a chunk that is cut", says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"), outcome{200, "abc", io.ErrUnexpectedEOF}},
	{"resets midway", func(c *net.TCPConn) {
		if readHead(c) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
			_ = c.SetLinger(0)
		}
	}, outcome{-1, "", ErrUpstream}},
	{"resets without a word", func(c *net.TCPConn) { readHead(c); _ = c.SetLinger(0) }, outcome{0, "", ErrUpstream}},
	{"never answers", func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }, outcome{0, "", ErrHeadTimeout}},
	{"stops in its body", func(c *net.TCPConn) {
		if readHead(c) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na")
			_, _ = io.Copy(io.Discard, c)
		}
	}, outcome{200, "a", ErrBodyTimeout}},
	{"answers early and takes no more", func(c *net.TCPConn) {
		if readHead(c) {
			// Kept, the connection would be given to another request, of which nobody here would take notice.
			_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
		}
	}, outcome{413, "", io.EOF}},
	{"answers with a switch", says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nabc"), outcome{0, "", ErrUpstream}},
	{"smuggles", says("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nabc"), outcome{0, "", ErrUpstream}},
}

// TestHostileUpstreams: whatever an upstream does, the request gets an answer or an error that says so,
// and nothing is left, neither here nor of the process's descriptors.
func TestHostileUpstreams(t *testing.T) {
	before := descriptors(t)
	for _, c := range hostileUpstreams {
		o := Options{}
		if errors.Is(c.want.err, ErrHeadTimeout) || errors.Is(c.want.err, ErrBodyTimeout) {
			o.Timeouts = Timeouts{Head: 200 * time.Millisecond, Body: 200 * time.Millisecond}
		}
		if c.want.status == 200 {
			o.Timeouts.Head = 0 // the head is there
		}
		f := newFarm(t, o, c.serve)
		var requests sync.WaitGroup
		for i := range 8 {
			requests.Go(func() {
				r := &Request{Target: fmt.Sprintf("/%d", i)}
				if i%2 == 1 && c.want.status == 413 {
					r.Method, r.Length, r.Body = "POST", -1, endless{}
				}
				got := f.fetch(r)
				if c.want.status >= 0 && got.status != c.want.status || got.content != c.want.content || !errors.Is(got.err, c.want.err) {
					t.Errorf("An upstream that %s gives %d %q, %v; %d %q, %v was expected.",
						c.name, got.status, got.content, got.err, c.want.status, c.want.content, c.want.err)
				}
				var e *Error
				if got.err != io.EOF && (!errors.As(got.err, &e) || e.Status() != 502 && e.Status() != 504 || e.Public() == "") {
					t.Errorf("An upstream that %s gives the error %v, which is not one to be answered with.", c.name, got.err)
				}
			})
		}
		requests.Wait()
		f.end()
	}
	if after := descriptors(t); after > before {
		t.Errorf("The process has %d descriptors, and had %d before.", after, before)
	}
}

// endless is the body of a request that never ends.
type endless struct{}

func (endless) Poll(pipeline.Waker) ([]byte, error) { return make([]byte, 4096), nil }
func (endless) Close()                              {}

// TestRefusedConnection: nothing was sent, which is said.
func TestRefusedConnection(t *testing.T) {
	f := newFarm(t, Options{}, says(""))
	_ = f.listener.Close()
	got := f.fetch(&Request{Target: "/"})
	if !errors.Is(got.err, ErrConnect) || !NothingSent(got.err) {
		t.Errorf("A connection that is refused gives %v.", got.err)
	}
	f.end()
}

// TestPoolIsNotPoisoned: behind hostile answers on connections that are kept, others are right.
func TestPoolIsNotPoisoned(t *testing.T) {
	serve := func(c *net.TCPConn) {
		for i := 0; readHead(c); i++ {
			text := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
			if i == 3 {
				text += "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
		}
	}
	f := newFarm(t, Options{}, serve)
	for range 100 {
		if got := f.fetch(&Request{Target: "/"}); got.status != 200 || got.content != "ok" || got.err != io.EOF {
			t.Fatalf("The answer is %d %q, %v.", got.status, got.content, got.err)
		}
	}
	f.end()
}

// TestStreamBothWays: a large body comes back while it is being sent.
func TestStreamBothWays(t *testing.T) {
	const size = 10_000_000
	f := newFarm(t, Options{}, func(c *net.TCPConn) {
		head := []byte("POST / HTTP/1.1\r\nHost: " + c.LocalAddr().String() + "\r\nContent-Length: 10000000\r\n\r\n")
		if _, err := io.ReadFull(c, head); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
			_, _ = io.CopyN(c, c, size)
		}
	})
	chunk := bytes.Repeat([]byte("0123456789"), 1000)
	var chunks [][]byte
	for range size / len(chunk) {
		chunks = append(chunks, chunk)
	}
	got := f.fetch(&Request{Method: "POST", Target: "/", Body: pipeline.FromSlice(chunks), Length: size})
	if got.content != strings.Repeat(string(chunk), size/len(chunk)) || got.err != io.EOF {
		t.Errorf("Of %d bytes %d came back, and then %v.", size, len(got.content), got.err)
	}
	f.end()
}

// descriptors counts those of the process.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
