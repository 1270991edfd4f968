package looptest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

type call func()

func (f call) SocketEvent(loop.Readiness) { f() }
func (f call) Run()                       { f() }
func (f call) Expire()                    { f() }

// spy is a test that keeps its failures to itself. A fatal one ends it, by a panic.
type spy struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (s *spy) Helper()          {}
func (s *spy) Failed() bool     { return len(s.failures) > 0 }
func (s *spy) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }
func (s *spy) Errorf(format string, args ...any) {
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}
func (s *spy) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	panic(s)
}

// watch runs test as one of its own, to its end, and returns how it failed.
func watch(test func(t testing.TB)) []string {
	s := &spy{}
	func() {
		defer func() {
			if stopped := recover(); stopped != nil && stopped != s {
				panic(stopped)
			}
		}()
		test(s)
	}()
	for i := len(s.cleanups) - 1; i >= 0; i-- {
		s.cleanups[i]()
	}
	return s.failures
}

func TestWhatIsLeftIsReported(t *testing.T) {
	leave := map[string]func(t testing.TB, l *looptest.Loop){
		"1 sockets, 0 tasks and 0 timers": func(t testing.TB, l *looptest.Loop) {
			fd, _ := looptest.Socketpair(t)
			if err := new(loop.Socket).Attach(l.Loop, fd, call(func() {})); err != nil {
				t.Fatalf("%v", err)
			}
		},
		"0 sockets, 0 tasks and 1 timers": func(_ testing.TB, l *looptest.Loop) {
			var timer loop.Timer
			timer.Init(call(func() {}))
			l.SetTimer(&timer, time.Hour)
		},
	}
	for want, something := range leave {
		failures := watch(func(t testing.TB) { something(t, looptest.New(t)) })
		if len(failures) != 1 || !strings.Contains(failures[0], want) {
			t.Errorf("leaving %s should be the one failure; the failures are %q", want, failures)
		}
		abandoned := watch(func(t testing.TB) {
			l := looptest.New(t)
			something(t, l)
			l.Abandon()
			l.Abandon()
		})
		if len(abandoned) != 0 {
			t.Errorf("an abandoned loop may hold anything; the failures are %q", abandoned)
		}
	}
}

func TestBusyLoopIsReported(t *testing.T) {
	failures := watch(func(t testing.TB) {
		l := looptest.New(t)
		var task loop.Task
		task.Init(call(func() { l.Schedule(&task) }))
		l.Schedule(&task)
		l.Settle()
	})
	if len(failures) != 1 || !strings.Contains(failures[0], "not settled") {
		t.Errorf("a task that always schedules itself should fail the test; the failures are %q", failures)
	}
}

// TestConnectionsThatCloseAreNotLeft: the test's end is closed first, and the loop's end
// may close because of that.
func TestConnectionsThatCloseAreNotLeft(t *testing.T) {
	failures := watch(func(t testing.TB) {
		l := looptest.New(t)
		fd, _ := looptest.Socketpair(t)
		var socket loop.Socket
		if err := socket.Attach(l.Loop, fd, call(func() {
			if socket.PeerClosed() {
				socket.Close()
			}
		})); err != nil {
			t.Fatalf("%v", err)
		}
	})
	if len(failures) != 0 {
		t.Errorf("a connection that closes with its peer is not left over; the failures are %q", failures)
	}
}

// TestAdvanceStopsAtEachTimer: each sees its own time, and what becomes ready at one
// time is handled before time goes on.
func TestAdvanceStopsAtEachTimer(t *testing.T) {
	l := looptest.New(t)
	var seen []string
	var early, late loop.Timer
	early.Init(call(func() {
		_ = l.Post(func() { seen = append(seen, fmt.Sprint("post at ", l.Now())) })
	}))
	late.Init(call(func() { seen = append(seen, fmt.Sprint("late at ", l.Now())) }))
	l.SetTimer(&late, 3*time.Hour)
	l.SetTimer(&early, time.Second)
	l.Advance(4 * time.Hour)
	if got := strings.Join(seen, ", "); got != "post at 1s, late at 3h0m0s" || l.Now() != 4*time.Hour {
		t.Errorf("four hours went by as %q, and it is %v now", got, l.Now())
	}
}

// TestCloseLaterSparesOthers: the number belongs to something else by then.
func TestCloseLaterSparesOthers(t *testing.T) {
	open := func() (fd int) {
		fd, _ = looptest.Socketpair(t)
		return fd
	}
	other := -1
	watch(func(t testing.TB) {
		fd := open()
		looptest.CloseLater(t, fd)
		if err := unix.Close(fd); err != nil {
			t.Fatalf("%v", err)
		}
		if other = open(); other != fd {
			other = -1 // another goroutine took the number
		}
	})
	if other < 0 {
		t.Skip("the number was not given out again")
	}
	if err := unix.Close(other); err != nil {
		t.Errorf("a descriptor that took the number of a closed one was closed with the test: %v", err)
	}
}

func TestReceive(t *testing.T) {
	a, b := looptest.Socketpair(t)
	looptest.Send(t, a, "one ")
	looptest.Send(t, a, "two")
	if got, ended := looptest.Receive(t, b); got != "one two" || ended {
		t.Errorf("what arrived is %q, ended %v; it should be both, and not the end", got, ended)
	}
	if err := unix.Close(a); err != nil {
		t.Fatal(err)
	}
	if got, ended := looptest.Receive(t, b); got != "" || !ended {
		t.Errorf("behind the last byte there was %q, ended %v; it should be the end", got, ended)
	}
}

// TestAwaitUpTo: a post wakes the loop, and without one the wait ends by itself.
func TestAwaitUpTo(t *testing.T) {
	l := looptest.New(t)
	if l.AwaitUpTo(time.Microsecond) {
		t.Error("nobody has posted, so the loop should not have been woken")
	}
	ran := false
	go func() { _ = l.Post(func() { ran = true }) }()
	if woken := l.AwaitUpTo(time.Hour); !woken || !ran {
		t.Errorf("a post should wake the loop and run; woken %t, ran %t", woken, ran)
	}
}
