package server

import (
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
)

// NewOn is New on a loop that the caller has made, in place of [Options.Loops] new ones.
// It is for tests that turn the loop by hand (package servertest), and for a program whose
// loop does other things too. wallClock tells the time for the Date field.
//
// Serve runs the loop and Shutdown stops it, as with New. Whoever runs it otherwise does
// not call Serve; Shutdown, called when the loop is not running, then runs it once more to
// its end.
func NewOn(l *loop.Loop, wallClock func() time.Time, h Handler, o Options) (*Server, error) {
	if l == nil || wallClock == nil {
		return nil, errors.New("server: NewOn needs a loop and a clock, not nil")
	}
	return newServer(loop.GroupOf(l), wallClock, h, o)
}

// Adopt takes over a connection that somebody else has accepted: fd is a connected,
// non-blocking stream socket, and is the server's from then on. l is one of the server's
// loops, and Adopt is called on its goroutine: it fits [loop.Listen].
func (s *Server) Adopt(l *loop.Loop, fd int) {
	local := s.locals[l]
	if s.connections.Add(1) > int64(s.options.MaxConnections) {
		s.connections.Add(-1)
		refuseConnection(fd)
		if hook := s.options.Hooks.Closed; hook != nil {
			hook(ReasonOverload)
		}
		return
	}
	c, err := newConn(local, fd)
	if err != nil {
		s.connections.Add(-1)
		unix.Close(fd)
		s.options.Logger.Error("a connection could not be registered", "error", err)
		return
	}
	if hook := s.options.Hooks.Opened; hook != nil {
		hook(c.core.link.RemoteAddr())
	}
	if local.draining {
		c.close(ReasonShutdown)
	}
}

// refuseConnection answers a connection over the limit, as well as can be done
// without serving it.
func refuseConnection(fd int) {
	const body = "There are too many connections.\n"
	const answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n" +
		"Content-Type: text/plain; charset=utf-8\r\nContent-Length: "
	// What the client does not get of it, it does without.
	_, _ = unix.Write(fd, []byte(answer+strconv.Itoa(len(body))+"\r\n\r\n"+body))
	_ = unix.Shutdown(fd, unix.SHUT_WR)
	// A request that has come already is taken, since closing on it would send a
	// reset after the answer, and the client might lose that.
	var request [4 << 10]byte
	_, _ = unix.Read(fd, request[:])
	_ = unix.Close(fd)
}
