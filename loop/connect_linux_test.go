package loop_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// listenOn listens for the test, which accepts by itself or not at all.
func listenOn(t *testing.T, network, address string) net.Listener {
	t.Helper()
	ln, err := net.Listen(network, address)
	if err != nil {
		t.Skipf("there is no listening on %s: %v", address, err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// addressOf is where a TCP listener listens.
func addressOf(ln net.Listener) netip.AddrPort { return ln.Addr().(*net.TCPAddr).AddrPort() }

// vacated is an address where somebody listened and nobody does any more.
func vacated(t *testing.T) netip.AddrPort {
	t.Helper()
	ln := listenOn(t, "tcp", "127.0.0.1:0")
	ln.Close()
	return addressOf(ln)
}

// settleConnect turns the loop until the kernel has said how connecting ended.
func settleConnect(l *looptest.Loop, s *loop.Socket) error {
	for s.Connected() == loop.ErrAgain {
		l.Poll()
	}
	l.Settle()
	return s.Connected()
}

// conversation exchanges a few bytes with the far end of s, in both directions.
func conversation(t *testing.T, l *looptest.Loop, s *loop.Socket, ln net.Listener) {
	t.Helper()
	peer, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if n, err := s.Write([]byte("ping")); n != 4 || err != nil {
		t.Fatalf("writing to a connected socket gave %d, %v", n, err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != "ping" {
		t.Errorf("the peer should read what was written; it read %q, error %v", got, err)
	}
	fmt.Fprint(peer, "pong")
	for !s.Readable() {
		l.Poll()
	}
	if n, err := s.Read(got); string(got[:n]) != "pong" || err != nil {
		t.Errorf("the socket should read what its peer wrote; it read %q, error %v", got[:n], err)
	}
}

func TestConnectTCP(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		t.Run(host, func(t *testing.T) {
			ln := listenOn(t, "tcp", host+":0")
			l := looptest.New(t)
			h := &recorder{}
			if err := h.socket.ConnectTCP(l.Loop, addressOf(ln), h); err != nil {
				t.Fatalf("connecting could not be begun: %v", err)
			}
			defer h.socket.Close()
			if err := h.socket.Connected(); err != loop.ErrAgain {
				t.Errorf("before its first event a socket is still connecting; Connected returned %v", err)
			}
			if h.socket.Readable() || h.socket.Writable() || h.socket.Closed() {
				t.Error("a socket that is connecting is open, and ready for nothing")
			}
			if _, err := h.socket.Write([]byte("x")); err != loop.ErrAgain {
				t.Errorf("writing while connecting returned %v; it should be ErrAgain", err)
			}
			if _, err := h.socket.Read(make([]byte, 1)); err != loop.ErrAgain {
				t.Errorf("reading while connecting returned %v; it should be ErrAgain", err)
			}
			if err := settleConnect(l, &h.socket); err != nil || !h.socket.Writable() || h.socket.Readable() {
				t.Fatalf("the socket should be connected and writable; Connected returned %v", err)
			}
			if h.seen()&loop.Writable == 0 {
				t.Error("the handler should be told when the socket is connected")
			}
			if remote, err := h.socket.RemoteAddr(); remote != addressOf(ln) {
				t.Errorf("the peer's address is %v, error %v; it should be the listener's, %v", remote, err, ln.Addr())
			}
			conversation(t, l, &h.socket, ln)
		})
	}
}

func TestConnectTCPToMappedAddress(t *testing.T) {
	ln := listenOn(t, "tcp4", "127.0.0.1:0")
	l := looptest.New(t)
	h := &recorder{}
	mapped := netip.AddrPortFrom(netip.AddrFrom16(addressOf(ln).Addr().As16()), addressOf(ln).Port())
	if err := h.socket.ConnectTCP(l.Loop, mapped, h); err != nil {
		t.Fatalf("connecting to %v could not be begun: %v", mapped, err)
	}
	defer h.socket.Close()
	if err := settleConnect(l, &h.socket); err != nil {
		t.Errorf("an IPv4 address in IPv6 form should be connected to as IPv4: %v", err)
	}
}

func TestConnectedSocketHasNoDelay(t *testing.T) {
	ln := listenOn(t, "tcp", "127.0.0.1:0")
	l := looptest.New(t)
	h := &recorder{}
	if err := h.socket.ConnectTCP(l.Loop, addressOf(ln), h); err != nil {
		t.Fatal(err)
	}
	if err := settleConnect(l, &h.socket); err != nil {
		t.Fatal(err)
	}
	fd, err := h.socket.Detach()
	if err != nil {
		t.Fatal(err)
	}
	looptest.CloseLater(t, fd)
	if on, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY); on == 0 || err != nil {
		t.Errorf("TCP_NODELAY is %d, error %v; a connected socket should have it", on, err)
	}
	flags, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if flags&unix.O_NONBLOCK == 0 {
		t.Error("a connected socket should not block")
	}
}

// TestConnectRefused: the refusal is told once, stays, and is what Read and Write say.
func TestConnectRefused(t *testing.T) {
	l := looptest.New(t)
	before := descriptors(t)
	h := &recorder{}
	if err := h.socket.ConnectTCP(l.Loop, vacated(t), h); err != nil {
		t.Fatalf("a refusal that is still to come is no error of beginning: %v", err)
	}
	first := settleConnect(l, &h.socket)
	if !errors.Is(first, unix.ECONNREFUSED) || h.seen()&loop.Broken == 0 {
		t.Fatalf("nobody listens there, so the handler should be told and Connected return ECONNREFUSED; it returned %v", first)
	}
	_, readErr := h.socket.Read(make([]byte, 1))
	_, writeErr := h.socket.Write([]byte("x"))
	for what, err := range map[string]error{"Connected again": h.socket.Connected(), "Read": readErr, "Write": writeErr} {
		if !errors.Is(err, unix.ECONNREFUSED) {
			t.Errorf("%s returned %v after a refusal; it should wrap ECONNREFUSED", what, err)
		}
	}
	if !h.socket.PeerClosed() || h.socket.Readable() || h.socket.Writable() || h.socket.Closed() {
		t.Error("a refused socket is broken, ready for nothing, and its owner's to close")
	}
	h.socket.Close()
	l.Settle()
	if err := h.socket.Connected(); err != loop.ErrClosed {
		t.Errorf("Connected of a closed socket returned %v; it should be ErrClosed", err)
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors were open before and %d after; a refused connection should leave none", before, after)
	}
}

// TestConnectToItself: Linux may give a connection to a port where nobody listens the
// same port as its own; the two are then one socket that talks to itself.
func TestConnectToItself(t *testing.T) {
	l := looptest.New(t)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	own, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	h := &recorder{}
	if err := h.socket.ConnectDescriptor(l.Loop, fd, own, h); err != nil {
		t.Fatal(err)
	}
	defer h.socket.Close()
	if err := settleConnect(l, &h.socket); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("a socket that is connected to itself has no peer: Connected should wrap ECONNREFUSED, and returned %v", err)
	}
}

// TestEventsWhileConnecting: an event that says nothing about the connection changes
// nothing, and one that claims more than is true is not believed.
func TestEventsWhileConnecting(t *testing.T) {
	l := looptest.New(t)
	ln := listenOn(t, "tcp", "127.0.0.1:0")
	full := fillBacklog(t, l, ln)
	h := &recorder{}
	if err := h.socket.ConnectTCP(l.Loop, full, h); err != nil {
		t.Fatal(err)
	}
	fd := h.socket.Descriptor()
	l.Deliver(looptest.Event{FD: fd, Ready: loop.Readable}, looptest.Event{FD: fd, Ready: loop.Writable})
	if err := h.socket.Connected(); len(h.events) != 2 || err != loop.ErrAgain || h.socket.Readable() || h.socket.Writable() {
		t.Errorf("%d of 2 events came and Connected returned %v; the socket is still connecting", len(h.events), err)
	}
	h.socket.Close() // as at a deadline
	l.Settle()
	if len(h.events) != 2 {
		t.Error("a socket that was closed while connecting should hear nothing more")
	}
}

// fillBacklog makes connections until one stays on its way: the queue of ln is full.
func fillBacklog(t *testing.T, l *looptest.Loop, ln net.Listener) netip.AddrPort {
	t.Helper()
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var shorter error
	if err := raw.Control(func(fd uintptr) { shorter = unix.Listen(int(fd), 0) }); err != nil || shorter != nil {
		t.Fatalf("the listener's queue could not be made short: %v, %v", err, shorter)
	}
	for range 10 {
		h := &recorder{}
		if err := h.socket.ConnectTCP(l.Loop, addressOf(ln), h); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(h.socket.Close)
		l.Settle()
		if h.socket.Connected() == loop.ErrAgain {
			return addressOf(ln)
		}
	}
	t.Skip("the listener's queue has no end on this machine")
	return netip.AddrPort{}
}

func TestConnectUnix(t *testing.T) {
	abstract := fmt.Sprintf("@penstock-connect-%d", os.Getpid())
	for name, path := range map[string]string{"file": filepath.Join(t.TempDir(), "socket"), "abstract": abstract} {
		t.Run(name, func(t *testing.T) {
			ln := listenOn(t, "unix", path)
			l := looptest.New(t)
			h := &recorder{}
			if err := h.socket.ConnectUnix(l.Loop, path, h); err != nil {
				t.Fatalf("connecting to %s failed: %v", path, err)
			}
			defer h.socket.Close()
			if err := h.socket.Connected(); err != nil || !h.socket.Writable() {
				t.Errorf("a Unix socket is connected at once; Connected returned %v", err)
			}
			l.Settle()
			if h.seen()&loop.Writable == 0 {
				t.Error("the first event should come as for any other socket")
			}
			conversation(t, l, &h.socket, ln)
		})
	}
}

func TestConnectUnixWithFullQueue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	listener, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	looptest.CloseLater(t, listener)
	if err := errors.Join(unix.Bind(listener, &unix.SockaddrUnix{Name: path}), unix.Listen(listener, 0)); err != nil {
		t.Fatal(err)
	}
	l := looptest.New(t)
	for range 10 {
		h := &recorder{}
		err := h.socket.ConnectUnix(l.Loop, path, h)
		if err == nil {
			defer h.socket.Close()
			continue
		}
		if !errors.Is(err, unix.EAGAIN) || !strings.Contains(err.Error(), "queue") || !h.socket.Closed() {
			t.Errorf("a full queue should be an error that says so and wraps EAGAIN; it is %v", err)
		}
		return
	}
	t.Error("a queue of length 0 should be full after a few connections")
}

// TestConnectRefusesAtOnce: what is wrong before anything was sent is ConnectTCP's own
// error, and neither a descriptor nor an event is left of it.
func TestConnectRefusesAtOnce(t *testing.T) {
	l := looptest.New(t)
	before := descriptors(t)
	directory := t.TempDir()
	tcp := func(address string) func(*loop.Socket) error {
		return func(s *loop.Socket) error { return s.ConnectTCP(l.Loop, netip.MustParseAddrPort(address), ignored) }
	}
	local := func(path string) func(*loop.Socket) error {
		return func(s *loop.Socket) error { return s.ConnectUnix(l.Loop, path, ignored) }
	}
	for name, c := range map[string]struct {
		connect func(*loop.Socket) error
		want    error // nil: any
	}{
		"no address":         {func(s *loop.Socket) error { return s.ConnectTCP(l.Loop, netip.AddrPort{}, ignored) }, nil},
		"broadcast":          {tcp("255.255.255.255:80"), nil},
		"unknown zone":       {tcp("[fe80::1%no-such-interface]:80"), unix.ENODEV},
		"no path":            {local(""), nil},
		"missing file":       {local(filepath.Join(directory, "none")), unix.ENOENT},
		"not a socket":       {local(directory), unix.ECONNREFUSED},
		"path that is large": {local(strings.Repeat("x", 200)), unix.EINVAL},
	} {
		var s loop.Socket
		err := c.connect(&s)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !s.Closed() {
			t.Errorf("%s: the error is %v; it should wrap %v, and the socket be closed", name, err, c.want)
		}
		s.Close()
	}
	l.Settle()
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors were open before and %d after; what was refused should leave none", before, after)
	}
}

func TestConnectRefusesUsedSocketAndEndedLoop(t *testing.T) {
	ln := listenOn(t, "tcp", "127.0.0.1:0")
	l := looptest.New(t)
	h, _ := attachedPair(t, l)
	if err := h.socket.Connected(); err != nil {
		t.Errorf("a socket that was attached is connected; Connected returned %v", err)
	}
	if err := h.socket.ConnectTCP(l.Loop, addressOf(ln), h); err == nil {
		t.Error("a Socket that is attached should refuse to be connected")
	}
	l.Abandon()
	var s loop.Socket
	if err := s.ConnectTCP(l.Loop, addressOf(ln), ignored); err != loop.ErrStopped {
		t.Errorf("a loop that has ended should refuse with ErrStopped; the error was %v", err)
	}
}

// TestConnectWithoutDescriptors: the limit is the process's, so the test lowers it.
func TestConnectWithoutDescriptors(t *testing.T) {
	ln := listenOn(t, "tcp", "127.0.0.1:0")
	l := looptest.New(t)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	lowered := limit
	lowered.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lowered); err != nil {
		t.Fatal(err)
	}
	var s loop.Socket
	err := s.ConnectTCP(l.Loop, addressOf(ln), ignored)
	if restoreErr := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); restoreErr != nil {
		t.Fatal(restoreErr)
	}
	if !errors.Is(err, unix.EMFILE) || !s.Closed() {
		t.Errorf("without a descriptor the error should wrap EMFILE; it is %v", err)
	}
}

// TestConnectedSocketIsUsedAgain: an owner whose connection failed tries the next address
// with the same Socket.
func TestConnectedSocketIsUsedAgain(t *testing.T) {
	ln := listenOn(t, "tcp", "127.0.0.1:0")
	l := looptest.New(t)
	h := &recorder{}
	if err := h.socket.ConnectTCP(l.Loop, vacated(t), h); err != nil {
		t.Fatal(err)
	}
	if err := settleConnect(l, &h.socket); err == nil {
		t.Fatal("nobody listens there")
	}
	h.socket.Close()
	if err := h.socket.ConnectTCP(l.Loop, addressOf(ln), h); err != nil {
		t.Fatal(err)
	}
	defer h.socket.Close()
	if err := settleConnect(l, &h.socket); err != nil {
		t.Fatalf("the second address should be connected to: %v", err)
	}
	conversation(t, l, &h.socket, ln)
}
