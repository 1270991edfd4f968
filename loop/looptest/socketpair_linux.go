package looptest

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Socketpair makes two connected stream sockets, both non-blocking. The first is for the
// loop: it belongs to the Socket it is attached to. The second is the test's end, and is
// closed when the test ends, before the loop is looked at: connections that close when
// their peer has gone need not be closed by the test.
func Socketpair(t testing.TB) (fd, peer int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("a pair of sockets could not be made: %v", err)
	}
	CloseLater(t, pair[1])
	return pair[0], pair[1]
}

// CloseLater closes fd when the test ends, unless it was closed before: then its number
// may belong to something else, which is left alone.
func CloseLater(t testing.TB, fd int) {
	t.Helper()
	var ours unix.Stat_t
	if err := unix.Fstat(fd, &ours); err != nil {
		t.Fatalf("descriptor %d could not be looked at: %v", fd, err)
	}
	t.Cleanup(func() {
		var now unix.Stat_t
		if unix.Fstat(fd, &now) == nil && now.Dev == ours.Dev && now.Ino == ours.Ino {
			_ = unix.Close(fd)
		}
	})
}

// Send writes all of s to the test's end of a connection.
func Send(t testing.TB, fd int, s string) {
	t.Helper()
	n, err := unix.Write(fd, []byte(s))
	if err != nil || n != len(s) {
		t.Fatalf("sending %d bytes to descriptor %d: %d were taken, error %v", len(s), fd, n, err)
	}
}

// Receive reads what has arrived at the test's end of a connection by now. ended reports
// that the other side has sent FIN, or a reset, behind that.
func Receive(t testing.TB, fd int) (got string, ended bool) {
	t.Helper()
	buffer := make([]byte, 16<<10)
	var all []byte
	for {
		n, err := unix.Read(fd, buffer)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return string(all), false
		case err == unix.ECONNRESET || err == nil && n == 0:
			return string(all), true
		case err != nil:
			t.Fatalf("reading from descriptor %d: %v", fd, err)
		default:
			all = append(all, buffer[:n]...)
		}
	}
}
