package servertest

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/server"
)

const (
	// patience is how long a failing test waits for what does not come.
	patience = 20 * time.Second
	// grace is how long the end of a failing test waits for what does not go.
	grace = time.Second
	// interval is how often what no post tells of is looked at meanwhile.
	interval = 5 * time.Millisecond
)

// A Server is a server under test, on one loop that the test turns by hand. It belongs to
// the test's goroutine.
type Server struct {
	t      testing.TB
	loop   *looptest.Loop
	server *server.Server
	labels pprof.LabelSet // what goroutines that are started on the loop inherit
	label  string

	requests  int
	open      map[int]string // requests that are not finished
	closed    []server.CloseReason
	tracked   []*trackedSource
	tolerated []string // functions whose goroutines may go on
	ended     bool

	patience, grace time.Duration
}

// New makes a server that has h answer every request. Its clock stands still but for
// [Server.Advance], at midnight of 1 January 2026 UTC. Of the options, Loops is not looked
// at, Strict is always set, and the default Logger is the test's output. When the test ends
// it is checked that nothing is left open; see the package's documentation.
func New(t testing.TB, h server.Handler, o server.Options) *Server {
	t.Helper()
	s := &Server{t: t, loop: looptest.New(t), open: make(map[int]string), patience: patience, grace: grace}
	s.label = fmt.Sprintf("%p", s)
	s.labels = pprof.Labels("servertest", s.label)
	o.Strict = true
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	closed := o.Hooks.Closed
	o.Hooks.Closed = func(reason server.CloseReason) {
		s.closed = append(s.closed, reason)
		if closed != nil {
			closed(reason)
		}
	}
	var err error
	if s.server, err = server.NewOn(s.loop.Loop, s.Now, s.counting(h), o); err != nil {
		t.Fatalf("the server under test could not be made: %v", err)
	}
	t.Cleanup(s.end)
	return s
}

// counting notes which requests are not finished.
func (s *Server) counting(h server.Handler) server.Handler {
	if h == nil {
		return nil
	}
	return func(r *server.Request) server.Response {
		s.requests++
		number := s.requests
		s.open[number] = r.Method() + " " + r.Target()
		r.OnFinish(func(int, int64) { delete(s.open, number) })
		return h(r)
	}
}

// on runs what turns the loop, so that goroutines that are started there can be told from
// others.
func (s *Server) on(turn func()) {
	pprof.Do(context.Background(), s.labels, func(context.Context) { turn() })
}

// Loop returns the server's loop: what a queue, a topic or a post needs outside of a
// handler.
func (s *Server) Loop() *loop.Loop { return s.loop.Loop }

// Now returns the time that the server has, which is that of its Date field too.
func (s *Server) Now() time.Time {
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(s.loop.Now())
}

// Settle has everything run that is ready by now. All methods but this one do so by
// themselves: it is for what the test itself has done to the loop, such as a post.
func (s *Server) Settle() {
	s.t.Helper()
	s.on(s.loop.Settle)
}

// Advance lets d go by: each timer runs out at its own time and in order, and everything
// that becomes ready at one time runs before time goes on.
func (s *Server) Advance(d time.Duration) {
	s.t.Helper()
	s.on(func() { s.loop.Advance(d) })
}

// Await waits until done returns true, which it asks after each post that comes to the loop
// from another goroutine, and every few milliseconds. It fails the test when that takes
// longer than 20 seconds of real time; the server's time does not move.
func (s *Server) Await(done func() bool) {
	s.t.Helper()
	if !s.await(done, s.patience) {
		s.t.Fatalf("what the test awaits has not come within %v; %s", s.patience, s.waiting())
	}
}

// await returns whether done has returned true within a time.
func (s *Server) await(done func() bool, limit time.Duration) bool {
	s.t.Helper()
	s.Settle()
	for begin := time.Now(); !done(); {
		if time.Since(begin) > limit {
			return false
		}
		s.on(func() { s.loop.AwaitUpTo(interval) })
	}
	return true
}

// waiting says what the server may be waiting for.
func (s *Server) waiting() string {
	held := s.loop.Held()
	return fmt.Sprintf("the server has %d connections, %d requests that are not finished, and %d timers that wait for Advance",
		s.server.Connections(), len(s.open), held.Timers)
}

// Closed returns why connections were closed, in order.
func (s *Server) Closed() []server.CloseReason { return s.closed }

// Connections returns how many connections are open.
func (s *Server) Connections() int { return s.server.Connections() }
