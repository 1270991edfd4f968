package client

import (
	"bytes"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/pipeline"
)

// TestHooksTellOfEveryEnd: each connection is opened, is acquired and released by turns, and is
// closed once, with the reason.
func TestHooksTellOfEveryEnd(t *testing.T) {
	const keepAlive = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	for reason, end := range map[CloseReason]func(*poolWorld, *poolCaller, *poolWire){
		ReasonNotKept: func(_ *poolWorld, _ *poolCaller, p *poolWire) {
			p.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		},
		ReasonFailed:    func(_ *poolWorld, _ *poolCaller, p *poolWire) { p.send("nonsense\r\n\r\n") },
		ReasonTimeout:   func(w *poolWorld, _ *poolCaller, _ *poolWire) { w.advance(2 * time.Minute) },
		ReasonCancelled: func(_ *poolWorld, c *poolCaller, _ *poolWire) { c.cancel() },
		ReasonClientClosed: func(w *poolWorld, _ *poolCaller, p *poolWire) {
			w.client.Close()
			w.settle()
			p.send(keepAlive)
		},
	} {
		t.Run(reason.String(), func(t *testing.T) {
			w := newPoolWorld(t, 1, Options{})
			c := w.begin(0)
			wire := w.succeed(0)
			end(w, c, wire)
			w.settle()
			w.wantEvents("a request has ended", "opened 1", "acquired 1", "released 1", "closed 1: "+reason.String())
		})
	}
}

func TestHooksOfAKeptConnection(t *testing.T) {
	var infos []ConnectionInfo
	w := newPoolWorld(t, 1, Options{IdleTimeout: time.Second, Hooks: Hooks{
		Opened:   func(i ConnectionInfo) { infos = append(infos, i) },
		Acquired: func(i ConnectionInfo) { infos = append(infos, i) },
		Released: func(i ConnectionInfo) { infos = append(infos, i) },
	}})
	w.begin(0)
	wire := w.succeed(0)
	wire.answer()
	w.settle()
	w.begin(0)
	wire.answer()
	w.settle()
	w.advance(2 * time.Second)
	w.wantEvents("a connection was used twice and then idle for too long", "closed 1: "+ReasonIdleTimeout.String())
	for n, requests := range []uint32{0, 0, 1, 1, 2} {
		want := ConnectionInfo{Upstream: "http://127.0.0.1:8080", Remote: netip.MustParseAddrPort("127.0.0.1:8080"), Number: 1, Requests: requests}
		if n >= len(infos) || infos[n] != want {
			t.Fatalf("the hooks were told of %+v; number %d should be %+v", infos, n, want)
		}
	}
}

// TestDialsThatFailAreNotToldOf: there was no connection.
func TestDialsThatFailAreNotToldOf(t *testing.T) {
	w := newPoolWorld(t, 1, Options{})
	w.begin(0)
	w.fail(0, unix.ECONNREFUSED)
	w.settle()
	w.wantEvents("a dial has failed")
}

// TestHooksMayPanic: that is written to the log, and nothing else comes of it.
func TestHooksMayPanic(t *testing.T) {
	var log bytes.Buffer
	panics := func(ConnectionInfo) { panic("a hook of the test") }
	w := newPoolWorld(t, 1, Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Hooks:  Hooks{Opened: panics, Acquired: panics, Released: panics},
	})
	w.client.options.Hooks.Closed = func(ConnectionInfo, CloseReason) { panic("a hook of the test") }
	for range 2 {
		c := w.begin(0)
		if len(w.upAttempts()) > 0 {
			w.succeed(0)
		}
		w.wires[0].answer()
		w.settle()
		c.want("panics in hooks are not its matter", nil)
	}
	w.wires[0].hangUp()
	if n := strings.Count(log.String(), "a hook of the test"); n != 6 {
		t.Errorf("of 6 panics in hooks the log has %d:\n%s", n, log.String())
	}
	if s := w.upstream.Stats(); s.Connections != 0 {
		t.Errorf("the connection was closed, and the counts are %+v", s)
	}
}

// TestHooksMayCancel the request that is being given a connection.
func TestHooksMayCancel(t *testing.T) {
	var c *poolCaller
	cancel := false
	w := newPoolWorld(t, 1, Options{MaxConnections: 1})
	told := w.client.options.Hooks.Acquired
	w.client.options.Hooks.Acquired = func(i ConnectionInfo) {
		told(i)
		if cancel {
			cancel = false
			c.call.Close()
		}
	}
	c = w.begin(0)
	next := w.begin(0)
	cancel = true
	wire := w.succeed(0)
	w.settle()
	next.wantOn("the request before it was cancelled when it was given the connection", wire)
	wire.answer()
	w.settle()
	next.want("it was answered", nil)
	cancel = true
	c = &poolCaller{world: w, loop: w.loops[0]}
	c.call = w.upstream.Do(w.loops[0].Loop, &Request{Target: "/"}).(*call)
	if _, err := c.call.Poll(c); err != pipeline.ErrClosed {
		t.Errorf("a request that was cancelled within its own Poll has ended with %v; it should be %v", err, pipeline.ErrClosed)
	}
	if wire.closed || !wire.conn.idle {
		t.Error("the connection of a request that was cancelled before it was sent should be kept")
	}
}

func TestReasonsHaveTexts(t *testing.T) {
	seen := make(map[string]bool)
	for r := ReasonUpstreamClosed; r <= ReasonClientClosed; r++ {
		if text := r.String(); text == "" || seen[text] {
			t.Errorf("the reason %d has the text %q; each should have one of its own", r, text)
		}
		seen[r.String()] = true
	}
}
