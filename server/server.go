package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// A Server answers requests on event loops. Its methods may be called from any
// goroutine.
type Server struct {
	options Options
	group   *loop.Group
	locals  map[*loop.Loop]*local // one for each loop, each owned by its loop

	poolOnce sync.Once
	pool     *loop.Pool // nil before somebody needs workers

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
	group, err := loop.NewGroup(o.withDefaults().Loops, loop.Options{Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("server: the event loops could not be made: %w", err)
	}
	s, err := newServer(group, time.Now, h, o)
	if err != nil {
		group.Stop()
		_ = group.Run() // releases the loops
	}
	return s, err
}

func newServer(group *loop.Group, wallClock func() time.Time, h Handler, o Options) (*Server, error) {
	if h == nil {
		return nil, errors.New("server: a server needs a handler, not nil")
	}
	s := &Server{
		options: o.withDefaults(),
		group:   group,
		locals:  make(map[*loop.Loop]*local),
		empty:   make(chan struct{}),
		stopped: make(chan struct{}),
	}
	for _, l := range group.Loops() {
		s.locals[l] = newLocal(l, h, &s.options, wallClock)
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
	ln, err := loop.Listen(network, address, s.group.Loops(), s.Adopt)
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
	stopWatching := s.watch()
	err := s.group.Run()
	stopWatching()
	close(s.stopped)
	s.releaseWorkers()
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

// discard releases what a server holds that does not run.
func (s *Server) discard(listeners []*loop.Listener, first bool) error {
	if !first {
		return nil
	}
	for _, ln := range listeners {
		ln.Close()
	}
	for l, local := range s.locals {
		_ = l.Post(local.cutAll) // refused by a loop that has ended: it has none
	}
	s.group.Stop()
	err := s.group.Run()
	s.releaseWorkers()
	return err
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
