package loop_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// call lets a function be a handler, a runner and an expirer.
type call func()

func (f call) SocketEvent(loop.Readiness) { f() }
func (f call) Run()                       { f() }
func (f call) Expire()                    { f() }

// ignored is a handler for sockets that the test looks after itself.
var ignored = call(func() {})

// recorder is a handler that keeps what it was told.
type recorder struct {
	socket     loop.Socket
	descriptor int
	events     []loop.Readiness
	then       func(r loop.Readiness)
}

func (h *recorder) SocketEvent(r loop.Readiness) {
	h.events = append(h.events, r)
	if h.then != nil {
		h.then(r)
	}
}

// seen is everything the handler was told since the last call.
func (h *recorder) seen() loop.Readiness {
	var all loop.Readiness
	for _, r := range h.events {
		all |= r
	}
	h.events = nil
	return all
}

// attach puts fd on the loop with a recorder, and takes the first event out of the way.
func attach(t testing.TB, l *looptest.Loop, fd int) *recorder {
	t.Helper()
	h := &recorder{descriptor: fd}
	if err := h.socket.Attach(l.Loop, fd, h); err != nil {
		t.Fatalf("descriptor %d could not be attached: %v", fd, err)
	}
	l.Settle()
	h.seen()
	return h
}

// attachedPair is a connection with one end on the loop.
func attachedPair(t testing.TB, l *looptest.Loop) (h *recorder, peer int) {
	t.Helper()
	fd, peer := looptest.Socketpair(t)
	return attach(t, l, fd), peer
}

// tcpPair makes a TCP connection over loopback, like looptest.Socketpair.
func tcpPair(t testing.TB, host string) (a, b int) {
	t.Helper()
	ln, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Skipf("there is no loopback on %s: %v", host, err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatalf("connecting over loopback: %v", err)
	}
	defer client.Close()
	server, err := ln.Accept()
	if err != nil {
		t.Fatalf("accepting over loopback: %v", err)
	}
	defer server.Close()
	a, b = descriptorOf(t, server), descriptorOf(t, client)
	looptest.CloseLater(t, b)
	return a, b
}

// descriptorOf is a non-blocking descriptor of its own for c's socket.
func descriptorOf(t testing.TB, c net.Conn) int {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatalf("looking at a connection's descriptor: %v", err)
	}
	fd := -1
	var duplicateErr error
	err = raw.Control(func(original uintptr) {
		fd, duplicateErr = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil || duplicateErr != nil {
		t.Fatalf("duplicating a connection's descriptor: %v, %v", err, duplicateErr)
	}
	return fd
}

// connect makes a blocking client connection that ends with the test.
func connect(t testing.TB, address net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial(address.Network(), address.String())
	if err != nil {
		t.Fatalf("connecting to %v: %v", address, err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// exchange sends and expects the same back.
func exchange(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatalf("sending %q: %v", text, err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("after sending %q the echo was %q, error %v", text, got, err)
	}
}

// descriptors counts the process's open descriptors.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// logBuffer collects what a loop logs; any goroutine.
type logBuffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}

// lines is how many lines have text in them.
func (b *logBuffer) lines(text string) int {
	n := 0
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (b *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// start runs a group on goroutines of its own until the test ends.
func start(t testing.TB, n int, o loop.Options) *loop.Group {
	t.Helper()
	g, err := loop.NewGroup(n, o)
	if err != nil {
		t.Fatalf("a group of %d loops could not be made: %v", n, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- g.Run() }()
	t.Cleanup(func() {
		g.Stop()
		if err := <-ended; err != nil {
			t.Errorf("the group ended with an error: %v", err)
		}
	})
	return g
}
