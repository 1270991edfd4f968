package client

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

const switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: Chat\r\n\r\n"

func upgrading() *Request { return &Request{Upgrade: "chat"} }

// open has the upstream switch, and begins the tunnel.
func openTunnel(f *fixture, up pipeline.Source[[]byte], rest string) *exchange {
	f.t.Helper()
	x := f.do(upgrading())
	x.sent("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n")
	x.arrives(switched + rest)
	r, err := x.call.Poll(&x.waker)
	if err != nil {
		f.t.Fatalf("The upstream has switched protocols, and the call gives %v.", err)
	}
	if x.response = r; up != nil {
		r.Body = r.Tunnel(up)
	}
	x.out = nil
	x.poll()
	return x
}

func TestTunnel(t *testing.T) {
	up := allOf(t, "one", "two")
	up.ready = 1
	x := openTunnel(newFixture(t, Options{Timeouts: Timeouts{Total: time.Second}}), up, "early")
	x.wants(101, "early", nil)
	x.sent("one")
	x.loop.Advance(24 * time.Hour)
	x.says(" and late")
	x.wants(101, "early and late", nil)
	up.more(1)
	x.loop.Settle()
	if x.sent("onetwo"); x.fin {
		t.Error("FIN was sent before the end of what is sent.")
	}
	up.more(1)
	x.loop.Settle()
	if !x.fin || up.closes != 1 {
		t.Errorf("What is sent has ended, FIN was sent %t, and the source was closed %d times.", x.fin, up.closes)
	}
	x.says("!")
	x.wants(101, "early and late!", nil)
	x.hangsUp()
	x.wants(101, "early and late!", io.EOF)
	if x.reset {
		t.Error("Both directions have ended in order, and the connection was reset.")
	}
	x.reused(false)
	x.finish()
}

// TestTunnelUpOnly: the upstream has ended its side, and still takes.
func TestTunnelUpOnly(t *testing.T) {
	up := allOf(t, "one", "two")
	up.ready = 1
	x := openTunnel(newFixture(t, Options{}), up, "")
	x.hangsUp()
	x.wants(101, "", io.EOF)
	if x.closes > 0 || up.closes > 0 {
		t.Fatal("The upstream has ended its side, and the other was ended with it.")
	}
	up.more(2)
	x.loop.Settle()
	if x.sent("onetwo"); !x.fin || x.closes != 1 || x.reset {
		t.Errorf("Both sides have ended: FIN was sent %t, closed %d times, reset %t.", x.fin, x.closes, x.reset)
	}
	x.finish()
}

func TestTunnelFails(t *testing.T) {
	cause := errors.New("the reader has gone")
	up := &pieces{t: t, end: cause}
	x := openTunnel(newFixture(t, Options{}), up, "")
	woken := x.waker.times
	up.more(1)
	x.loop.Settle()
	if x.waker.times == woken {
		t.Error("What is sent has failed, and who waits for what comes was not woken.")
	}
	x.poll()
	if x.wants(101, "", cause); !x.reset || up.closes != 1 {
		t.Errorf("What is sent has failed: reset %t, and its source was closed %d times.", x.reset, up.closes)
	}
	x.finish()

	up = allOf(t)
	up.ready = 0
	x = openTunnel(newFixture(t, Options{}), up, "")
	x.breaks()
	x.loop.Settle()
	x.poll()
	x.wants(101, "", ErrUpstream)
	if x.finish(); up.closes != 1 {
		t.Errorf("The upstream has broken the connection, and what is sent was closed %d times.", up.closes)
	}
}

func TestTunnelClosed(t *testing.T) {
	up := allOf(t)
	up.ready = 0
	x := openTunnel(newFixture(t, Options{}), up, "rest")
	x.response.Body.Close()
	if x.closes != 1 || up.closes != 1 {
		t.Errorf("The tunnel was closed; its connection was %d times, and what is sent %d times.", x.closes, up.closes)
	}
	if _, err := x.response.Body.Poll(&x.waker); err != pipeline.ErrClosed {
		t.Errorf("A tunnel that was closed gives %v.", err)
	}
	second := allOf(t)
	if _, err := x.response.Tunnel(second).Poll(&x.waker); err != errNoTunnel || second.closes != 1 {
		t.Errorf("A tunnel behind its end gives %v, and what is sent was closed %d times.", err, second.closes)
	}
	x.finish()
}

// TestTunnelThatDoesNotTake: the one time that runs in a tunnel.
func TestTunnelThatDoesNotTake(t *testing.T) {
	up := allOf(t, "one")
	up.ready = 0
	x := openTunnel(newFixture(t, Options{}), up, "")
	x.room = 1
	up.more(1)
	x.loop.Advance(time.Minute + time.Second)
	x.poll()
	x.wants(101, "", ErrBodyTimeout)
	x.finish()
}

// TestTunnelNotBegun: the bytes come all the same.
func TestTunnelNotBegun(t *testing.T) {
	x := openTunnel(newFixture(t, Options{}), nil, "a")
	x.response.ReleaseHead()
	x.says("b")
	x.says("c")
	if x.call.(*call).parser != nil {
		t.Error("The head is not needed, and the parser is kept.")
	}
	x.hangsUp()
	if x.got != "abc" || x.err != io.EOF {
		t.Errorf("The content of a 101 is %q and ends with %v.", x.got, x.err)
	}
	x.finish()
}

func TestNoTunnel(t *testing.T) {
	x := newFixture(t, Options{}).do(upgrading())
	x.says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
	up := allOf(t, "x")
	if _, err := x.response.Tunnel(up).Poll(&x.waker); err != errNoTunnel || up.closes != 1 {
		t.Errorf("A tunnel behind a 200 gives %v, and what is sent was closed %d times.", err, up.closes)
	}
	x.says("cde")
	x.wants(200, "abcde", io.EOF)
	x.reused(true)
	x.finish()
}

func TestSwitchToAnotherProtocol(t *testing.T) {
	for text, want := range map[string]error{
		"Connection: upgrade\r\nUpgrade: smtp\r\n": ErrUpstream,
		"Connection: upgrade\r\n":                  ErrUpstream,
		"Upgrade: chat\r\n":                        ErrUpstream,
		"Connection: upgrade\r\nUpgrade: CHAT\r\n": nil,
	} {
		x := newFixture(t, Options{}).do(upgrading())
		x.says("HTTP/1.1 101 Switching Protocols\r\n" + text + "\r\n")
		if !errors.Is(x.err, want) || (want == nil) != (x.response != nil) {
			t.Errorf("The answer to a request for chat with %q ends with %v; %v was expected.", text, x.err, want)
		}
		x.finish()
	}
}
