package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/penstock-go/penstock/server"
)

// The tests of hostile input send it over real sockets to a whole server. Theory:
//
//   - A subject is a server with one loop, so that whoever can hold that up holds up
//     everybody. A bystander is connected to it all the time and asks between the lines.
//   - A peer is one client. It says what it sends, and then what it wants to see.
//   - What cannot be seen on the wire comes from the hooks and the log.
//
// Rules:
//
//  1. Nothing sleeps and nothing measures time: a test waits for the event itself. The
//     patience that ends a wait is there only so that a failing test ends.
//  2. Each wait and each assertion begins with a sentence that says what is right.
//  3. What the server writes to its log must be claimed by the test (wantLogged):
//     a line that nobody expected fails it.
//  4. At the end of every test the bystander is served once more, the server is shut
//     down, and each connection and each tracked source must have been closed exactly
//     once.
const patience = 20 * time.Second

// subject is a server that is being attacked, and what it was seen to do.
type subject struct {
	server  *server.Server
	network string
	address string
	served  chan error

	bystander *peer // nil until it is first asked for; may outlive the subtest that does
	asked     int
	// impatient has the bystander come anew each time: the test makes the server close
	// what idles.
	impatient bool
	gone      bool // the server was shut down by the test

	mutex      sync.Mutex // guards what follows
	changed    *sync.Cond
	dispatched []string // targets that the handler was asked for
	opened     int
	closed     []server.CloseReason
	log        []string // lines that nobody has claimed yet
	tracked    []interface {
		closedOnce() bool
		polled() int
		check(t testing.TB)
	}
}

// besiege starts a server on a free TCP port.
func besiege(t testing.TB, o server.Options, h server.Handler) *subject {
	t.Helper()
	s := newSubject()
	s.start(t, o, h)
	return s
}

// newSubject is a subject that has not started, for handlers that use it.
func newSubject() *subject {
	s := &subject{served: make(chan error, 1)}
	s.changed = sync.NewCond(&s.mutex)
	return s
}

func (s *subject) start(t testing.TB, o server.Options, h server.Handler) {
	t.Helper()
	s.startAt(t, "tcp", "127.0.0.1:0", o, h)
}

func (s *subject) startAt(t testing.TB, network, address string, o server.Options, h server.Handler) {
	t.Helper()
	if o.Loops == 0 {
		o.Loops = 1
	}
	s.impatient = o.IdleTimeout > 0
	o.Logger = slog.New(slog.NewTextHandler(logWriter{s}, nil))
	if o.WatchdogThreshold == 0 {
		o.WatchdogThreshold = -1 // what it logs depends on how busy the machine is
	}
	s.watch(&o.Hooks)
	var err error
	if s.server, err = server.New(s.recording(h), o); err != nil {
		t.Fatalf("the server cannot be made: %v", err)
	}
	listening, err := s.server.Listen(network, address)
	if err != nil {
		t.Fatalf("the server cannot listen: %v", err)
	}
	s.network, s.address = network, listening.String()
	go func() { s.served <- s.server.Serve() }()
	t.Cleanup(func() { s.end(t) })
}

// watch notes what the hooks tell, and then calls those that were there.
func (s *subject) watch(hooks *server.Hooks) {
	opened, closed := hooks.Opened, hooks.Closed
	hooks.Opened = func(remote netip.AddrPort) {
		s.note(func() { s.opened++ })
		if opened != nil {
			opened(remote)
		}
	}
	hooks.Closed = func(reason server.CloseReason) {
		s.note(func() { s.closed = append(s.closed, reason) })
		if closed != nil {
			closed(reason)
		}
	}
}

const bystanding = "/bystander/"

// recording answers the bystander, and notes what everybody else has h asked for.
func (s *subject) recording(h server.Handler) server.Handler {
	return func(r *server.Request) server.Response {
		target := r.Target()
		if strings.HasPrefix(target, bystanding) {
			return server.Text(200, target)
		}
		s.note(func() { s.dispatched = append(s.dispatched, target) })
		return h(r)
	}
}

// note makes a change that somebody may wait for. Any goroutine.
func (s *subject) note(change func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	change()
	s.changed.Broadcast()
}

// await waits until done says so. It is called with the lock held, as is state, which
// describes what there is instead.
func (s *subject) await(t testing.TB, why string, done func() bool, state func() string) {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	overdue := false
	timer := time.AfterFunc(patience, func() { s.note(func() { overdue = true }) })
	defer timer.Stop()
	for !done() {
		if overdue {
			t.Fatalf("%s: that did not come; %s", why, state())
		}
		s.changed.Wait()
	}
}

// state describes what was seen, for await.
func (s *subject) state() string {
	return fmt.Sprintf("%d requests were dispatched, of %d connections %d were closed: %v",
		len(s.dispatched), s.opened, len(s.closed), s.closed)
}

// wantBystanderServed has the bystander ask for something and get it.
func (s *subject) wantBystanderServed(t testing.TB, when string) {
	t.Helper()
	if s.bystander == nil || s.impatient {
		s.bystander = newPeer(t, s.dialRaw(t))
	}
	if s.impatient {
		defer s.bystander.close()
	}
	s.asked++
	target := fmt.Sprint(bystanding, s.asked)
	s.bystander.t = t
	s.bystander.send(get(target))
	why := "the bystander is served " + when
	answer := s.bystander.wantAnswer(why, 200)
	if answer.body != target {
		t.Fatalf("%s: its answer to %s is %q", why, target, answer.body)
	}
}

// wantDispatched compares what the handler was asked for since the last call, the
// bystander aside.
func (s *subject) wantDispatched(t testing.TB, why string, targets ...string) {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !slices.Equal(s.dispatched, targets) {
		t.Errorf("%s: the handler was asked for %q, want %q", why, s.dispatched, targets)
	}
	s.dispatched = nil
}

// wantClosed waits until the server has closed n more connections, all for reason.
func (s *subject) wantClosed(t testing.TB, why string, n int, reason server.CloseReason) {
	t.Helper()
	ours := func() bool { return len(s.closed) >= n }
	s.await(t, why, ours, s.state)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, r := range s.closed[:n] {
		if r != reason {
			t.Errorf("%s: a connection was closed because %s (%d), want because %s (%d)", why, r, r, reason, reason)
		}
	}
	s.opened -= n
	s.closed = s.closed[n:]
}

// wantLogged waits for a line in the log that has all the parts, and claims it.
func (s *subject) wantLogged(t testing.TB, why string, parts ...string) {
	t.Helper()
	at := -1
	s.await(t, why, func() bool {
		at = slices.IndexFunc(s.log, func(line string) bool {
			return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) })
		})
		return at >= 0
	}, func() string { return fmt.Sprintf("no line has all of %q in %q", parts, s.log) })
	s.note(func() { s.log = slices.Delete(s.log, at, at+1) })
}

// logWriter keeps the lines of a log.
type logWriter struct{ s *subject }

func (w logWriter) Write(line []byte) (int, error) {
	w.s.note(func() { w.s.log = append(w.s.log, string(bytes.TrimSpace(line))) })
	return len(line), nil
}

// cut ends the server in the middle of what it does.
func (s *subject) cut(t testing.TB) {
	t.Helper()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.server.Shutdown(now); !errors.Is(err, context.Canceled) {
		t.Errorf("a shutdown that had to cut connections says so, not: %v", err)
	}
	s.gone = true
}

// end is what must be right after every test.
func (s *subject) end(t testing.TB) {
	if !t.Failed() && !s.gone {
		s.wantBystanderServed(t, "at the end")
	}
	if s.bystander != nil {
		s.bystander.close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		t.Errorf("a server that was attacked shuts down in order: %v", err)
	}
	if err := <-s.served; err != nil {
		t.Errorf("Serve returns nil after a shutdown, not: %v", err)
	}
	s.checkRemains(t)
}

// checkRemains looks at what is left of a server that was shut down.
func (s *subject) checkRemains(t testing.TB) {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.opened != len(s.closed) {
		t.Errorf("each connection is closed once: of %d that were left open %d were closed", s.opened, len(s.closed))
	}
	if n := s.server.Connections(); n != 0 {
		t.Errorf("a server that was shut down has no connection, not %d", n)
	}
	for _, tr := range s.tracked {
		tr.check(t)
	}
	for _, line := range s.log {
		t.Errorf("the log has a line that nobody expected: %s", line)
	}
}

// dialRaw connects a client that has no language yet; see dial.
func (s *subject) dialRaw(t testing.TB) net.Conn {
	t.Helper()
	c, err := net.Dial(s.network, s.address)
	if err != nil {
		t.Fatalf("the server accepts a connection: %v", err)
	}
	return c
}

// get is a whole request for target.
func get(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n" }

// post is the head of a request for target with the given framing field, and body.
func post(target, framing, body string) string {
	return "POST " + target + " HTTP/1.1\r\nHost: h\r\n" + framing + "\r\n\r\n" + body
}

// chunked is a request whose body is sent as chunks.
func chunked(target, chunks string) string { return post(target, "Transfer-Encoding: chunked", chunks) }
