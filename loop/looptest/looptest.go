// Package looptest gives tests a loop that they turn by hand, on their own goroutine and
// with a clock of their own: sockets are real, and nothing happens between two calls.
//
//	l := looptest.New(t)
//	fd, peer := looptest.Socketpair(t)
//	socket.Attach(l.Loop, fd, handler)
//	looptest.Send(t, peer, "hello")
//	l.Settle()                // everything that is ready has run
//	l.Advance(5 * time.Second) // and so has everything that is due in five seconds
package looptest

import (
	"log/slog"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
)

// A Loop is a loop under test. Its embedded loop.Loop is what the tested code gets.
// Except for Post and Stop of that, everything belongs to the test's goroutine.
type Loop struct {
	*loop.Loop
	t      testing.TB
	poller *poller
	clock  *clock
}

// clock is turned by hand.
type clock struct{ now time.Duration }

func (c *clock) Now() time.Duration { return c.now }

// New makes a loop whose clock stands at zero. When the test ends, everything that is
// ready runs once more, and then it is an error if a socket is still attached, a task
// scheduled, a timer armed or a pipe lent; with Abandon it is not.
func New(t testing.TB) *Loop { return NewLogging(t, nil) }

// NewLogging is New with a logger for what the loop would log.
func NewLogging(t testing.TB, logger *slog.Logger) *Loop {
	t.Helper()
	p, err := newPoller()
	if err != nil {
		t.Fatalf("the test's epoll descriptor could not be made: %v", err)
	}
	c := &clock{}
	p.clock = c
	inner, err := loop.New(loop.Options{Logger: logger, Poller: p, Clock: c})
	if err != nil {
		t.Fatalf("the loop under test could not be made: %v", err)
	}
	l := &Loop{Loop: inner, t: t, poller: p, clock: c}
	t.Cleanup(l.end)
	return l
}

// Abandon ends the loop now, whatever it holds, as Stop and Run do: posts are run, then
// sockets are closed.
func (l *Loop) Abandon() {
	l.t.Helper()
	if l.poller.closed {
		return
	}
	l.Stop()
	if err := l.Run(); err != nil {
		l.t.Errorf("the loop under test ended with an error: %v", err)
	}
}

// end is the check at the end of a test.
func (l *Loop) end() {
	l.t.Helper()
	if l.poller.closed {
		return
	}
	if !l.t.Failed() {
		l.Settle()
		if held := l.Held(); held != (loop.Held{}) {
			l.t.Errorf("when the test ended the loop still held %d sockets, %d tasks and %d timers, and %d pipes were lent; all should have been given up",
				held.Sockets, held.Tasks, held.Timers, held.Pipes)
		}
	}
	l.Abandon()
}

// An Event is what a poller reports.
type Event struct {
	FD    int
	Ready loop.Readiness
}

// Deliver reports the events as one batch, true or not, then ends the batch.
func (l *Loop) Deliver(events ...Event) {
	l.poller.batch(func() { l.poller.deliver(events) })
}

// Poll reports as one batch what is ready by now: sockets first, then a wake-up, then
// the alarm. It returns how much that was.
func (l *Loop) Poll() int {
	l.t.Helper()
	n, err := l.poller.poll()
	if err != nil {
		l.t.Fatalf("what is ready could not be found out: %v", err)
	}
	return n
}

// settleLimit is how many batches may follow one another without an end.
const settleLimit = 10_000

// Settle polls until nothing is ready. A task that always schedules itself again never
// settles, and fails the test.
func (l *Loop) Settle() {
	l.t.Helper()
	for range settleLimit {
		if l.Poll() == 0 {
			return
		}
	}
	l.t.Fatalf("the loop has not settled after %d batches: something keeps itself busy", settleLimit)
}

// Await waits until another goroutine wakes the loop with a post, then settles.
func (l *Loop) Await() {
	l.t.Helper()
	l.poller.awaitWake(nil)
	l.Settle()
}

// AwaitUpTo is Await for at most d, of real time. It reports whether the loop was woken.
func (l *Loop) AwaitUpTo(d time.Duration) bool {
	l.t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	woken := l.poller.awaitWake(timer.C)
	l.Settle()
	return woken
}

// Advance lets d go by: the clock moves from alarm to alarm, so that each timer expires
// at its own time and in order, and the loop settles before each move and at the end.
func (l *Loop) Advance(d time.Duration) {
	l.t.Helper()
	end := l.clock.now + d
	for {
		l.Settle()
		alarm, set := l.poller.alarm()
		if !set || alarm > end {
			break
		}
		l.clock.now = max(alarm, l.clock.now)
	}
	l.clock.now = end
	l.Settle()
}

// Jump moves the clock by d at once, as a suspended machine does, and runs nothing.
func (l *Loop) Jump(d time.Duration) { l.clock.now += d }
