package loop_test

import (
	"errors"
	"fmt"
	"io/fs"
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

// listen listens until the test ends.
func listen(t testing.TB, network, address string, loops []*loop.Loop, accept func(*loop.Loop, int)) *loop.Listener {
	t.Helper()
	ln, err := loop.Listen(network, address, loops, accept)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ln.Close)
	return ln
}

// TestEcho sends through every kind of listener, over two loops.
func TestEcho(t *testing.T) {
	for _, c := range []struct{ network, address string }{
		{"tcp", "127.0.0.1:0"}, {"tcp", "[::1]:0"}, {"tcp4", "127.0.0.1:0"}, {"tcp6", "[::1]:0"}, {"tcp", ":0"},
		{"unix", filepath.Join(t.TempDir(), "socket")}, {"unix", "@penstock-loop-test"},
	} {
		t.Run(c.network+" "+c.address, func(t *testing.T) {
			if strings.HasPrefix(c.address, "[") && !hasIPv6() {
				t.Skip("this machine has no IPv6")
			}
			g := start(t, 2, loop.Options{})
			ln := listen(t, c.network, c.address, g.Loops(), accept)
			for i := range 8 {
				client := connect(t, ln.Addr())
				exchange(t, client, fmt.Sprintf("hello %d", i))
				exchange(t, client, strings.Repeat("long ", 20_000))
				client.Close()
			}
		})
	}
}

func hasIPv6() bool {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err == nil {
		ln.Close()
	}
	return err == nil
}

// TestDualStack: no host means both families, and an IPv4 peer has an IPv4 address.
func TestDualStack(t *testing.T) {
	g := start(t, 1, loop.Options{})
	peers := make(chan netip.AddrPort, 1)
	ln := listen(t, "tcp", ":0", g.Loops(), func(l *loop.Loop, fd int) {
		var s loop.Socket
		if err := s.Attach(l, fd, ignored); err != nil {
			t.Error(err)
		}
		address, err := s.RemoteAddr()
		if err != nil {
			t.Error(err)
		}
		peers <- address
		s.Close()
	})
	port := ln.Addr().(*net.TCPAddr).Port
	for _, host := range []string{"127.0.0.1", "::1"} {
		if host == "::1" && !hasIPv6() {
			continue
		}
		c, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
		if err != nil {
			t.Fatalf("a listener without a host should be reached at %s: %v", host, err)
		}
		if peer := <-peers; peer.Addr() != netip.MustParseAddr(host) {
			t.Errorf("the peer's address is %v; it should be on %s", peer, host)
		}
		c.Close()
	}
}

// TestZone: a link-local address names its interface.
func TestZone(t *testing.T) {
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		addresses, _ := i.Addrs()
		for _, a := range addresses {
			ip, ok := a.(*net.IPNet)
			if !ok || !ip.IP.IsLinkLocalUnicast() || ip.IP.To4() != nil {
				continue
			}
			l := looptest.New(t)
			ln := listen(t, "tcp", "["+ip.IP.String()+"%"+i.Name+"]:0", []*loop.Loop{l.Loop}, accept)
			if zone := ln.Addr().(*net.TCPAddr).Zone; zone != i.Name {
				t.Errorf("the listener's zone is %q; it should be %q", zone, i.Name)
			}
			return
		}
	}
	t.Skip("no interface has a link-local IPv6 address")
}

// TestConnectionsAreSpread: each loop accepts some, by the kernel or in turn.
func TestConnectionsAreSpread(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "socket")
		}
		g := start(t, 2, loop.Options{})
		accepted := make(chan *loop.Loop, 64)
		ln := listen(t, network, address, g.Loops(), func(l *loop.Loop, fd int) {
			accepted <- l
			_ = unix.Close(fd)
		})
		count := map[*loop.Loop]int{}
		for range 64 {
			connect(t, ln.Addr())
			count[<-accepted]++
		}
		if len(count) != 2 {
			t.Errorf("%s: of two loops %d were given connections, out of 64", network, len(count))
		}
		if network == "unix" && count[g.Loops()[0]] != 32 {
			t.Errorf("a Unix socket's connections should go round; the first loop had %d of 64", count[g.Loops()[0]])
		}
	}
}

func TestAcceptedSocketOptions(t *testing.T) {
	g := start(t, 1, loop.Options{})
	type options struct{ noDelay, status, descriptor int }
	seen := make(chan options, 1)
	ln := listen(t, "tcp", "127.0.0.1:0", g.Loops(), func(_ *loop.Loop, fd int) {
		var o options
		o.noDelay, _ = unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY)
		o.status, _ = unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		o.descriptor, _ = unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		_ = unix.Close(fd)
		seen <- o
	})
	connect(t, ln.Addr())
	o := <-seen
	if o.noDelay == 0 || o.status&unix.O_NONBLOCK == 0 || o.descriptor&unix.FD_CLOEXEC == 0 {
		t.Errorf("an accepted socket should have TCP_NODELAY, O_NONBLOCK and FD_CLOEXEC; it has %+v", o)
	}
}

// TestSecondListenerIsRefused: the loops of one listener share its port, and nobody else.
func TestSecondListenerIsRefused(t *testing.T) {
	g := start(t, 2, loop.Options{})
	for _, c := range []struct{ network, address string }{
		{"tcp", "127.0.0.1:0"}, {"tcp", ":0"}, {"unix", filepath.Join(t.TempDir(), "socket")}, {"unix", "@penstock-loop-taken"},
	} {
		ln := listen(t, c.network, c.address, g.Loops(), accept)
		second, err := loop.Listen(c.network, ln.Addr().String(), g.Loops(), accept)
		if !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("a second listener on %s %v returned %v; it should be EADDRINUSE", c.network, ln.Addr(), err)
		}
		if second != nil {
			second.Close()
		}
		exchange(t, connect(t, ln.Addr()), "the first one still listens")
		ln.Close()
		again := listen(t, c.network, ln.Addr().String(), g.Loops(), accept)
		exchange(t, connect(t, again.Addr()), "closed means free")
	}
}

func TestListenRefuses(t *testing.T) {
	l := looptest.New(t)
	loops := []*loop.Loop{l.Loop}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		network, address string
		loops            []*loop.Loop
	}{
		{"tcp", "127.0.0.1:0", nil}, {"udp", "127.0.0.1:0", loops}, {"tcp", "127.0.0.1", loops}, {"tcp4", "[::1]:0", loops},
		{"tcp", "192.0.2.1:0", loops}, {"unix", "", loops}, {"unix", "/does/not/exist", loops}, {"unix", file, loops},
		{"unix", "/" + strings.Repeat("long", 40), loops},
	} {
		if ln, err := loop.Listen(c.network, c.address, c.loops, accept); err == nil {
			t.Errorf("listening on %s %q with %d loops should be refused", c.network, c.address, len(c.loops))
			ln.Close()
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("a file that is no socket should be left alone: %v", err)
	}
	l.Abandon()
	if _, err := loop.Listen("tcp", "127.0.0.1:0", loops, accept); !errors.Is(err, loop.ErrStopped) {
		t.Errorf("listening on a loop that has ended returned %v; it should be ErrStopped", err)
	}
}

// TestStaleSocketFile: what a killed server left behind is replaced.
func TestStaleSocketFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
	g := start(t, 1, loop.Options{})
	ln := listen(t, "unix", path, g.Loops(), accept)
	exchange(t, connect(t, ln.Addr()), "hello")
	ln.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("when the listener has closed its file should be gone; looking at it returned %v", err)
	}
}

// TestSocketFileOfSuccessorStays: a new server has put its own file in place of ours.
func TestSocketFileOfSuccessorStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	g := start(t, 1, loop.Options{})
	ln := listen(t, "unix", path, g.Loops(), accept)
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	successor := listen(t, "unix", path, g.Loops(), accept)
	ln.Close()
	exchange(t, connect(t, successor.Addr()), "hello")
}

// TestCloseHandsOverTheQueue: connections that the kernel has accepted are served, in
// each state the loop may be in.
func TestCloseHandsOverTheQueue(t *testing.T) {
	for _, state := range []string{"not begun", "running"} {
		for _, network := range []string{"tcp", "unix"} {
			address := "127.0.0.1:0"
			if network == "unix" {
				address = filepath.Join(t.TempDir(), "socket")
			}
			l := looptest.New(t)
			ln := listen(t, network, address, []*loop.Loop{l.Loop}, accept)
			if state == "running" {
				l.Settle()
			}
			var clients []net.Conn
			for range 100 {
				clients = append(clients, connect(t, ln.Addr()))
			}
			closed := make(chan struct{})
			go func() {
				ln.Close()
				close(closed)
			}()
			if state == "running" {
				l.Await()
			}
			<-closed
			l.Settle()
			if held := l.Held().Sockets; held != len(clients) {
				t.Errorf("%s, %s: of %d connections that were queued %d were handed over", network, state, len(clients), held)
			}
			for _, c := range clients {
				c.Close()
			}
			if _, err := net.Dial(network, ln.Addr().String()); err == nil {
				t.Errorf("%s, %s: after Close nobody should listen", network, state)
			}
			ln.Close()
		}
	}
}

func TestCloseAfterTheLoopsEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l := looptest.New(t)
	ln := listen(t, "unix", path, []*loop.Loop{l.Loop}, accept)
	l.Settle()
	l.Abandon()
	ln.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file should be removed although the loop has ended; looking at it returned %v", err)
	}
}

// TestRoundToALoopThatHasStopped: the connection is closed and does not leak.
func TestRoundToALoopThatHasStopped(t *testing.T) {
	first, second := looptest.New(t), looptest.New(t)
	ln := listen(t, "unix", filepath.Join(t.TempDir(), "socket"), []*loop.Loop{first.Loop, second.Loop}, accept)
	first.Settle()
	second.Abandon()
	a, b := connect(t, ln.Addr()), connect(t, ln.Addr())
	first.Settle()
	if _, err := b.Read(make([]byte, 1)); err == nil {
		t.Error("a connection for a loop that has stopped should be closed")
	}
	a.Close()
	closeListener(ln, first)
}

// closeListener closes a listener on loops that the test turns.
func closeListener(ln *loop.Listener, l *looptest.Loop) {
	closed := make(chan struct{})
	go func() {
		ln.Close()
		close(closed)
	}()
	l.Await()
	<-closed
}
