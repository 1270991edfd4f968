package proxy

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
)

const eventsHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"

func TestEventsPassLive(t *testing.T) {
	for name, chunked := range map[string]bool{"in chunks": true, "until the connection ends": false} {
		t.Run(name, func(t *testing.T) {
			o := quiet
			if !chunked { // a stage makes no difference
				o.Body = func(source pipeline.Source[[]byte]) pipeline.Source[[]byte] {
					return pipeline.OnClose(source, func() {})
				}
			}
			c := newChain(t, o, client.Options{Timeouts: client.Timeouts{Body: -1}})
			k := c.client(get)
			u := c.accept()
			u.head()
			framing := ""
			if chunked {
				framing = "Transfer-Encoding: chunked\r\n"
			}
			u.send(eventsHead + framing + "\r\n")
			if got := k.Receive(); !strings.HasSuffix(got, "\r\nTransfer-Encoding: chunked\r\n\r\n") {
				t.Fatalf("the head should be passed on before there is an event, and the client got %q", got)
			}
			for range 3 {
				c.Advance(10 * time.Minute)
				if chunked {
					u.send("9\r\ndata: x\n\n\r\n")
				} else {
					u.send("data: x\n\n")
				}
				if got := k.Receive(); got != "9\r\ndata: x\n\n\r\n" {
					t.Fatalf("an event should be passed on when it comes, and the client got %q", got)
				}
			}
			if len(c.target.done) != 0 || len(c.target.answered) != 1 {
				t.Errorf("while events come the exchange is not over, and the target was told %v and %v", c.target.answered, c.target.done)
			}
			k.CloseWrite() // it has left
			if !u.gone() {
				t.Error("a client that leaves should close the upstream's connection")
			}
			c.logged()
			c.ended(200, pipeline.ErrClosed)
		})
	}
}

func TestEventsThatFail(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client(get)
	u := c.accept()
	u.head()
	u.send(eventsHead + "Transfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n")
	k.Receive()
	u.close()
	if got := k.Receive(); got != "" || !k.Ended() {
		t.Errorf("events that are cut should be seen to be cut, and the client got %q", got)
	}
	c.logged(c.address)
	c.ended(200, client.ErrUpstream)
}

func TestEventsThatEnd(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client(get)
	u := c.accept()
	u.head()
	u.send(eventsHead + "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: x\n\n\r\n")
	k.Receive()
	u.send("0\r\nX-Sum: 1\r\n\r\n")
	if got := k.Receive(); got != "0\r\nX-Sum: 1\r\n\r\n" {
		t.Errorf("events should end with their trailers, and the client got %q", got)
	}
	k.Send(get)
	u.head()
	u.send(emptyAnswer)
	if got := k.Receive(); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("both connections should carry another request, and the client got %q", got)
	}
	c.logged()
}

func TestBodyThroughAStage(t *testing.T) {
	o := quiet
	o.Body = func(source pipeline.Source[[]byte]) pipeline.Source[[]byte] {
		return pipeline.Map(source, func(b []byte) ([]byte, error) { return bytes.ToUpper(b), nil })
	}
	for _, c := range []struct{ name, request, answer, want string }{
		{"with a length", get, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nABC\r\n0\r\n\r\n"},
		{"in chunks", get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nA\r\n0\r\n\r\n"},
		{"without a body", get, "HTTP/1.1 304 Not Modified\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n"},
		{"for HEAD", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := newChain(t, o, client.Options{})
			k := chain.client(c.request)
			u := chain.accept()
			u.head()
			u.send(c.answer)
			if got := withoutDate(k.Receive()); got != c.want {
				t.Errorf("the client should get %q, and got %q", c.want, got)
			}
			chain.logged()
			if len(chain.target.done) != 1 {
				t.Errorf("the target should be told the end once, and was told %v", chain.target.done)
			}
		})
	}
}

func TestStageThatPanics(t *testing.T) {
	o := quiet
	o.Body = func(pipeline.Source[[]byte]) pipeline.Source[[]byte] { panic("as the test wants") }
	c := newChain(t, o, client.Options{})
	k := c.client(get)
	u := c.accept()
	u.head()
	u.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")
	if got := k.Answer(); got.Status != 500 {
		t.Errorf("a stage that panics should be answered with 500, and the client got %d", got.Status)
	}
	if !u.gone() {
		t.Error("the upstream's connection should be closed")
	}
	c.logged("as the test wants")
	c.ended(200, pipeline.ErrClosed)
}
