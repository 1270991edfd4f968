package loop_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// lend is LendPipe for tests in which it must not fail.
func lend(t testing.TB, l *looptest.Loop) *loop.Pipe {
	t.Helper()
	p, err := l.LendPipe()
	if err != nil {
		t.Fatalf("a pipe could not be lent: %v", err)
	}
	if p.Len() != 0 {
		t.Fatalf("a pipe that is lent should be empty; it holds %d bytes", p.Len())
	}
	return p
}

// pairs makes a connection of each kind that can be spliced.
var pairs = map[string]func(t testing.TB) (fd, peer int){
	"unix": func(t testing.TB) (int, int) { return looptest.Socketpair(t) },
	"tcp":  func(t testing.TB) (int, int) { return tcpPair(t, "127.0.0.1") },
}

// TestSplice moves more than any pipe or send buffer holds from one connection to another.
func TestSplice(t *testing.T) {
	const length = 4 << 20
	_, content := fileOf(t, length)
	for network, pair := range pairs {
		t.Run(network, func(t *testing.T) {
			l := looptest.New(t)
			in, sender := pair(t)
			out, receiver := pair(t)
			small := errors.Join(unix.SetsockoptInt(out, unix.SOL_SOCKET, unix.SO_SNDBUF, 64<<10),
				unix.SetsockoptInt(receiver, unix.SOL_SOCKET, unix.SO_RCVBUF, 64<<10))
			if small != nil {
				t.Fatal(small)
			}
			from, to := attach(t, l, in), attach(t, l, out)
			defer from.socket.Close()
			defer to.socket.Close()
			p := lend(t, l)
			defer l.TakeBackPipe(p)
			sent, full := 0, 0
			var got strings.Builder
			for got.Len() < length {
				if n, err := unix.Write(sender, content[sent:]); err == nil {
					sent += n
				}
				l.Settle()
				if p.Len() == 0 {
					n, err := from.socket.SpliceIn(p, length)
					if err != nil && err != loop.ErrAgain || n != p.Len() {
						t.Fatalf("splicing in gave %d, %v; the pipe holds %d", n, err, p.Len())
					}
				}
				before := p.Len()
				n, err := to.socket.SpliceOut(p, before)
				if p.Len() != before-n || err != nil && (err != loop.ErrAgain || n != 0) {
					t.Fatalf("splicing out gave %d, %v; of %d bytes the pipe holds %d", n, err, before, p.Len())
				}
				if n < before {
					full++
					if to.socket.Writable() {
						t.Errorf("a socket that took %d of %d bytes should be known to be full", n, before)
					}
				}
				if n < before || sent == length { // so that the send buffer fills up
					text, _ := looptest.Receive(t, receiver)
					got.WriteString(text)
				}
			}
			if got.String() != string(content) {
				t.Error("what was moved should arrive as it was sent")
			}
			if full == 0 {
				t.Error("the send buffer should have been full at some time; the content is too short for this test")
			}
		})
	}
}

func TestSpliceInKeepsToItsLimit(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	defer h.socket.Close()
	p := lend(t, l)
	defer l.TakeBackPipe(p)
	if _, err := h.socket.SpliceIn(p, 10); err != loop.ErrAgain {
		t.Errorf("before the first bytes splicing in returned %v; it should be ErrAgain", err)
	}
	looptest.Send(t, peer, "0123456789")
	l.Settle()
	if n, err := h.socket.SpliceIn(p, 0); n != 0 || err != nil {
		t.Errorf("splicing in nothing gave %d, %v; it should do nothing", n, err)
	}
	if n, err := h.socket.SpliceIn(p, 4); n != 4 || err != nil || !h.socket.Readable() {
		t.Errorf("splicing in 4 of 10 bytes gave %d, %v, and should leave the socket readable", n, err)
	}
	if n, err := h.socket.SpliceIn(p, 4); n != 0 || err == nil || err == loop.ErrAgain {
		t.Errorf("a pipe that holds bytes should be refused with an error of its own; it gave %d, %v", n, err)
	}
	buffer := make([]byte, 10)
	if n, err := p.Read(buffer); string(buffer[:n]) != "0123" || err != nil {
		t.Errorf("the pipe should hold what was moved; it gave %q, %v", buffer[:n], err)
	}
	if _, err := p.Read(buffer); err != io.EOF {
		t.Errorf("an empty pipe should end with io.EOF; it returned %v", err)
	}
	if n, err := h.socket.Read(buffer); string(buffer[:n]) != "456789" || err != nil {
		t.Errorf("what was not moved should be there to be read; there was %q, %v", buffer[:n], err)
	}
}

// TestSpliceInFindsTheSocketDrained: only the kernel's EAGAIN shows it, and after that it
// is not asked again before an event.
func TestSpliceInFindsTheSocketDrained(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	defer h.socket.Close()
	p := lend(t, l)
	looptest.Send(t, peer, "abc")
	l.Settle()
	if n, err := h.socket.SpliceIn(p, 100); n != 3 || err != nil || !h.socket.Readable() {
		t.Fatalf("a short splice gave %d, %v; it does not show that the socket is drained", n, err)
	}
	l.TakeBackPipe(p) // with bytes in it
	p = lend(t, l)
	defer l.TakeBackPipe(p)
	if _, err := h.socket.SpliceIn(p, 100); err != loop.ErrAgain || h.socket.Readable() {
		t.Errorf("a drained socket should give ErrAgain and be known to be drained; it gave %v", err)
	}
	looptest.Send(t, peer, "more")
	if n, err := h.socket.SpliceIn(p, 100); n != 0 || err != loop.ErrAgain {
		t.Errorf("a drained socket was asked before its event: %d bytes, error %v", n, err)
	}
	l.Settle()
	if n, err := h.socket.SpliceIn(p, 100); n != 4 || err != nil {
		t.Errorf("after the event splicing in gave %d, %v", n, err)
	}
}

func TestSpliceInFindsTheEnd(t *testing.T) {
	for network, pair := range pairs {
		l := looptest.New(t)
		fd, peer := pair(t)
		h := attach(t, l, fd)
		p := lend(t, l)
		looptest.Send(t, peer, "last")
		if err := unix.Shutdown(peer, unix.SHUT_WR); err != nil {
			t.Fatal(err)
		}
		l.Settle()
		if n, err := h.socket.SpliceIn(p, 100); n != 4 || err != nil {
			t.Errorf("%s: the bytes before the end gave %d, %v", network, n, err)
		}
		l.TakeBackPipe(p)
		p = lend(t, l)
		for range 2 {
			if n, err := h.socket.SpliceIn(p, 100); n != 0 || err != io.EOF || !h.socket.PeerClosed() {
				t.Errorf("%s: behind the bytes splicing in gave %d, %v; it should be io.EOF, again and again", network, n, err)
			}
		}
		l.TakeBackPipe(p)
		h.socket.Close()
	}
}

func TestSpliceFindsTheConnectionBroken(t *testing.T) {
	l := looptest.New(t)
	fd, peer := tcpPair(t, "127.0.0.1")
	h := attach(t, l, fd)
	defer h.socket.Close()
	p := lend(t, l)
	defer l.TakeBackPipe(p)
	if err := unix.SetsockoptLinger(peer, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
		t.Fatal(err)
	}
	unix.Close(peer)
	l.Settle()
	if n, err := h.socket.SpliceIn(p, 100); n != 0 || !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("splicing from a connection that was reset gave %d, %v; it should wrap ECONNRESET", n, err)
	}
}

func TestSpliceOutToClosedPeer(t *testing.T) {
	l := looptest.New(t)
	from, sender := attachedPair(t, l)
	to, receiver := attachedPair(t, l)
	defer from.socket.Close()
	defer to.socket.Close()
	p := lend(t, l)
	defer l.TakeBackPipe(p)
	looptest.Send(t, sender, "too late")
	l.Settle()
	if n, err := from.socket.SpliceIn(p, 100); n != 8 || err != nil {
		t.Fatal(n, err)
	}
	unix.Close(receiver)
	if n, err := to.socket.SpliceOut(p, 100); n != 0 || !errors.Is(err, unix.EPIPE) || p.Len() != 8 {
		t.Errorf("splicing to a closed peer gave %d, %v; it should wrap EPIPE, and the pipe hold what it held", n, err)
	}
}

// TestUrgentDataIsNotTheEnd: splice(2) says at an urgent mark what it says of a drained
// socket, or at the end if the peer has ended its side.
func TestUrgentDataIsNotTheEnd(t *testing.T) {
	for _, ends := range []bool{false, true} {
		testUrgentData(t, ends)
	}
}

func testUrgentData(t *testing.T, ends bool) {
	l := looptest.New(t)
	fd, peer := tcpPair(t, "127.0.0.1")
	h := attach(t, l, fd)
	defer h.socket.Close()
	looptest.Send(t, peer, "before")
	if err := unix.Sendto(peer, []byte("!"), unix.MSG_OOB, nil); err != nil {
		t.Fatal(err)
	}
	looptest.Send(t, peer, "behind")
	if ends {
		if err := unix.Shutdown(peer, unix.SHUT_WR); err != nil {
			t.Fatal(err)
		}
	}
	l.Settle()
	got := ""
	buffer := make([]byte, 64)
	for {
		p := lend(t, l)
		n, err := h.socket.SpliceIn(p, 100)
		l.TakeBackPipe(p)
		if err == loop.ErrAgain && !ends || err == io.EOF && ends {
			break
		}
		if err != nil {
			t.Fatalf("after %q splicing in returned %v; there is more, or the end (%t)", got, err, ends)
		}
		if got += strings.Repeat("-", n); n == 0 {
			if n, err = h.socket.Read(buffer); err != nil {
				t.Fatalf("what cannot be moved should be there to be read; reading returned %v", err)
			}
			got += string(buffer[:n])
		}
	}
	if len(got) != len("beforebehind") {
		t.Errorf("the bytes around urgent data came as %q (- was moved)", got)
	}
}

func TestSpliceRefusesClosedSocket(t *testing.T) {
	l := looptest.New(t)
	p := lend(t, l)
	defer l.TakeBackPipe(p)
	var s loop.Socket
	if _, err := s.SpliceIn(p, 1); err != loop.ErrClosed {
		t.Errorf("SpliceIn on a closed socket returned %v; it should be ErrClosed", err)
	}
	if _, err := s.SpliceOut(p, 1); err != loop.ErrClosed {
		t.Errorf("SpliceOut on a closed socket returned %v; it should be ErrClosed", err)
	}
}
