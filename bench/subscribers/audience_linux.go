package main

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/penstock-go/penstock/bench/internal/socket"
	"golang.org/x/sys/unix"
)

const (
	request   = "GET /events?only=messages HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
	batchSize = 256 // connections on their way at once, well below any backlog
	// How long, unless a test says otherwise, nothing at all may happen that is waited for.
	defaultPatience = 30 * time.Second
	// What a stalled subscriber's connection holds is kept small at both ends, so that it is
	// full soon: the receive buffer directly, the server's send buffer, which Linux sizes
	// after the segments, by the largest segment that the subscriber says it takes.
	stalledReceiveBuffer = 2 << 10
	stalledSegment       = 536
)

// An audience is all the connections to one server: subscribers that read, subscribers that do
// not, and a publisher. One goroutine uses it.
//
// Rules:
//  1. A descriptor is registered once, edge-triggered, for everything: an event is an
//     occasion to go on until the socket says EAGAIN or gives less than was asked for.
//  2. A descriptor is closed only while its own event is handled, so that no event of the
//     same batch is meant for a connection that had its number before.
//  3. A reading subscriber whose connection ends is an error. A stalled one is opened anew,
//     but only if it had got an answer: a server that refuses it is an error, too.
type audience struct {
	server       netip.AddrPort
	epoll        int
	byDescriptor map[int]*subscriber
	publisher    publisher
	publications
	opening  int // subscribers without an answer
	readers  int // subscribers that read
	reopened int64
	bytes    int64 // that subscribers have read
	buffer   []byte
	events   []unix.EpollEvent
	// patience is how long nothing at all may happen that is waited for.
	patience time.Duration
}

type subscriber struct {
	fd       int
	stalled  bool // never reads
	asked    bool // the request was sent
	answered bool
	previous int64 // number of the last event it got
	stream   stream
}

// newAudience connects to the server and returns when every subscriber has its answer. close
// must be called, after an error, too.
func newAudience(server netip.AddrPort, readers, stalled, messageSize int) (*audience, error) {
	a := &audience{
		server:       server,
		readers:      readers,
		byDescriptor: map[int]*subscriber{},
		publications: publications{size: messageSize, outstanding: map[int64]*publication{}},
		buffer:       make([]byte, 64<<10),
		events:       make([]unix.EpollEvent, 512),
		patience:     defaultPatience,
	}
	var err error
	if a.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return a, fmt.Errorf("no epoll: %w", err)
	}
	if a.publisher.fd, err = a.connect(nil); err != nil {
		return a, err
	}
	return a, a.openAll(readers+stalled, stalled)
}

// openAll spreads the stalled subscribers evenly among all.
func (a *audience) openAll(count, stalled int) error {
	opened := 0
	for opened < count || a.opening > 0 || !a.publisher.usable {
		for opened < count && a.opening < batchSize {
			if err := a.open(opened*stalled/count != (opened+1)*stalled/count); err != nil {
				return fmt.Errorf("subscriber %d of %d: %w", opened+1, count, err)
			}
			opened++
		}
		ready, err := a.wait(a.patience)
		if err != nil {
			return fmt.Errorf("among the first %d of %d subscribers: %w", opened, count, err)
		}
		if ready == 0 {
			return fmt.Errorf("%d subscribers got no answer within %v", a.opening, a.patience)
		}
	}
	return nil
}

// grow opens so many more subscribers that read, and returns when each has its answer.
func (a *audience) grow(more int) error {
	a.readers += more
	return a.openAll(more, 0)
}

func (a *audience) open(stalled bool) error {
	var prepare func(fd int) error
	if stalled {
		prepare = makeSmall
	}
	fd, err := a.connect(prepare)
	if err != nil {
		return err
	}
	a.byDescriptor[fd] = &subscriber{fd: fd, stalled: stalled}
	a.opening++
	return nil
}

func makeSmall(fd int) error {
	return errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, stalledReceiveBuffer),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, stalledSegment))
}

func (a *audience) connect(prepare func(fd int) error) (int, error) {
	fd, err := socket.Connect(a.server, prepare)
	if err != nil {
		return 0, err
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(fd)}
	if err := unix.EpollCtl(a.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		unix.Close(fd)
		return 0, fmt.Errorf("epoll does not take a connection: %w", err)
	}
	return fd, nil
}

// wait waits for events, for at most the time, and handles them. It returns how many there
// were: none when the time is over.
func (a *audience) wait(most time.Duration) (int, error) {
	n, err := a.pollUntil(time.Now().Add(most))
	if err != nil {
		return 0, fmt.Errorf("epoll_wait failed: %w", err)
	}
	for _, event := range a.events[:n] {
		fd := int(event.Fd)
		if fd == a.publisher.fd {
			err = a.publisher.ready(event.Events, a.buffer)
		} else {
			err = a.ready(a.byDescriptor[fd], event.Events)
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// pollUntil is epoll_wait to a point in time. Signals interrupt it, such as those by which Go's
// scheduler takes a processor back: then it goes on.
func (a *audience) pollUntil(end time.Time) (n int, err error) {
	for {
		n, err = unix.EpollWait(a.epoll, a.events, int(max(time.Until(end), 0)/time.Millisecond))
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// ready does what an event of epoll allows a subscriber to do.
func (a *audience) ready(s *subscriber, events uint32) error {
	if !s.asked && events&unix.EPOLLOUT != 0 {
		n, err := unix.Write(s.fd, []byte(request))
		if err != nil || n != len(request) {
			return fmt.Errorf("%d of %d bytes of a request were sent: %v", max(n, 0), len(request), err)
		}
		s.asked = true
	}
	switch {
	case events&^unix.EPOLLOUT == 0:
		return nil
	case s.stalled:
		return a.readyStalled(s, events)
	default:
		return a.read(s, events&unix.EPOLLRDHUP != 0)
	}
}

func (a *audience) readyStalled(s *subscriber, events uint32) error {
	if !s.answered && events&unix.EPOLLIN != 0 {
		s.answered = true
		a.opening--
	}
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) == 0 {
		return nil
	}
	if !s.answered {
		return errors.New("the server has closed the connection of a stalled subscriber before it answered")
	}
	a.forget(s)
	a.reopened++
	return a.open(true)
}

// read reads until the socket is drained, which a short read shows, or to the end of a
// connection that the server has closed.
func (a *audience) read(s *subscriber, closed bool) error {
	for {
		n, err := unix.Read(s.fd, a.buffer)
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil || n == 0 {
			return fmt.Errorf("the server has closed the connection of a subscriber that had got %d events (%v)", s.previous, err)
		}
		a.bytes += int64(n)
		now := time.Now()
		err = s.stream.feed(a.buffer[:n], func(data []byte) error { return a.deliver(&s.previous, data, now) })
		if err != nil {
			return err
		}
		if !s.answered && s.stream.answered() {
			s.answered = true
			a.opening--
		}
		if n < len(a.buffer) && !closed {
			return nil
		}
	}
}

func (a *audience) forget(s *subscriber) {
	delete(a.byDescriptor, s.fd)
	unix.Close(s.fd)
}

func (a *audience) close() {
	for _, s := range a.byDescriptor {
		a.forget(s)
	}
	for _, fd := range []int{a.publisher.fd, a.epoll} {
		if fd > 0 {
			unix.Close(fd)
		}
	}
}
