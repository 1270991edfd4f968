package loop

import (
	"fmt"
	"math"
	"slices"

	"golang.org/x/sys/unix"
)

// Theory.
//
// A socket is registered once, edge-triggered, for everything. An edge is told once, so
// what it said has to be remembered: that is the cached readiness in state. The rules:
//
//   - An event adds to it, before the handler is called.
//   - A read that finds nothing, or less than it asked for, takes Readable away: the
//     socket is drained and the kernel will report an edge when more comes. What comes
//     between the read and that moment is an edge too, reported later. While Readable is
//     away, Read makes no system call.
//   - A short read proves nothing once the end, an error or urgent data was reported:
//     they stand behind the bytes that were read, and their edge has been used up. So
//     then only EAGAIN takes Readable away.
//   - A write that takes less than it was given takes Writable away. The kernel has
//     noted that somebody is waiting for room and will report an edge.
//   - HalfClosed, Broken and Urgent stay.
//
// Whoever stops before the socket is drained, to be fair to others, must come back by
// itself, through a Task: no edge will come for what is left.

// A SocketHandler is called on the loop's goroutine for each event of its socket, with
// what the event reported, after the socket has taken note of it. An event may say
// nothing new, and the first one usually says that the socket is Writable.
type SocketHandler interface{ SocketEvent(r Readiness) }

// A Socket is a non-blocking stream socket on a loop, embedded by its owner: one that was
// accepted and attached, or one that it connected itself. The zero Socket is closed and
// ready for Attach, ConnectTCP and ConnectUnix; so is one that was closed. All its methods
// belong to the loop's goroutine.
type Socket struct {
	loop    *Loop
	handler SocketHandler
	fd      int32
	state   Readiness
	open    bool

	// connecting is what connect(2) has said: 0 when the socket is connected, EINPROGRESS
	// while it is on its way, else why it failed. It fills what would be padding.
	connecting uint16
}

// Attach gives the descriptor fd, a connected, non-blocking stream socket, to l, and from
// then on h is told of its events. On success the Socket owns fd. On failure fd is as it
// was and still the caller's; the error is ErrStopped when the loop has ended.
func (s *Socket) Attach(l *Loop, fd int, h SocketHandler) error {
	switch {
	case s.open:
		return fmt.Errorf("loop: a Socket that holds descriptor %d cannot be attached to descriptor %d: close it first", s.fd, fd)
	case fd < 0 || fd > math.MaxInt32:
		return fmt.Errorf("loop: %d is not a descriptor", fd)
	case l.ended:
		return ErrStopped
	case fd < len(l.sockets) && l.sockets[fd] != nil:
		return fmt.Errorf("loop: descriptor %d is attached to this loop already", fd)
	}
	if err := l.poller.Add(fd); err != nil {
		return fmt.Errorf("loop: descriptor %d could not be attached: %w", fd, err)
	}
	for fd >= len(l.sockets) {
		// Doubled: growing by less leaves several times its size behind as garbage.
		l.sockets = slices.Grow(l.sockets, max(len(l.sockets), 64))
		l.sockets = l.sockets[:cap(l.sockets)]
	}
	l.sockets[fd] = s
	l.attached++
	// A new connection has room to write, and trying shows if not. Whether there is
	// something to read is reported as its first event.
	*s = Socket{loop: l, handler: h, fd: int32(fd), state: Writable, open: true}
	return nil
}

// SetHandler has h told of the socket's events from now on, in place of who was told before.
func (s *Socket) SetHandler(h SocketHandler) { s.handler = h }

// Readable reports whether reading may help: it is false when the socket is known to be
// drained, and when it is closed.
func (s *Socket) Readable() bool { return s.open && s.state&Readable != 0 }

// Writable reports whether writing may help: it is false when the send buffer is known
// to be full, and when the socket is closed.
func (s *Socket) Writable() bool { return s.open && s.state&Writable != 0 }

// PeerClosed reports whether the peer has ended its side, by FIN or by a reset, or the
// connection is broken. Bytes that came before a FIN may still be there to be read.
func (s *Socket) PeerClosed() bool { return s.state&(HalfClosed|Broken) != 0 }

// Closed reports whether the socket is closed or was never attached.
func (s *Socket) Closed() bool { return !s.open }

// Loop is the loop that the socket is, or was last, attached to.
func (s *Socket) Loop() *Loop { return s.loop }

// CloseWrite sends FIN behind what was written (RFC 9293 section 3.6): the peer reads
// the end of the stream, and reading from it stays possible.
func (s *Socket) CloseWrite() error {
	if !s.open {
		return ErrClosed
	}
	if err := unix.Shutdown(int(s.fd), unix.SHUT_WR); err != nil {
		return s.failed("shut down writing to", err)
	}
	return nil
}

// Close gives the socket up: no event reaches the handler any more, and every operation
// returns ErrClosed. The descriptor is closed behind the current batch of events, so
// that its number is not given to another connection before that. What was written is
// still sent, unless there was something left to read: then the kernel sends a reset.
// Closing a closed socket does nothing.
func (s *Socket) Close() {
	if !s.open {
		return
	}
	s.open = false
	l := s.loop
	l.sockets[s.fd] = nil
	l.attached--
	l.closing = append(l.closing, int(s.fd))
	if len(l.closing) > 1 {
		return
	}
	if err := l.poller.AfterBatch(); err != nil {
		l.logger.Error("loop: closed descriptors could not be queued for the end of the batch", "error", err)
	}
}

// Detach gives the socket up without ending the connection: it returns a descriptor of it that
// is the caller's, not known to the loop, and does not block. The one that the loop had is
// closed as Close does it. On an error the socket is as it was.
func (s *Socket) Detach() (fd int, err error) {
	if !s.open {
		return -1, ErrClosed
	}
	fd, err = unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, s.failed("make a second descriptor of", err)
	}
	s.Close()
	return fd, nil
}

// Reset is Close, but what was not sent yet is thrown away and a TCP peer gets RST
// (RFC 9293 section 3.10.5) instead of FIN.
func (s *Socket) Reset() {
	if !s.open {
		return
	}
	linger := unix.Linger{Onoff: 1, Linger: 0}
	if err := unix.SetsockoptLinger(int(s.fd), unix.SOL_SOCKET, unix.SO_LINGER, &linger); err != nil {
		s.loop.logger.Warn("loop: a connection is closed in order, since it could not be reset", "error", err)
	}
	s.Close()
}

// Unacknowledged is the number of bytes that were written and that the peer's kernel has
// not acknowledged. When it has not become less for a while, the peer is not reading.
func (s *Socket) Unacknowledged() (int, error) {
	if !s.open {
		return 0, ErrClosed
	}
	n, err := unix.IoctlGetInt(int(s.fd), unix.SIOCOUTQ)
	if err != nil {
		return 0, s.failed("read the length of the send queue of", err)
	}
	return n, nil
}

// failed makes a sentence of a system call's error, which errors.Is still finds in it.
func (s *Socket) failed(what string, err error) error {
	return fmt.Errorf("loop: could not %s socket %d: %w", what, s.fd, err)
}

// closeDescriptors closes what was closed during the batch. Each descriptor is taken out
// of epoll first: closing alone does not do that while a child process that is being
// started still holds a copy.
func (l *Loop) closeDescriptors() {
	for i, fd := range l.closing {
		if err := l.poller.Remove(fd); err != nil {
			l.logger.Error("loop: a descriptor could not be taken out of the poller", "descriptor", fd, "error", err)
		}
		if err := unix.Close(fd); err != nil && err != unix.EINTR {
			l.logger.Error("loop: a descriptor could not be closed", "descriptor", fd, "error", err)
		}
		l.closing[i] = -1
	}
	l.closing = l.closing[:0]
	for _, waiter := range l.closeWaiters {
		close(waiter)
	}
	l.closeWaiters = nil
}
