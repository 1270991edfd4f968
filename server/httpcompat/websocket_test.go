package httpcompat

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// echo is a WebSocket server as gorilla's users write it.
func echo(compress bool) http.Handler {
	upgrader := websocket.Upgrader{EnableCompression: compress, Subprotocols: []string{"echo"}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, http.Header{"X-Upgraded": {"yes"}})
		if err != nil {
			return // it has answered
		}
		defer c.Close()
		for {
			kind, message, err := c.ReadMessage()
			if err != nil {
				return
			}
			if err := c.WriteMessage(kind, message); err != nil {
				return
			}
		}
	})
}

func TestWebSocket(t *testing.T) {
	for _, compress := range []bool{false, true} {
		url := "ws" + strings.TrimPrefix(serve(t, echo(compress)), "http")
		dialer := websocket.Dialer{EnableCompression: compress, Subprotocols: []string{"echo"}, HandshakeTimeout: safety}
		c, resp, err := dialer.Dial(url, nil)
		if err != nil {
			t.Fatalf("the connection should be upgraded: %v (%v)", err, resp)
		}
		if resp.Header.Get("X-Upgraded") != "yes" || c.Subprotocol() != "echo" {
			t.Errorf("the handshake should have the handler's field and protocol, and has %v", resp.Header)
		}
		deadline := time.Now().Add(safety)
		if err := c.SetReadDeadline(deadline); err != nil {
			t.Fatal(err)
		}
		pong := make(chan string, 1)
		c.SetPongHandler(func(data string) error { pong <- data; return nil })
		if err := c.WriteControl(websocket.PingMessage, []byte("hi"), deadline); err != nil {
			t.Fatal(err)
		}
		for _, message := range [][]byte{[]byte("hello"), {}, bytes.Repeat([]byte("large "), 200_000)} {
			if err := c.WriteMessage(websocket.BinaryMessage, message); err != nil {
				t.Fatal(err)
			}
			kind, got, err := c.ReadMessage()
			if err != nil || kind != websocket.BinaryMessage || !bytes.Equal(got, message) {
				t.Fatalf("a message of %d bytes should come back, and %d came with the error %v", len(message), len(got), err)
			}
		}
		if got := <-pong; got != "hi" {
			t.Errorf("the ping should be answered with its data, and was with %q", got)
		}
		if err := c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
			t.Errorf("the server should close in return, and gave %v", err)
		}
		c.Close()
	}
}

// What is no handshake is refused as it is under net/http.
func TestWebSocketRefusals(t *testing.T) {
	same(t, func() http.Handler { return echo(false) }, "GET /", "POST /",
		"GET /\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 8\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"GET /\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13",
		"GET /\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nOrigin: http://elsewhere.example",
	)
}
