package main

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/penstock-go/penstock/bench/internal/socket"
	"golang.org/x/sys/unix"
)

const (
	request     = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	statusLine  = "HTTP/1.1 200"
	batchSize   = 256 // connections on their way at once, well below any backlog
	pollTimeout = 10_000
)

// heldConnections are the descriptors of non-blocking sockets.
type heldConnections []int

// hold opens the connections, batch after batch, and returns when all have their answer. On
// an error it returns those that are open all the same.
func hold(server netip.AddrPort, count, answerLength int) (heldConnections, error) {
	var held heldConnections
	for len(held) < count {
		batch := min(batchSize, count-len(held))
		exchanges := make([]exchange, 0, batch)
		for range batch {
			fd, err := socket.Connect(server, nil)
			if err != nil {
				return held, fmt.Errorf("connection %d of %d: %w", len(held)+1, count, err)
			}
			held = append(held, fd)
			exchanges = append(exchanges, exchange{fd: fd})
		}
		if err := finish(exchanges, answerLength); err != nil {
			return held, fmt.Errorf("among the first %d of %d connections: %w", len(held), count, err)
		}
	}
	return held, nil
}

// An exchange is one request and its answer on a connection that may still be connecting.
type exchange struct {
	fd       int
	sent     bool
	received int // bytes of the answer
}

// finish brings every exchange to its end.
func finish(exchanges []exchange, answerLength int) error {
	buffer := make([]byte, 16<<10)
	waiting := make([]unix.PollFd, 0, len(exchanges))
	for {
		waiting = waiting[:0]
		for i := range exchanges {
			if e := &exchanges[i]; e.received < answerLength {
				waiting = append(waiting, unix.PollFd{Fd: int32(e.fd), Events: e.waitsFor()})
			}
		}
		if len(waiting) == 0 {
			return nil
		}
		ready, err := poll(waiting, pollTimeout)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("poll failed: %w", err)
		}
		if err == nil && ready == 0 {
			return fmt.Errorf("%d connections got no answer within %d ms", len(waiting), pollTimeout)
		}
		for i := range exchanges {
			if e := &exchanges[i]; e.received < answerLength {
				if err := e.advance(buffer, answerLength); err != nil {
					return err
				}
			}
		}
	}
}

func (e *exchange) waitsFor() int16 {
	if e.sent {
		return unix.POLLIN
	}
	return unix.POLLOUT
}

// advance does what the connection can do now, which may be nothing.
func (e *exchange) advance(buffer []byte, answerLength int) error {
	if !e.sent {
		n, err := unix.Write(e.fd, []byte(request))
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOTCONN) {
			return nil // still connecting
		}
		if err != nil || n != len(request) {
			return fmt.Errorf("%d of %d bytes of the request were sent: %v", max(n, 0), len(request), err)
		}
		e.sent = true
		return nil
	}
	n, err := unix.Read(e.fd, buffer)
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("the server closed the connection after %d of %d bytes", e.received, answerLength)
	}
	if begin := buffer[:min(n, len(statusLine))]; e.received == 0 && string(begin) != statusLine[:len(begin)] {
		return fmt.Errorf("the answer begins with %q, expected %q", begin, statusLine)
	}
	e.received += n
	if e.received > answerLength {
		return fmt.Errorf("the answer has at least %d bytes, expected %d", e.received, answerLength)
	}
	return nil
}

// countOpen returns how many connections the server has neither closed nor sent anything on.
func (held heldConnections) countOpen() (int, error) {
	polled := make([]unix.PollFd, len(held))
	for i, fd := range held {
		polled[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN | unix.POLLRDHUP}
	}
	ready, err := poll(polled, 0)
	if err != nil {
		return 0, fmt.Errorf("poll failed: %w", err)
	}
	return len(held) - ready, nil
}

func (held heldConnections) closeAll() {
	for _, fd := range held {
		unix.Close(fd)
	}
}

// poll is poll(2), begun anew when a signal interrupts it.
func poll(descriptors []unix.PollFd, milliseconds int) (int, error) {
	for {
		ready, err := unix.Poll(descriptors, milliseconds)
		if err != unix.EINTR {
			return ready, err
		}
	}
}
