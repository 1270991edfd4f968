package loop

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Connecting.
//
// A socket is registered behind connect(2) and not before: a TCP socket that does not
// connect yet is reported as broken, and that event could not be told from a failure.
// While the connection is on its way, nothing is true of the socket, so Read and Write
// make no system call. The kernel reports the end of it, good or bad, as an edge; what was
// decided before the socket was registered is its first event.

// ConnectTCP begins a TCP connection to the given address, without waiting for it, and from
// then on h is told of the socket's events. The first of them that finds Connected to be
// anything but ErrAgain is the end of connecting; it comes in every case, but its time is
// up to the kernel: whoever does not want to wait for minutes sets a Timer and closes the
// socket. Until then Read and Write return ErrAgain. The socket has TCP_NODELAY.
//
// An error means that nothing was begun: the Socket stays closed and h is not called. It
// wraps the unix.Errno, such as EMFILE when the process has no descriptor left, or
// ENETUNREACH, or is ErrStopped when the loop has ended. An IPv4 address in IPv6 form
// (RFC 4291 section 2.5.5.2) is an IPv4 address; a zone (RFC 4007) must be an interface.
func (s *Socket) ConnectTCP(l *Loop, to netip.AddrPort, h SocketHandler) error {
	if !to.IsValid() {
		return errors.New("loop: there is no address to connect to")
	}
	address := to.Addr().Unmap()
	if address.Is4() {
		return s.connectNew(l, unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: address.As4()}, to.String(), h)
	}
	zone := zoneIndex(address.Zone())
	if zone == 0 && address.Zone() != "" {
		return fmt.Errorf("loop: could not connect to %s: there is no network interface %q: %w", to, address.Zone(), unix.ENODEV)
	}
	return s.connectNew(l, unix.AF_INET6, &unix.SockaddrInet6{Port: int(to.Port()), Addr: address.As16(), ZoneId: zone}, to.String(), h)
}

// ConnectUnix is ConnectTCP for the Unix stream socket (unix(7)) at path; one that begins
// with @ is in Linux's abstract namespace. Such a connection is made or refused at once:
// when no error is returned the socket is connected, and its first event is still to come.
// The error wraps EAGAIN when the listener's queue is full. The kernel tells nobody when
// there is room in it again, so whoever wants to wait tries again on a Timer.
func (s *Socket) ConnectUnix(l *Loop, path string, h SocketHandler) error {
	if path == "" {
		return errors.New("loop: there is no path of a Unix socket to connect to")
	}
	return s.connectNew(l, unix.AF_UNIX, &unix.SockaddrUnix{Name: path}, path, h)
}

// Connected says how connecting has ended: nil when the socket is connected, which one
// that was attached always is; ErrAgain while it is on its way; ErrClosed on a closed
// socket; else an error that wraps the unix.Errno, such as ECONNREFUSED or ETIMEDOUT. That
// error stays the same, and Read and Write return it as well. The socket is then still to
// be closed.
func (s *Socket) Connected() error {
	switch errno := unix.Errno(s.connecting); {
	case !s.open:
		return ErrClosed
	case errno == 0:
		return nil
	case errno == unix.EINPROGRESS:
		return ErrAgain
	default:
		return s.failed("connect", errno)
	}
}

// connectNew connects a new socket. name is the address for people.
func (s *Socket) connectNew(l *Loop, family int, to unix.Sockaddr, name string, h SocketHandler) error {
	switch {
	case l.ended:
		return ErrStopped
	case s.open:
		return fmt.Errorf("loop: a Socket that holds descriptor %d cannot be connected to %s: close it first", s.fd, name)
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loop: a socket to connect to %s could not be made: %w", name, err)
	}
	if family != unix.AF_UNIX {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = s.connect(l, fd, to, h)
	}
	if err == nil {
		return nil
	}
	_ = unix.Close(fd)
	if err == unix.EAGAIN && family == unix.AF_UNIX {
		return fmt.Errorf("loop: could not connect to %s: the queue of who listens there is full: %w", name, err)
	}
	return fmt.Errorf("loop: could not connect to %s: %w", name, err)
}

// connect connects the socket fd, which on an error is still the caller's.
func (s *Socket) connect(l *Loop, fd int, to unix.Sockaddr, h SocketHandler) error {
	err := unix.Connect(fd, to)
	underway := err == unix.EINPROGRESS || err == unix.EINTR // interrupted, it goes on by itself
	if err != nil && !underway {
		return err
	}
	if err := s.Attach(l, fd, h); err != nil {
		return err
	}
	if underway {
		s.state, s.connecting = 0, uint16(unix.EINPROGRESS)
	}
	return nil
}

// connectEvent takes note of an event of a socket that was not connected before it.
func (s *Socket) connectEvent(r Readiness) {
	if unix.Errno(s.connecting) == unix.EINPROGRESS && r&(Writable|Broken) != 0 {
		s.connecting = uint16(s.connectResult(r))
	}
	if s.connecting == 0 {
		s.state |= r.implied()
	} else {
		s.state |= r & Broken // and not what it implies: Read and Write say what Connected says
	}
}

// connectResult asks the kernel how connecting has ended.
func (s *Socket) connectResult(r Readiness) unix.Errno {
	failure, err := unix.GetsockoptInt(int(s.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return errnoOf(err)
	}
	if failure != 0 {
		return unix.Errno(failure)
	}
	peer, err := unix.Getpeername(int(s.fd))
	if err != nil {
		if r&Broken == 0 {
			return unix.EINPROGRESS // an event that says nothing
		}
		return errnoOf(err)
	}
	// A connection to a port of this machine where nobody listens can be given that same
	// port as its own, and is then connected to itself (RFC 9293 section 3.5, simultaneous
	// open). Nobody is there.
	if own, err := unix.Getsockname(int(s.fd)); err == nil && addrPortOf(own) == addrPortOf(peer) {
		return unix.ECONNREFUSED
	}
	return 0
}

// errnoOf is the number in a system call's error.
func errnoOf(err error) unix.Errno {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return unix.EIO
}
