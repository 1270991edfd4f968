package proxy

import (
	"strings"
	"testing"

	"github.com/penstock-go/penstock/client"
)

// The request that most of these tests send.
const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

// quiet has nothing added to messages.
var quiet = Options{Forwarded: Remove, XForwarded: Remove, Via: "-"}

// The head and the body that is there leave together, and what comes later as soon as it comes.
func TestBodyIsPassedOnAsItComes(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client(get)
	u := c.accept()
	u.head()
	u.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
	if got := withoutDate(k.Receive()); got != "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc" {
		t.Fatalf("the head should be passed on with the bytes behind it, and the client got %q", got)
	}
	u.send("def")
	if got := k.Receive(); got != "def" {
		t.Fatalf("a piece should be passed on while the rest is still to come, and the client got %q", got)
	}
	if len(c.target.done) != 0 || len(c.target.answered) != 1 || c.target.answered[0] != 200 {
		t.Errorf("while the body comes the target should have been told of the answer only, and was told %v and %v", c.target.answered, c.target.done)
	}
	u.send("ghi")
	if got := k.Receive(); got != "ghi" {
		t.Fatalf("the last piece should be passed on, and the client got %q", got)
	}
	if len(c.target.done) != 1 || c.target.done[0] != (Outcome{Status: 200}) {
		t.Errorf("the target should be told the end once, and was told %v", c.target.done)
	}
	k.Send(get)
	u.head() // on the same two connections
	u.send("HTTP/1.1 204 No Content\r\n\r\n")
	if got := withoutDate(k.Receive()); got != "HTTP/1.1 204 No Content\r\n\r\n" {
		t.Errorf("both connections should carry another request, and the client got %q", got)
	}
}

// HOSTILE 24, 26 seen from a proxy.
func TestFramingOfResponses(t *testing.T) {
	for _, c := range []struct{ name, request, answer, want string }{
		{"a length stays", get, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
		{"no content", get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
		{"chunks are framed anew", get, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
		{"the end of a connection becomes chunks", get, "HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
		{"chunks for HTTP/1.0 end with the connection", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc"},
		{"HTTP/1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
			"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc"},
		{"HEAD has the length of what is not sent", "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"},
		{"204", get, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
		{"304 has no content whatever it declares", get, "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\nETag: \"x\"\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"},
		{"fields of one connection", get, "HTTP/1.1 200 OK\r\nConnection: X-Named, keep-alive\r\nKeep-Alive: timeout=5\r\nX-Named: 1\r\nX-Kept: 2\r\n" +
			"Upgrade: h2c\r\nProxy-Authenticate: Basic\r\nSet-Cookie: a\r\nContent_Length: 7\r\nX-Forwarded-For: 1\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nX-Kept: 2\r\nSet-Cookie: a\r\nX-Forwarded-For: 1\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n"},
		{"its own Server and Date", get, "HTTP/1.1 418 Short\r\nDate: yesterday\r\nServer: pot/1\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 418 I'm a teapot\r\nDate: yesterday\r\nServer: pot/1\r\nContent-Length: 0\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := newChain(t, quiet, client.Options{})
			k := chain.client(c.request)
			u := chain.accept()
			u.head()
			u.send(c.answer)
			if !strings.Contains(c.answer, "Content-Length") {
				u.close()
			}
			got := k.Receive()
			if !strings.Contains(c.want, "Date: yesterday") {
				got = withoutDate(got)
			}
			if got != c.want {
				t.Errorf("the client should get %q, and got %q", c.want, got)
			}
		})
	}
}

func TestTrailersPassBothWays(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: evil\r\nContent_Length: 9\r\n\r\n")
	u := c.accept()
	if head := u.head(); !strings.HasSuffix(head, "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n") {
		t.Errorf("the upstream should be told of the trailers, and got %q", head)
	}
	// HOSTILE 15: what must not be in a trailer section is dropped, and nothing of it gets into the head.
	const want = "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
	if got := u.read(len(want)); got != want {
		t.Errorf("the upstream should get %q, and got %q", want, got)
	}
	u.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Time\r\n\r\n1\r\na\r\n0\r\nX-Time: 2\r\nSet-Cookie: evil\r\nKeep-Alive: x\r\n\r\n")
	if got := withoutDate(k.Receive()); got != "HTTP/1.1 200 OK\r\nTrailer: X-Time\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Time: 2\r\n\r\n" {
		t.Errorf("the client should get the trailers of the response that may be there, and got %q", got)
	}
}

func TestRequestBodyIsStreamed(t *testing.T) {
	for _, c := range []struct{ name, head, body, wantHead, wantBody string }{
		{"with its length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n", "abcdef", "Content-Length: 6\r\n", "abcdef"},
		{"in chunks", "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "6\r\nabcdef\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n", "6\r\nabcdef\r\n0\r\n\r\n"},
		{"of a GET", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n", "abcdef", "Content-Length: 6\r\n", "abcdef"},
		{"that is empty", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "", "Content-Length: 0\r\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := newChain(t, quiet, client.Options{})
			k := chain.client(c.head)
			u := chain.accept()
			if head := u.head(); !strings.HasSuffix(head, "\r\n"+c.wantHead) || strings.Count(head, "\r\n") != 3 {
				t.Errorf("the upstream should get the head before the body is there, with %q, and got %q", c.wantHead, head)
			}
			k.Send(c.body)
			if got := u.read(len(c.wantBody)); got != c.wantBody {
				t.Errorf("the upstream should get %q, and got %q", c.wantBody, got)
			}
			u.send(emptyAnswer)
			if got := k.Receive(); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
				t.Errorf("the client should get the answer, and got %q", got)
			}
		})
	}
}

// HOSTILE 22.
func TestExpectContinue(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
	t.Run("the upstream wants the body", func(t *testing.T) {
		c := newChain(t, quiet, client.Options{})
		k := c.client(head)
		u := c.accept()
		if got := u.head(); !strings.Contains(got, "\r\nExpect: 100-continue\r\n") {
			t.Errorf("the upstream should be asked too, and got %q", got)
		}
		if got := k.Receive(); got != "" {
			t.Fatalf("the client should not be asked for the body before the upstream wants it, and got %q", got)
		}
		u.send("HTTP/1.1 100 Continue\r\n\r\n")
		if got := k.Receive(); got != "HTTP/1.1 100 Continue\r\n\r\n" {
			t.Fatalf("the client should be asked for the body once, and got %q", got)
		}
		k.Send("abc")
		if got := u.read(3); got != "abc" {
			t.Errorf("the upstream should get the body, and got %q", got)
		}
		u.send(emptyAnswer)
		if got := k.Receive(); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("the client should get the answer, and got %q", got)
		}
	})
	t.Run("the upstream refuses", func(t *testing.T) {
		c := newChain(t, quiet, client.Options{})
		k := c.client(head)
		u := c.accept()
		u.head()
		u.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
		if got := withoutDate(k.Receive()); !strings.HasPrefix(got, "HTTP/1.1 413 ") || !strings.HasSuffix(got, "no") || strings.Contains(got, "100 Continue") {
			t.Errorf("the client should get the refusal and not be asked for the body, and got %q", got)
		}
	})
}

func TestAnswerBeforeTheRequestIsWhole(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
	u := c.accept()
	u.head()
	u.read(3)
	u.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
	if got := withoutDate(k.Receive()); got != "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno" {
		t.Errorf("an early answer should reach the client, and it got %q", got)
	}
	if !u.gone() {
		t.Error("the upstream's connection, on which the rest of the request never comes, should be closed")
	}
	k.Send(strings.Repeat("x", 97) + get)
	v := c.accept()
	v.head()
	v.send(emptyAnswer)
	if got := k.Receive(); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("the rest of the request should be thrown away, and the next be answered, and the client got %q", got)
	}
}

// Full duplex: an upstream may answer while it reads.
func TestBothBodiesAtOnce(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
	u := c.accept()
	u.head()
	u.read(2)
	u.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nAB")
	if got := k.Receive(); !strings.HasSuffix(got, "\r\n\r\nAB") {
		t.Errorf("the answer should be passed on while the request is on its way, and the client got %q", got)
	}
	k.Send("cd")
	if got := u.read(2); got != "cd" {
		t.Errorf("the request should go on while the answer is on its way, and the upstream got %q", got)
	}
	u.send("CD")
	if got := k.Receive(); got != "CD" {
		t.Errorf("the answer should go on, and the client got %q", got)
	}
}

func TestBackPressureReachesTheUpstream(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client(get)
	u := c.accept()
	u.head()
	const size = 64 << 20
	u.send("HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n")
	piece, sent := strings.Repeat("x", 64<<10), 0
	for sent < size {
		rest := u.offer(piece)
		if sent += len(piece) - len(rest); len(rest) == len(piece) {
			break
		}
	}
	if sent > size/8 {
		t.Errorf("an upstream whose answer is not read should have to wait, and could send %d bytes", sent)
	}
	k.Receive()
}
