package proxy

import (
	"strings"
	"testing"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server/servertest"
)

const (
	webSocketRequest = "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
	webSocketAnswer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

// upgraded returns both ends of a connection that has become a WebSocket.
func upgraded(t *testing.T) (*chain, *servertest.Client, *upstreamEnd) {
	t.Helper()
	c := newChain(t, quiet, client.Options{})
	k := c.client(webSocketRequest)
	u := c.accept()
	head := u.head()
	for _, line := range []string{"Connection: Upgrade\r\n", "Upgrade: websocket\r\n", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Version: 13\r\n"} {
		if strings.Count(head, line) != 1 {
			t.Errorf("the upstream should be asked to upgrade with %q, and got %q", line, head)
		}
	}
	u.send(webSocketAnswer + "\x81\x02hi")
	got := k.Receive()
	if !strings.HasPrefix(got, "HTTP/1.1 101 Switching Protocols\r\n") || !strings.Contains(got, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") ||
		!strings.HasSuffix(got, "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi") {
		t.Fatalf("the client should get the upstream's 101 and what came behind it, and got %q", got)
	}
	return c, k, u
}

func TestUpgradeIsTunnelled(t *testing.T) {
	c, k, u := upgraded(t)
	for range 3 {
		k.Send("\x81\x85abcd\x09\x07\x0f\x08\x0e")
		if got := u.read(11); got != "\x81\x85abcd\x09\x07\x0f\x08\x0e" {
			t.Fatalf("the upstream should get the client's frame, and got %q", got)
		}
		u.send("\x81\x03hey")
		if got := k.Receive(); got != "\x81\x03hey" {
			t.Fatalf("the client should get the upstream's frame, and got %q", got)
		}
	}
	k.CloseWrite()
	if got := u.rest(); got != "" {
		t.Errorf("the upstream should see the client's end, and got %q", got)
	}
	u.send("bye")
	if got := k.Receive(); got != "bye" {
		t.Errorf("the other direction should go on behind it, and the client got %q", got)
	}
	u.close()
	if k.Receive(); !k.Ended() {
		t.Error("the client should see the upstream's end")
	}
	c.logged()
	c.ended(101, nil)
}

func TestUpstreamEndsATunnelFirst(t *testing.T) {
	c, k, u := upgraded(t)
	if err := u.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	if k.Receive(); !k.Ended() {
		t.Error("the client should see the upstream's end")
	}
	k.Send("still here")
	if got := u.read(10); got != "still here" {
		t.Errorf("the other direction should go on behind it, and the upstream got %q", got)
	}
	k.CloseWrite()
	if !u.gone() {
		t.Error("with both directions ended the upstream's connection should be closed")
	}
	c.logged()
	c.ended(101, nil)
}

func TestTunnelWhoseClientIsLost(t *testing.T) {
	c, k, u := upgraded(t)
	k.Reset()
	if !u.gone() {
		t.Error("the upstream's connection should be closed with the client's")
	}
	c.logged()
	c.ended(101, pipeline.ErrClosed)
}

func TestUpgradeThatTheUpstreamDoesNotWant(t *testing.T) {
	c := newChain(t, quiet, client.Options{})
	k := c.client(webSocketRequest)
	u := c.accept()
	u.head()
	u.send("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno")
	if got := withoutDate(k.Receive()); got != "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno" {
		t.Errorf("any other answer should go through as it is, and the client got %q", got)
	}
	k.Send(get)
	if head := u.head(); strings.Contains(head, "Upgrade") {
		t.Errorf("the next request should be one of HTTP, and the upstream got %q", head)
	}
	u.send(emptyAnswer)
}

func TestUpgradesThatDoNotPass(t *testing.T) {
	for name, rest := range map[string]string{
		"HTTP/2":               "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
		"a choice":             "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
		"a choice in two rows": "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n",
		"not named":            "Upgrade: websocket\r\n\r\n",
		"with a body":          "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
	} {
		t.Run(name, func(t *testing.T) {
			c := newChain(t, quiet, client.Options{})
			k := c.client("GET / HTTP/1.1\r\nHost: h\r\n" + rest)
			u := c.accept()
			if head := u.head(); strings.Contains(head, "pgrade") || strings.Contains(head, "HTTP2") {
				t.Errorf("the upstream should get an ordinary request, and got %q", head)
			}
			u.send(emptyAnswer)
			if got := k.Receive(); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
				t.Errorf("the client should get the answer, and got %q", got)
			}
		})
	}
}
