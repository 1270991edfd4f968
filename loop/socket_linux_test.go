package loop_test

import (
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

func TestAttachReportsWhatIsReadyAlready(t *testing.T) {
	l := looptest.New(t)
	fd, peer := looptest.Socketpair(t)
	looptest.Send(t, peer, "early")
	h := &recorder{}
	if err := h.socket.Attach(l.Loop, fd, h); err != nil {
		t.Fatal(err)
	}
	defer h.socket.Close()
	if h.socket.Readable() || !h.socket.Writable() || h.socket.Closed() {
		t.Error("before its first event a socket should be taken for writable and not for readable")
	}
	l.Settle()
	if len(h.events) != 1 || h.events[0]&loop.Readable == 0 || !h.socket.Readable() {
		t.Errorf("bytes that came before Attach should be reported as one event; the events were %b", h.events)
	}
}

func TestAttachRefuses(t *testing.T) {
	l := looptest.New(t)
	h, _ := attachedPair(t, l)
	other, _ := looptest.Socketpair(t)
	if err := h.socket.Attach(l.Loop, other, h); err == nil {
		t.Error("a Socket that is attached should refuse a second descriptor")
	}
	var second loop.Socket
	fd, _ := looptest.Socketpair(t)
	if err := second.Attach(l.Loop, fd, ignored); err != nil {
		t.Fatal(err)
	}
	var third loop.Socket
	if err := third.Attach(l.Loop, fd, ignored); err == nil || !third.Closed() {
		t.Errorf("a descriptor that is attached should be refused; the error was %v", err)
	}
	if err := third.Attach(l.Loop, -1, ignored); err == nil {
		t.Error("a negative number is not a descriptor and should be refused")
	}
	if err := third.Attach(l.Loop, 1<<20, ignored); !errors.Is(err, unix.EBADF) {
		t.Errorf("a number that is no open descriptor should be refused with EBADF; the error was %v", err)
	}
	l.Abandon()
	if err := third.Attach(l.Loop, other, ignored); err != loop.ErrStopped {
		t.Errorf("a loop that has ended should refuse a socket with ErrStopped; the error was %v", err)
	}
}

// TestClosedSocketRefuses is row 44 of the list of hostile inputs.
func TestClosedSocketRefuses(t *testing.T) {
	l := looptest.New(t)
	h, _ := attachedPair(t, l)
	h.socket.Close()
	h.socket.Close()
	h.socket.Reset()
	for name, socket := range map[string]*loop.Socket{"closed": &h.socket, "never attached": {}} {
		operations := map[string]func() error{
			"Read":           func() error { _, err := socket.Read(make([]byte, 1)); return err },
			"Write":          func() error { _, err := socket.Write([]byte("x")); return err },
			"Writev":         func() error { _, err := socket.Writev([][]byte{[]byte("x")}); return err },
			"SendFile":       func() error { _, err := socket.SendFile(0, 0, 1); return err },
			"CloseWrite":     socket.CloseWrite,
			"Unacknowledged": func() error { _, err := socket.Unacknowledged(); return err },
			"RemoteAddr":     func() error { _, err := socket.RemoteAddr(); return err },
			"LocalAddr":      func() error { _, err := socket.LocalAddr(); return err },
		}
		for operation, do := range operations {
			if err := do(); err != loop.ErrClosed {
				t.Errorf("%s on a socket that is %s returned %v; it should be ErrClosed", operation, name, err)
			}
		}
		if !socket.Closed() || socket.Readable() || socket.Writable() {
			t.Errorf("a socket that is %s should be closed and ready for nothing", name)
		}
	}
}

// TestDescriptorIsNotReusedWithinABatch is row 40: one event of a batch closes another
// connection and opens a new one; the old connection's event must not reach it.
func TestDescriptorIsNotReusedWithinABatch(t *testing.T) {
	l := looptest.New(t)
	first, _ := looptest.Socketpair(t)
	victim, victimPeer := looptest.Socketpair(t)
	var newcomer recorder
	old := attach(t, l, victim)
	breaker := attach(t, l, first)
	breaker.then = func(loop.Readiness) {
		breaker.then = nil
		old.socket.Close()
		fd, _ := looptest.Socketpair(t)
		if fd == victim {
			t.Errorf("descriptor %d was used again while its old events were still to come", fd)
		}
		if err := newcomer.socket.Attach(l.Loop, fd, &newcomer); err != nil {
			t.Error(err)
		}
	}
	l.Deliver(looptest.Event{FD: first, Ready: loop.Readable}, looptest.Event{FD: victim, Ready: loop.Readable | loop.Broken})
	if len(old.events) != 0 {
		t.Error("a socket that was closed earlier in the batch was told of an event")
	}
	if len(newcomer.events) != 0 {
		t.Error("an old event reached a new connection")
	}
	if _, ended := looptest.Receive(t, victimPeer); !ended {
		t.Error("when the batch has ended the descriptor should be closed, which its peer sees")
	}
	breaker.socket.Close()
	newcomer.socket.Close()
}

func TestEventWithoutSocketIsDropped(t *testing.T) {
	l := looptest.New(t)
	l.Deliver(looptest.Event{FD: 0, Ready: loop.Readable}, looptest.Event{FD: 1 << 20, Ready: loop.Readable})
}

// TestSocketIsAttachedAgain: an owner that is used again uses its Socket again.
func TestSocketIsAttachedAgain(t *testing.T) {
	l := looptest.New(t)
	h, _ := attachedPair(t, l)
	h.socket.Close()
	fd, peer := looptest.Socketpair(t)
	if err := h.socket.Attach(l.Loop, fd, h); err != nil {
		t.Fatal(err)
	}
	looptest.Send(t, peer, "again")
	l.Settle()
	buffer := make([]byte, 10)
	if n, err := h.socket.Read(buffer); err != nil || string(buffer[:n]) != "again" {
		t.Errorf("a socket that was attached again read %q, error %v", buffer[:n], err)
	}
	h.socket.Close()
}

// TestResetReachesPeer: Reset is RST, where Close is FIN.
func TestResetReachesPeer(t *testing.T) {
	l := looptest.New(t)
	for _, c := range []struct {
		name string
		end  func(*loop.Socket)
		want error
	}{{"Close", (*loop.Socket).Close, nil}, {"Reset", (*loop.Socket).Reset, unix.ECONNRESET}} {
		fd, peer := tcpPair(t, "127.0.0.1")
		h := attach(t, l, fd)
		c.end(&h.socket)
		l.Settle()
		if _, err := unix.Read(peer, make([]byte, 1)); err != c.want {
			t.Errorf("after %s the peer's read returned error %v; it should be %v", c.name, err, c.want)
		}
	}
}

// TestResetWhileNotReading is row 39: the owner does not read, the peer resets, and the
// handler is told once, with no event after that.
func TestResetWhileNotReading(t *testing.T) {
	l := looptest.New(t)
	fd, peer := tcpPair(t, "127.0.0.1")
	h := attach(t, l, fd)
	looptest.Send(t, peer, "never read")
	l.Settle()
	h.seen()
	resetBy(t, peer)
	l.Settle()
	if len(h.events) != 1 || h.events[0]&loop.Broken == 0 || !h.socket.PeerClosed() {
		t.Fatalf("a reset should be one event that says Broken; the events were %b", h.events)
	}
	if n := l.Poll(); n != 0 {
		t.Errorf("after the reset was told the loop found %d more events; it would spin", n)
	}
	if _, err := h.socket.Write([]byte("x")); err == nil || err == loop.ErrAgain {
		t.Errorf("writing to a connection that was reset returned %v; it should say what happened", err)
	}
	h.socket.Close()
}

// resetBy closes the peer's end so that it sends RST.
func resetBy(t *testing.T, peer int) {
	t.Helper()
	if err := unix.SetsockoptLinger(peer, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Close(peer); err != nil {
		t.Fatal(err)
	}
}

func TestCloseWrite(t *testing.T) {
	l := looptest.New(t)
	fd, peer := tcpPair(t, "127.0.0.1")
	h := attach(t, l, fd)
	if _, err := h.socket.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	if err := h.socket.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, ended := looptest.Receive(t, peer); got != "last words" || !ended {
		t.Errorf("the peer read %q, ended %v; it should read what was written and then the end", got, ended)
	}
	looptest.Send(t, peer, "answer")
	l.Settle()
	buffer := make([]byte, 64)
	if n, err := h.socket.Read(buffer); err != nil || string(buffer[:n]) != "answer" {
		t.Errorf("after CloseWrite reading should go on; it gave %q, error %v", buffer[:n], err)
	}
	h.socket.Close()
}

func TestUnacknowledgedShowsProgress(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	if n, err := h.socket.Unacknowledged(); n != 0 || err != nil {
		t.Errorf("before a write %d bytes are unacknowledged, error %v; it should be none", n, err)
	}
	if _, err := h.socket.Write([]byte(strings.Repeat("x", 1000))); err != nil {
		t.Fatal(err)
	}
	before, err := h.socket.Unacknowledged()
	if before == 0 || err != nil {
		t.Errorf("what the peer has not taken should count; it is %d, error %v", before, err)
	}
	looptest.Receive(t, peer)
	if after, err := h.socket.Unacknowledged(); after != 0 || err != nil {
		t.Errorf("once the peer has read everything %d bytes are unacknowledged, error %v; it should be none", after, err)
	}
	h.socket.Close()
}

func TestAddresses(t *testing.T) {
	l := looptest.New(t)
	for _, host := range []string{"127.0.0.1", "::1"} {
		fd, peer := tcpPair(t, host)
		h, other := attach(t, l, fd), attach(t, l, peer)
		remote, err := h.socket.RemoteAddr()
		if err != nil || remote.Addr() != netip.MustParseAddr(host) || remote.Port() == 0 {
			t.Errorf("the peer's address is %v, error %v; it should be on %s", remote, err, host)
		}
		if local, err := other.socket.LocalAddr(); err != nil || local != remote {
			t.Errorf("one end's remote address is %v and the other's local address %v, error %v; they should be the same", remote, local, err)
		}
		h.socket.Close()
		other.socket.Close()
	}
	h, _ := attachedPair(t, l)
	if address, err := h.socket.RemoteAddr(); address.IsValid() || err != nil {
		t.Errorf("a Unix socket's peer has address %v, error %v; it should be the zero address", address, err)
	}
	h.socket.Close()
}

func TestReadAtTheEnd(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	if err := unix.Close(peer); err != nil {
		t.Fatal(err)
	}
	l.Settle()
	for range 2 {
		if n, err := h.socket.Read(make([]byte, 10)); n != 0 || err != io.EOF {
			t.Errorf("reading behind the end gave %d bytes, error %v; it should be io.EOF, each time", n, err)
		}
	}
	if !h.socket.PeerClosed() {
		t.Error("the socket should know that its peer has closed")
	}
	h.socket.Close()
}
