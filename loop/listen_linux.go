package loop

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// backlog asks for as long an accept queue as the kernel grants: it takes the smaller of
// this and net.core.somaxconn (listen(2)).
const backlog = 65535

// A Listener accepts connections on loops.
type Listener struct {
	address   net.Addr
	acceptors []*acceptor
	unlink    func() // removes a Unix socket's file; nil when there is none
	closed    atomic.Bool
}

// Listen listens on the network "tcp", "tcp4", "tcp6" or "unix" and calls accept with
// each connection, on the loop that it was given to. accept owns fd, which is
// non-blocking and close-on-exec and, for TCP, has TCP_NODELAY set; usually it attaches
// it to l. Addresses are those of net.Listen: host:port, where no host means every IPv6
// and IPv4 address and port 0 means a free one, or the path of a socket's file. Any
// goroutine; the loops may be running, or start later.
//
// TCP connections are spread by the kernel: each loop has a listening socket of its own
// (SO_REUSEPORT). Connections to a Unix socket are handed to the loops in turn. Another
// listener at the same address fails with an error that wraps unix.EADDRINUSE. The file
// of a Unix socket that nobody listens on any more is replaced.
//
// When the process runs out of descriptors or the kernel of memory, that is logged once,
// and accepting goes on when there are some again. Connections wait in the queue.
func Listen(network, address string, loops []*Loop, accept func(l *Loop, fd int)) (*Listener, error) {
	if len(loops) == 0 {
		return nil, fmt.Errorf("loop: listening on %s needs at least one loop", address)
	}
	var ln *Listener
	var err error
	switch network {
	case "tcp", "tcp4", "tcp6":
		ln, err = listenTCP(network, address, loops, accept)
	case "unix":
		ln, err = listenUnix(address, loops, accept)
	default:
		err = errors.New(`the network must be "tcp", "tcp4", "tcp6" or "unix"`)
	}
	if err != nil {
		return nil, fmt.Errorf("loop: cannot listen on %s %s: %w", network, address, err)
	}
	for _, a := range ln.acceptors {
		if err := a.loop.Post(a.start); err != nil {
			ln.Close()
			return nil, fmt.Errorf("loop: cannot listen on %s %s: %w", network, address, err)
		}
	}
	return ln, nil
}

// Addr is the address that is listened on, with the port that was chosen for port 0: a
// *net.TCPAddr or a *net.UnixAddr.
func (ln *Listener) Addr() net.Addr { return ln.address }

// Close ends the listening. Connections that the kernel has accepted already, and that
// would be reset, are handed over first. It removes a Unix socket's file, and waits until
// every loop has let go of its socket, so that the address is free afterwards: for a
// loop that has not begun to listen, or has ended, there is nothing to wait for. Any
// goroutine but those of the loops, which would wait for themselves: there, say
// go ln.Close(). Closing again only waits.
func (ln *Listener) Close() {
	if !ln.closed.Swap(true) {
		ln.beginClose()
	}
	for _, a := range ln.acceptors {
		a.wait()
	}
}

func (ln *Listener) beginClose() {
	if ln.unlink != nil {
		ln.unlink()
	}
	for _, a := range ln.acceptors {
		a.beginClose()
	}
}

// listeningSocket makes a socket that is bound as bind says. Whoever gets it owns it.
func listeningSocket(family int, bind func(fd int) error) (fd int, err error) {
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err = bind(fd); err == nil {
		err = os.NewSyscallError("listen", unix.Listen(fd, backlog))
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
