package loop_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// TestShortReadMeansDrained: after it Read does not ask the kernel again until there is
// an event. The test sees that by sending bytes and withholding their event.
func TestShortReadMeansDrained(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	defer h.socket.Close()
	buffer := make([]byte, 8)
	if _, err := h.socket.Read(buffer); err != loop.ErrAgain {
		t.Errorf("reading before the first bytes returned %v; it should be ErrAgain", err)
	}
	looptest.Send(t, peer, "12345678abc")
	l.Settle()
	if n, err := h.socket.Read(buffer); n != 8 || err != nil || !h.socket.Readable() {
		t.Fatalf("a read that fills its buffer gave %d, %v, and should leave the socket readable", n, err)
	}
	if n, err := h.socket.Read(buffer); n != 3 || err != nil || h.socket.Readable() {
		t.Fatalf("a short read gave %d, %v, and should leave the socket drained", n, err)
	}
	looptest.Send(t, peer, "more")
	if n, err := h.socket.Read(buffer); n != 0 || err != loop.ErrAgain {
		t.Errorf("a drained socket was asked before its event: %d bytes, error %v", n, err)
	}
	l.Settle()
	if n, err := h.socket.Read(buffer); string(buffer[:n]) != "more" || err != nil {
		t.Errorf("after the event the read gave %q, %v", buffer[:n], err)
	}
}

func TestExactReadFindsNothingNext(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	defer h.socket.Close()
	looptest.Send(t, peer, "12345678")
	l.Settle()
	buffer := make([]byte, 8)
	if n, _ := h.socket.Read(buffer); n != 8 || !h.socket.Readable() {
		t.Fatal("a read that fills its buffer does not show that the socket is drained")
	}
	if n, err := h.socket.Read(nil); n != 0 || err != nil || !h.socket.Readable() {
		t.Errorf("reading into no buffer gave %d, %v; it should do nothing", n, err)
	}
	if _, err := h.socket.Read(buffer); err != loop.ErrAgain || h.socket.Readable() {
		t.Errorf("the next read should find the socket drained; the error was %v", err)
	}
}

// TestEndArrivesWithData: bytes and FIN are one event, and the short read of the bytes
// must not hide the end behind them, for which there is no other event.
func TestEndArrivesWithData(t *testing.T) {
	l := looptest.New(t)
	for _, size := range []int{7, 8} { // a short read, and one that fills the buffer
		fd, peer := tcpPair(t, "127.0.0.1")
		h := attach(t, l, fd)
		looptest.Send(t, peer, strings.Repeat("x", size))
		if err := unix.Shutdown(peer, unix.SHUT_WR); err != nil {
			t.Fatal(err)
		}
		l.Settle()
		if h.seen()&loop.HalfClosed == 0 || !h.socket.PeerClosed() {
			t.Fatal("the event should say that the peer has ended its side")
		}
		buffer := make([]byte, 8)
		if n, err := h.socket.Read(buffer); n != size || err != nil || !h.socket.Readable() {
			t.Errorf("the read gave %d, %v; the socket should stay readable, since the end is behind the bytes", n, err)
		}
		if _, err := h.socket.Read(buffer); err != io.EOF {
			t.Errorf("behind the bytes the read returned %v; it should be io.EOF", err)
		}
		h.socket.Close()
	}
}

// TestEndArrivesBehindTheEvent: FIN comes after the event and before the read; then the
// short read does hide it, and an event of its own tells of it.
func TestEndArrivesBehindTheEvent(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	looptest.Send(t, peer, "bytes")
	l.Settle()
	if err := unix.Shutdown(peer, unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 8)
	if n, err := h.socket.Read(buffer); n != 5 || err != nil {
		t.Fatalf("the read gave %d, %v", n, err)
	}
	l.Settle()
	if _, err := h.socket.Read(buffer); err != io.EOF {
		t.Errorf("after the second event the read returned %v; it should be io.EOF", err)
	}
	h.socket.Close()
}

// TestEndIsFoundBeforeItsEvent: reading finds the end, and the socket knows it from then.
func TestEndIsFoundBeforeItsEvent(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	looptest.Send(t, peer, "12345678")
	l.Settle()
	if err := unix.Shutdown(peer, unix.SHUT_WR); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 8)
	for _, want := range []error{nil, io.EOF} {
		if _, err := h.socket.Read(buffer); err != want {
			t.Fatalf("the read returned %v; it should be %v", err, want)
		}
	}
	if !h.socket.PeerClosed() {
		t.Error("a socket that was read to its end should know that its peer has closed")
	}
	h.socket.Close()
}

// TestUrgentDataDoesNotHideBytes: a read stops at an urgent mark, so a short read is no
// sign that nothing is left, and no event comes for what is.
func TestUrgentDataDoesNotHideBytes(t *testing.T) {
	l := looptest.New(t)
	fd, peer := tcpPair(t, "127.0.0.1")
	h := attach(t, l, fd)
	looptest.Send(t, peer, "before")
	if err := unix.Sendto(peer, []byte("!"), unix.MSG_OOB, nil); err != nil {
		t.Fatal(err)
	}
	looptest.Send(t, peer, "behind")
	l.Settle()
	var got []byte
	buffer := make([]byte, 64)
	for {
		n, err := h.socket.Read(buffer)
		got = append(got, buffer[:n]...)
		if err == loop.ErrAgain {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if string(got) != "beforebehind" {
		t.Errorf("the bytes around urgent data were read as %q", got)
	}
	h.socket.Close()
}

// fill writes until nothing more is taken, and returns how much was.
func fill(t *testing.T, s *loop.Socket) int {
	t.Helper()
	chunk := bytes.Repeat([]byte("f"), 10_000)
	total := 0
	for {
		n, err := s.Write(chunk)
		total += n
		if err == loop.ErrAgain {
			return total
		}
		if err != nil {
			t.Fatalf("filling the send buffer: %v", err)
		}
	}
}

func TestWriteUntilFull(t *testing.T) {
	l := looptest.New(t)
	fd, peer := tcpPair(t, "127.0.0.1")
	h := attach(t, l, fd)
	defer h.socket.Close()
	sent := fill(t, &h.socket)
	if h.socket.Writable() || sent == 0 {
		t.Fatalf("after %d bytes the socket should be known to be full", sent)
	}
	received := 0
	for received < sent {
		got, _ := looptest.Receive(t, peer)
		received += len(got)
	}
	if n, err := h.socket.Write([]byte("x")); n != 0 || err != loop.ErrAgain {
		t.Errorf("before the event a full socket was asked: %d, %v", n, err)
	}
	l.Settle()
	if h.seen()&loop.Writable == 0 || !h.socket.Writable() {
		t.Error("once the peer has read, an event should say that there is room")
	}
	if n, err := h.socket.Write(nil); n != 0 || err != nil {
		t.Errorf("writing nothing gave %d, %v; it should do nothing", n, err)
	}
}

func TestWriteAfterPeerClosed(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	if err := unix.Close(peer); err != nil {
		t.Fatal(err)
	}
	if _, err := h.socket.Write([]byte("x")); !errors.Is(err, unix.EPIPE) {
		t.Errorf("writing to a closed peer returned %v; it should wrap EPIPE", err)
	}
	if _, err := h.socket.Writev([][]byte{[]byte("x")}); !errors.Is(err, unix.EPIPE) {
		t.Errorf("writing a vector to a closed peer returned %v; it should wrap EPIPE", err)
	}
	h.socket.Close()
}

func TestWritev(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	defer h.socket.Close()
	var bufs [][]byte
	want := ""
	for i := range 21 {
		text := strings.Repeat(string(rune('a'+i)), i%5) // every fifth is empty
		bufs = append(bufs, []byte(text))
		want += text
	}
	if n, err := h.socket.Writev(bufs); n != len(want) || err != nil {
		t.Errorf("writing %d buffers took %d of %d bytes, error %v", len(bufs), n, len(want), err)
	}
	if got, _ := looptest.Receive(t, peer); got != want {
		t.Errorf("the peer read %q; it should read %q", got, want)
	}
	if n, err := h.socket.Writev([][]byte{nil, {}}); n != 0 || err != nil {
		t.Errorf("writing empty buffers gave %d, %v", n, err)
	}
}

// TestWritevPartly: the buffers do not fit, in the first call of writev or a later one.
func TestWritevPartly(t *testing.T) {
	for _, count := range []int{2, 9, 40} {
		l := looptest.New(t)
		h, peer := attachedPair(t, l)
		bufs := make([][]byte, count)
		for i := range bufs {
			bufs[i] = bytes.Repeat([]byte{byte('a' + i%26)}, (1<<20)/count)
		}
		want := string(bytes.Join(bufs, nil))
		n, err := h.socket.Writev(bufs)
		if n == 0 || n == len(want) || err != nil || h.socket.Writable() {
			t.Fatalf("of %d buffers too large for the socket %d bytes were taken, error %v; it should be some, and the socket full", count, n, err)
		}
		if got, _ := looptest.Receive(t, peer); got != want[:n] {
			t.Errorf("the peer should read exactly the %d bytes that were taken", n)
		}
		h.socket.Close()
	}
}

// fileOf makes a file of size bytes that differ.
func fileOf(t testing.TB, size int) (*os.File, []byte) {
	t.Helper()
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(i * 7 >> 3)
	}
	path := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file, content
}

// TestSendFile sends a range that fits into no send buffer, as the peer makes room.
func TestSendFile(t *testing.T) {
	file, content := fileOf(t, 5<<20)
	for _, network := range []string{"unix", "tcp"} {
		l := looptest.New(t)
		fd, peer := looptest.Socketpair(t)
		if network == "tcp" {
			fd, peer = tcpPair(t, "127.0.0.1")
		}
		h := attach(t, l, fd)
		const offset, length = 12345, 4 << 20
		sent, partly := int64(0), 0
		var got strings.Builder
		for int64(got.Len()) < length {
			n, err := h.socket.SendFile(int(file.Fd()), offset+sent, length-sent)
			if n < length-sent {
				partly++
				if h.socket.Writable() {
					t.Errorf("%s: a socket that took %d of %d bytes should be known to be full", network, n, length-sent)
				}
			}
			if err != nil && (err != loop.ErrAgain || n != 0) {
				t.Fatalf("%s: sending from offset %d: %d, %v", network, offset+sent, n, err)
			}
			sent += n
			text, _ := looptest.Receive(t, peer)
			got.WriteString(text)
			l.Settle()
		}
		if sent != length || got.String() != string(content[offset:offset+length]) {
			t.Errorf("%s: %d bytes were sent and %d received; they should be the range of the file", network, sent, got.Len())
		}
		if partly == 0 {
			t.Errorf("%s: the send buffer should have been full at some time; the range is too short for this test", network)
		}
		h.socket.Close()
	}
}

func TestSendFileThatIsTooShort(t *testing.T) {
	file, content := fileOf(t, 100)
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	n, err := h.socket.SendFile(int(file.Fd()), 40, 100)
	if n != 60 || err != io.ErrUnexpectedEOF {
		t.Errorf("a file that ends early gave %d, %v; it should be 60 bytes and io.ErrUnexpectedEOF", n, err)
	}
	if got, _ := looptest.Receive(t, peer); got != string(content[40:]) {
		t.Errorf("the peer read %d bytes; it should read what the file has", len(got))
	}
	if err := unix.Close(peer); err != nil {
		t.Fatal(err)
	}
	if _, err := h.socket.SendFile(int(file.Fd()), 0, 100); !errors.Is(err, unix.EPIPE) {
		t.Errorf("sending to a closed peer returned %v; it should wrap EPIPE", err)
	}
	h.socket.Close()
}

func TestTransfersAllocateNothing(t *testing.T) {
	l := looptest.New(t)
	h, peer := attachedPair(t, l)
	file, _ := fileOf(t, 100)
	descriptor := int(file.Fd())
	small, large := [][]byte{[]byte("a"), []byte("b")}, make([][]byte, 20)
	for i := range large {
		large[i] = []byte("c")
	}
	text, buffer, rest := []byte("text"), make([]byte, 64), make([]byte, 4096)
	l.Settle()
	for name, transfer := range map[string]func(){
		"Write":    func() { _, _ = h.socket.Write(text) },
		"Writev":   func() { _, _ = h.socket.Writev(small) },
		"Writev20": func() { _, _ = h.socket.Writev(large) },
		"SendFile": func() { _, _ = h.socket.SendFile(descriptor, 0, 100) },
		"Read": func() {
			_, _ = unix.Write(peer, text)
			l.Deliver(looptest.Event{FD: h.descriptor, Ready: loop.Readable})
			_, _ = h.socket.Read(buffer)
		},
	} {
		allocations := testing.AllocsPerRun(50, func() {
			transfer()
			_, _ = unix.Read(peer, rest)
		})
		if allocations != 0 {
			t.Errorf("%s allocates %v times; it should never", name, allocations)
		}
	}
	h.socket.Close()
}
