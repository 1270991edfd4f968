package loop

import "golang.org/x/sys/unix"

// Readiness is a set of facts that the kernel reported about a socket.
type Readiness uint8

const (
	// Readable: bytes, or the end of the stream, can be read (EPOLLIN).
	Readable Readiness = 1 << iota
	// Writable: the send buffer has room (EPOLLOUT).
	Writable
	// HalfClosed: the peer has sent FIN and sends no more (EPOLLRDHUP). What came
	// before it can still be read.
	HalfClosed
	// Broken: the connection was reset, or both directions have ended (EPOLLERR,
	// EPOLLHUP). The next read or write says why.
	Broken
	// Urgent: the peer has sent urgent data (EPOLLPRI; RFC 9293 section 3.8.5). A read
	// stops at its mark, so from then on a short read says nothing about what is left.
	Urgent
)

// settled are the bits after which a read shorter than its buffer does not mean that
// the socket is drained: the end, an error or bytes behind an urgent mark may be
// waiting right behind it, and no further edge announces them.
const settled = HalfClosed | Broken | Urgent

// implied adds what a report means for reading and writing: the end of the stream and
// errors are found out by trying.
func (r Readiness) implied() Readiness {
	if r&(HalfClosed|Urgent) != 0 {
		r |= Readable
	}
	if r&Broken != 0 {
		r |= Readable | Writable
	}
	return r
}

// ReadinessOf says what a set of bits from epoll_wait(2) means. It is for pollers.
func ReadinessOf(events uint32) Readiness {
	var r Readiness
	if events&unix.EPOLLIN != 0 {
		r |= Readable
	}
	if events&unix.EPOLLOUT != 0 {
		r |= Writable
	}
	if events&unix.EPOLLRDHUP != 0 {
		r |= HalfClosed
	}
	if events&(unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		r |= Broken
	}
	if events&unix.EPOLLPRI != 0 {
		r |= Urgent
	}
	return r
}
