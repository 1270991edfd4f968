package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// A Server answers requests on event loops. Its methods may be called from any
// goroutine.
type Server struct {
	options Options
	group   *loop.Group
	locals  map[*loop.Loop]*local // one for each loop, each owned by its loop

	connections atomic.Int64
	empty       chan struct{} // closed when there is no connection left while shutting down
	emptyOnce   sync.Once

	mutex     sync.Mutex
	listeners []*loop.Listener
	running   bool
	stopping  bool
	stopped   chan struct{} // closed when the loops have ended
}

// New makes a server that has h answer every request. It holds file descriptors:
// a server that is not wanted any more is shut down even if it never served.
func New(h Handler, o Options) (*Server, error) {
	if h == nil {
		return nil, errors.New("server: New needs a handler, not nil")
	}
	s := &Server{
		options: o.withDefaults(),
		locals:  make(map[*loop.Loop]*local),
		empty:   make(chan struct{}),
		stopped: make(chan struct{}),
	}
	var err error
	s.group, err = loop.NewGroup(s.options.Loops, loop.Options{Logger: s.options.Logger})
	if err != nil {
		return nil, fmt.Errorf("server: the event loops could not be made: %w", err)
	}
	for _, l := range s.group.Loops() {
		s.locals[l] = newLocal(l, h, &s.options, time.Now)
		s.locals[l].server = s
	}
	return s, nil
}

// Listen has the server accept connections on an address: "tcp", "tcp4" or
// "tcp6" with host:port, where port 0 takes a free one, or "unix" with a path. It
// returns the address that it listens on. It may be called more than once, before
// Serve or while it runs.
func (s *Server) Listen(network, address string) (net.Addr, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.stopping {
		return nil, ErrServerClosed
	}
	ln, err := loop.Listen(network, address, s.group.Loops(), s.accepted)
	if err != nil {
		return nil, fmt.Errorf("server: listening on %s %s failed: %w", network, address, err)
	}
	s.listeners = append(s.listeners, ln)
	return ln.Addr(), nil
}

// Serve runs the loops until the server is shut down, and then returns nil, also when
// that was before it began; any other end is an error. It can be called once: a second
// call returns ErrServerClosed.
func (s *Server) Serve() error {
	s.mutex.Lock()
	if s.running {
		s.mutex.Unlock()
		return ErrServerClosed
	}
	if s.stopping {
		s.mutex.Unlock()
		return nil
	}
	s.running = true
	s.mutex.Unlock()
	err := s.group.Run()
	close(s.stopped)
	return err
}

// Loops returns the server's loops: what [pipeline.Queue] and [pipeline.Topic] need outside of
// a handler, and how long a posted function waits on each is how far that loop lags behind.
func (s *Server) Loops() []pipeline.Poster {
	var posters []pipeline.Poster
	for _, l := range s.group.Loops() {
		posters = append(posters, l)
	}
	return posters
}

// Connections returns how many connections are open.
func (s *Server) Connections() int { return int(s.connections.Load()) }

// Shutdown ends the server. It stops listening, closes the connections that are
// idle, ends the streams that are open-ended (see [Response.OpenEnded]), and has every
// other connection closed when the exchange in hand is done, whose answer says
// Connection: close. When all are gone, or when ctx is done, it closes
// what is left, stops the loops and waits for Serve to return. It returns ctx's
// error if connections had to be cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mutex.Lock()
	listeners, first, running := s.listeners, !s.stopping, s.running
	s.stopping, s.listeners = true, nil
	s.mutex.Unlock()
	if !running {
		return s.discard(listeners, first)
	}
	for _, ln := range listeners {
		ln.Close()
	}
	s.onEveryLoop((*local).drain)
	if s.connections.Load() == 0 {
		s.emptyOnce.Do(func() { close(s.empty) })
	}
	var err error
	select {
	case <-s.empty:
	case <-s.stopped: // Serve has failed
	case <-ctx.Done():
		err = fmt.Errorf("server: %d connections were cut at the end of the shutdown: %w", s.connections.Load(), ctx.Err())
	}
	s.onEveryLoop((*local).cutAll)
	s.group.Stop()
	<-s.stopped
	return err
}

// discard releases what a server holds that was never run.
func (s *Server) discard(listeners []*loop.Listener, first bool) error {
	if !first {
		return nil
	}
	for _, ln := range listeners {
		ln.Close()
	}
	s.group.Stop()
	return s.group.Run()
}

// onEveryLoop runs f on each loop and waits until it has run on all.
func (s *Server) onEveryLoop(f func(*local)) {
	var wait sync.WaitGroup
	for l, local := range s.locals {
		wait.Add(1)
		if l.Post(func() { defer wait.Done(); f(local) }) != nil {
			wait.Done() // the loop has ended, and with it all that it had
		}
	}
	wait.Wait()
}

// accepted takes over a new connection, on the loop l.
func (s *Server) accepted(l *loop.Loop, fd int) {
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

// connectionClosed counts a connection that was closed.
func (s *Server) connectionClosed() {
	if s.connections.Add(-1) > 0 {
		return
	}
	s.mutex.Lock()
	stopping := s.stopping
	s.mutex.Unlock()
	if stopping {
		s.emptyOnce.Do(func() { close(s.empty) })
	}
}

// drain begins the shutdown on one loop.
func (l *local) drain() {
	l.draining = true
	for i := len(l.connections) - 1; i >= 0; i-- {
		c := l.connections[i]
		switch {
		case c.core.endOpenStream():
			c.Wake()
		case c.core.phase() == phaseIdle && c.unwritten == nil && c.phase != phaseLinger:
			c.close(ReasonShutdown)
		}
	}
}

// cutAll ends the shutdown on one loop.
func (l *local) cutAll() {
	for i := len(l.connections) - 1; i >= 0; i-- {
		l.connections[i].close(ReasonShutdown)
	}
}
