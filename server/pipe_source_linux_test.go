package server_test

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// relay is a body of left bytes that come from a socket, which can be moved from there.
type relay struct {
	socket loop.Socket
	left   int64
	copied bool // never pipeable
	stays  bool // Close leaves the socket open
	waker  pipeline.Waker
	buffer *loop.ReadBuffer
	begin  []byte // is polled before what comes from the socket

	polls, moves int // that gave something
	pieces       int64
	closes       int
	lie          int64 // is added to what PollPipe returns
	panics       bool  // in PollPipe
}

func (s *relay) SocketEvent(loop.Readiness) {
	if w := s.waker; w != nil {
		s.waker = nil
		w.Wake()
	}
}

func (s *relay) Pipeable() bool { return !s.copied && len(s.begin) == 0 }

func (s *relay) Poll(w pipeline.Waker) ([]byte, error) {
	if begin := s.begin; len(begin) > 0 {
		s.begin, s.left = nil, s.left-int64(len(begin))
		return begin, nil
	}
	if s.buffer == nil {
		s.buffer = new(loop.ReadBuffer)
	}
	room := s.buffer.Bytes[:min(int64(len(s.buffer.Bytes)), s.left)]
	n, err := s.took(w, int64(len(room)), func() (int, error) { return s.socket.Read(room) })
	if n > 0 {
		s.polls++
	}
	return room[:n], err
}

func (s *relay) PollPipe(w pipeline.Waker, p *loop.Pipe, limit int64) (int64, error) {
	n, err := s.took(w, min(limit, s.left), func() (int, error) { return s.socket.SpliceIn(p, int(min(limit, s.left))) })
	if s.panics {
		panic("as the test wants it")
	}
	if n > 0 {
		s.moves++
		s.pieces += n
	}
	return n + s.lie, err
}

// took does take, unless all is taken.
func (s *relay) took(w pipeline.Waker, wanted int64, take func() (int, error)) (int64, error) {
	if wanted == 0 {
		return 0, io.EOF
	}
	s.waker = nil
	n, err := take()
	switch {
	case err == loop.ErrAgain:
		s.waker = w
		return 0, pipeline.ErrPending
	case err == io.EOF:
		return 0, io.ErrUnexpectedEOF
	}
	s.left -= int64(n)
	return int64(n), err
}

func (s *relay) Close() {
	s.closes++
	s.waker = nil
	if !s.stays {
		s.socket.Close()
	}
}

// upstreamOf is the address of a server that sends size bytes for each byte that it gets.
func upstreamOf(t testing.TB, size int64) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	block := make([]byte, min(size, 256<<10))
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for _, err := c.Read(block[:1]); err == nil; _, err = c.Read(block[:1]) {
					for sent := int64(0); sent < size && err == nil; sent += int64(len(block)) {
						_, err = c.Write(block)
					}
				}
			}()
		}
	}()
	return ln.Addr().(*net.TCPAddr).AddrPort()
}

// skipAnswer reads a head and size bytes behind it.
func skipAnswer(t testing.TB, c net.Conn, size int64) {
	t.Helper()
	buffer := make([]byte, 256<<10)
	n, err := c.Read(buffer)
	_, body, whole := strings.Cut(string(buffer[:n]), "\r\n\r\n")
	if err != nil || !whole {
		t.Fatalf("the answer should begin with a head; it is %q, error %v", buffer[:n], err)
	}
	for got := int64(len(body)); got < size; got += int64(n) {
		if n, err = c.Read(buffer); err != nil {
			t.Fatalf("after %d of %d bytes the answer ends: %v", got, size, err)
		}
	}
}
