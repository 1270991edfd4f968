package main

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// A publisher is the connection on which events are posted, one at a time.
type publisher struct {
	fd       int
	usable   bool // connected
	busy     bool // a POST is not answered yet
	answered bool // its status line has been read
	head     lineBuffer
}

// post sends the message. The publisher must be usable and not busy.
func (p *publisher) post(message []byte) error {
	request := fmt.Appendf(nil, "POST /publish HTTP/1.1\r\nHost: localhost\r\n"+
		"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s", len(message), message)
	n, err := unix.Write(p.fd, request)
	if err != nil || n != len(request) {
		return fmt.Errorf("%d of %d bytes of a POST were sent: %v", max(n, 0), len(request), err)
	}
	p.busy, p.answered = true, false
	return nil
}

// ready does what an event of epoll allows: it reads the answer, which is a head alone.
func (p *publisher) ready(events uint32, buffer []byte) error {
	if events&unix.EPOLLOUT != 0 {
		p.usable = true
	}
	if events&^unix.EPOLLOUT == 0 {
		return nil
	}
	for {
		n, err := unix.Read(p.fd, buffer)
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil || n == 0 {
			return fmt.Errorf("the server has closed the connection that publishes (%v)", err)
		}
		if err := p.readAnswer(buffer[:n]); err != nil {
			return err
		}
	}
}

func (p *publisher) readAnswer(input []byte) error {
	for len(input) > 0 {
		line, rest, complete := p.head.take(input)
		if !complete {
			return p.head.check()
		}
		input = rest
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case !p.busy:
			return fmt.Errorf("the server sends %q where nothing was asked for", line)
		case !p.answered && !bytes.HasPrefix(line, []byte("HTTP/1.1 204 ")):
			return fmt.Errorf("the answer to a POST begins with %q, expected HTTP/1.1 204", line)
		case !p.answered:
			p.answered = true
		case len(line) == 0:
			p.busy = false
		}
	}
	return nil
}
