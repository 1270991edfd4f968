package loop

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// listenUnix listens on the first loop, since Unix sockets cannot share an address, and
// hands the connections round.
func listenUnix(path string, loops []*Loop, accept func(*Loop, int)) (*Listener, error) {
	if path == "" {
		return nil, errors.New("a Unix socket needs a path")
	}
	fd, err := bindUnix(path)
	if errors.Is(err, unix.EADDRINUSE) && removeStale(path) {
		fd, err = bindUnix(path)
	}
	if err != nil {
		return nil, err
	}
	next := 0
	handOver := func(fd int) {
		l := loops[next]
		next = (next + 1) % len(loops)
		if l == loops[0] {
			l.handOver(fd, accept)
			return
		}
		if err := l.Post(func() { l.handOver(fd, accept) }); err != nil {
			_ = unix.Close(fd) // that loop has stopped
		}
	}
	return &Listener{
		address:   &net.UnixAddr{Name: path, Net: "unix"},
		acceptors: []*acceptor{newAcceptor(loops[0], fd, handOver)},
		unlink:    unlinker(path),
	}, nil
}

func bindUnix(path string) (fd int, err error) {
	return listeningSocket(unix.AF_UNIX, func(fd int) error {
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
			return os.NewSyscallError("bind", err)
		}
		return nil
	})
}

// isAbstract reports whether the name is in Linux's abstract namespace, which has no
// files (unix(7)).
func isAbstract(path string) bool { return strings.HasPrefix(path, "@") }

// removeStale removes the socket file at path if nobody listens on it, and reports
// whether it did. Only a refused connection says so for certain.
func removeStale(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if unix.Connect(fd, &unix.SockaddrUnix{Name: path}) != unix.ECONNREFUSED {
		return false
	}
	return os.Remove(path) == nil
}

// unlinker returns what removes the file at path, unless by then another has taken its
// place: a new server may have begun to listen there while this one was ending.
func unlinker(path string) func() {
	if isAbstract(path) {
		return nil
	}
	ours, err := os.Lstat(path)
	if err != nil {
		return nil
	}
	return func() {
		if now, err := os.Lstat(path); err == nil && os.SameFile(ours, now) {
			_ = os.Remove(path)
		}
	}
}
