package proxy

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// logged checks that there is one line in the log, and that it has these words.
func (c *chain) logged(words ...string) {
	c.t.Helper()
	text := c.logs.String()
	if lines := strings.Count(text, "\n"); lines != 1 && len(words) > 0 || lines != 0 && len(words) == 0 {
		c.t.Errorf("there should be one line in the log if something has failed, and there are %d:\n%s", lines, text)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			c.t.Errorf("the line in the log should say %q:\n%s", word, text)
		}
	}
}

// ended checks what the target was told of its only exchange.
func (c *chain) ended(status int, kind error) {
	c.t.Helper()
	if len(c.target.done) != 1 || c.target.done[0].Status != status || !errors.Is(c.target.done[0].Err, kind) {
		c.t.Errorf("the target should be told once that an exchange with the status %d ended with %v, and was told %v", status, kind, c.target.done)
	}
}

func TestUpstreamThatFailsMidwayIsSeenToFail(t *testing.T) {
	for _, c := range []struct{ name, answer, want string }{
		{"a declared length", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"},
		{"chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
		{"a broken chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzzz\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := newChain(t, quiet, client.Options{})
			k := chain.client(get)
			u := chain.accept()
			u.head()
			u.send(c.answer)
			u.close()
			if got := withoutDate(k.Receive()); got != c.want || !k.Ended() {
				t.Errorf("the client should get what came, %q, and no proper end, and got %q; its connection has ended: %v", c.want, got, k.Ended())
			}
			chain.logged("method=GET", "target=/", chain.address)
			chain.ended(200, client.ErrUpstream)
		})
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for _, c := range []struct{ name, answer string }{
		{"garbage", "SSH-2.0-OpenSSH_9.0\r\n"},
		{"nothing", ""},
		{"half a head", "HTTP/1.1 200 OK\r\nContent-Le"},
		{"both framings", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
		{"a head without end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 128<<10)},
		{"an upgrade that nobody has asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"},
		{"too many connection options", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: a" + strings.Repeat(",a", 64) + "\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := newChain(t, quiet, client.Options{})
			k := chain.client(get)
			u := chain.accept()
			u.head()
			u.send(c.answer)
			u.close()
			got := k.Answer()
			if got.Status != http.StatusBadGateway || strings.Contains(string(got.Body), chain.address) {
				t.Errorf("the client should get a 502 that does not name the upstream, and got %d %q", got.Status, got.Body)
			}
			chain.logged("method=GET", "target=/")
			told := chain.target.done
			if c.answer == "" && len(told) == 2 && told[1].Err == pipeline.ErrClosed {
				told = told[:1] // it was picked again, and is the same that has just failed
			}
			if len(told) != 1 || !errors.Is(told[0].Err, client.ErrUpstream) {
				t.Errorf("the target should be told the failure once, and was told %v", chain.target.done)
			}
		})
	}
}

func TestUpstreamThatRefuses(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	c.stop()
	if got := c.client(get).Answer(); got.Status != http.StatusBadGateway {
		t.Errorf("an upstream that refuses connections should be answered with 502, and the client got %d", got.Status)
	}
	c.logged("method=GET", "target=/", c.address, "could not connect")
	if len(c.target.done) == 0 || !errors.Is(c.target.done[0].Err, client.ErrConnect) {
		t.Errorf("the target should be told that it could not be connected to, and was told %v", c.target.done)
	}
}

func TestUpstreamThatDoesNotAnswer(t *testing.T) {
	c := newChain(t, quiet, client.Options{Timeouts: client.Timeouts{Head: 10 * time.Second}})
	k := c.client(get)
	u := c.accept()
	u.head()
	c.Advance(9 * time.Second)
	if got := k.Receive(); got != "" {
		t.Fatalf("within its time the upstream should be waited for, and the client got %q", got)
	}
	c.Advance(2 * time.Second)
	if got := k.Answer(); got.Status != http.StatusGatewayTimeout {
		t.Errorf("an upstream that does not answer should be answered with 504, and the client got %d", got.Status)
	}
	if !u.gone() {
		t.Error("the upstream's connection should be closed")
	}
	c.logged("method=GET", "target=/", c.address)
	c.ended(0, client.ErrHeadTimeout)
}

func TestUpstreamWithoutAConnectionToSpare(t *testing.T) {
	c := newChain(t, quiet, client.Options{MaxConnections: 1, AtLimit: client.Refuse})
	first := c.client(get)
	u := c.accept()
	if got := c.client(get).Answer(); got.Status != http.StatusServiceUnavailable || got.Field("Retry-After") == "" {
		t.Errorf("a full pool should be answered with 503 and Retry-After, and the client got %d", got.Status)
	}
	c.logged(c.address)
	u.head()
	u.send(emptyAnswer)
	if got := first.Answer(); got.Status != http.StatusOK {
		t.Errorf("the request that has the connection should be answered, and got %d", got.Status)
	}
}

// noTarget is a picker that has none.
type noTarget struct{}

func (noTarget) Pick(*server.Request, []*client.Upstream) (Target, error) {
	return nil, &server.Error{Code: http.StatusServiceUnavailable, Message: "All are out."}
}

func TestPickerThatHasNone(t *testing.T) {
	if got := servertest.Answer(t, New(noTarget{}, Options{}), servertest.Get("/")); got.Status != http.StatusServiceUnavailable {
		t.Errorf("a picker's error should be answered with its status, and the client got %d", got.Status)
	}
}

func TestClientThatLeaves(t *testing.T) {
	for _, c := range []struct {
		name   string
		leave  func(c *chain, k *servertest.Client) *upstreamEnd
		status int
	}{
		{"while the upstream thinks", func(c *chain, k *servertest.Client) *upstreamEnd {
			k.Send(get)
			u := c.accept()
			u.head()
			k.Reset()
			return u
		}, 0},
		{"while the answer comes", func(c *chain, k *servertest.Client) *upstreamEnd {
			k.Send(get)
			u := c.accept()
			u.head()
			u.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
			k.Receive()
			k.Reset()
			return u
		}, 200},
		{"while it sends", func(c *chain, k *servertest.Client) *upstreamEnd {
			k.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
			u := c.accept()
			u.head()
			u.read(3)
			k.Reset()
			return u
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := newChain(t, quiet, client.Options{})
			u := c.leave(chain, chain.client(""))
			if !u.gone() {
				t.Error("the upstream's connection should be closed at once")
			}
			chain.logged()
			chain.ended(c.status, pipeline.ErrClosed)
		})
	}
}

// The upstream must not take for whole what the client has broken off.
func TestRequestThatIsCutOff(t *testing.T) {
	for name, request := range map[string]string{
		"with its length": "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
		"in chunks":       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t, quiet, client.Options{})
			k := c.client(request)
			u := c.accept()
			u.head()
			k.CloseWrite()
			if rest := u.rest(); !strings.Contains(rest, "abc") || strings.Contains(rest, "0\r\n") {
				t.Errorf("the upstream should get what came and no end, and got %q", rest)
			}
			if got := k.Answer(); got.Status != http.StatusBadRequest {
				t.Errorf("a client that still listens should get a 400, and got %d", got.Status)
			}
			c.logged()
			c.ended(0, pipeline.ErrClosed)
		})
	}
}

// What the client does wrong is not the upstream's fault.
func TestRequestThatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"a broken chunk", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n", http.StatusBadRequest},
		{"over its limit", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n", http.StatusRequestEntityTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := newChain(t, quiet, client.Options{})
			k := chain.client(c.request)
			u := chain.accept()
			if !u.gone() {
				t.Error("the upstream's connection should be closed")
			}
			if got := k.Answer(); got.Status != c.status {
				t.Errorf("the client should get a %d, and got %d", c.status, got.Status)
			}
			chain.logged()
			chain.ended(0, pipeline.ErrClosed)
		})
	}
	t.Run("too slow", func(t *testing.T) {
		chain := newChain(t, quiet, client.Options{})
		k := chain.client("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
		u := chain.accept()
		chain.Advance(3 * time.Minute)
		if !u.gone() {
			t.Error("the upstream's connection should be closed")
		}
		if got := k.Answer(); got.Status != http.StatusRequestTimeout {
			t.Errorf("the client should get a 408, and got %d", got.Status)
		}
		chain.logged()
		chain.ended(0, pipeline.ErrClosed)
	})
}
