package loop_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// trace records the order in which things ran.
type trace []string

func (tr *trace) add(what string) { *tr = append(*tr, what) }

// task makes a task that records its name, and then does what is given.
func (tr *trace) task(name string, then func()) *loop.Task {
	t := &loop.Task{}
	t.Init(call(func() {
		tr.add(name)
		if then != nil {
			then()
		}
	}))
	return t
}

func (tr *trace) expect(t *testing.T, why string, want ...string) {
	t.Helper()
	if !slices.Equal(*tr, want) {
		t.Errorf("%s: what ran is %q; it should be %q", why, *tr, want)
	}
	*tr = nil
}

func TestTasksRunBehindTheEventOnce(t *testing.T) {
	l := looptest.New(t)
	var ran trace
	a, b := ran.task("a", nil), ran.task("b", nil)
	h, _ := attachedPair(t, l)
	h.then = func(loop.Readiness) {
		ran.add("event")
		l.Schedule(a)
		l.Schedule(b)
		l.Schedule(a)
	}
	event := looptest.Event{FD: h.descriptor, Ready: loop.Readable}
	l.Deliver(event, event)
	ran.expect(t, "each event is a turn, and tasks run behind it in order", "event", "a", "b", "event", "a", "b")
	h.socket.Close()
}

func TestTaskScheduledByATask(t *testing.T) {
	l := looptest.New(t)
	var ran trace
	last := ran.task("last", nil)
	first := ran.task("first", func() { l.Schedule(last) })
	h, _ := attachedPair(t, l)
	h.then = func(loop.Readiness) { l.Schedule(first) }
	l.Deliver(looptest.Event{FD: h.descriptor, Ready: loop.Readable})
	ran.expect(t, "a task that has not run yet runs in the turn in which a task schedules it", "first", "last")
	h.socket.Close()
}

// TestTaskScheduledAgainWaitsForSockets: while it runs, and after it ran.
func TestTaskScheduledAgainWaitsForSockets(t *testing.T) {
	l := looptest.New(t)
	var ran trace
	var again, other *loop.Task
	again = ran.task("again", func() {
		if len(ran) < 6 {
			l.Schedule(again)
		}
	})
	other = ran.task("other", func() { l.Schedule(again) })
	h, peer := attachedPair(t, l)
	h.then = func(loop.Readiness) { ran.add("event") }
	if err := l.Post(func() {
		l.Schedule(again)
		l.Schedule(other)
		looptest.Send(t, peer, "ready by the time the loop looks")
	}); err != nil {
		t.Fatal(err)
	}
	l.Settle()
	ran.expect(t, "a socket that is ready comes before a task that has run", "again", "other", "event", "again", "again", "again")
	h.socket.Close()
}

func TestTaskScheduledBetweenTurns(t *testing.T) {
	l := looptest.New(t)
	var ran trace
	l.Schedule(ran.task("a", nil))
	if l.Held().Tasks != 1 {
		t.Errorf("the loop holds %d tasks; it should hold the one that was scheduled", l.Held().Tasks)
	}
	l.Settle()
	ran.expect(t, "what is scheduled before the loop runs wakes it", "a")
}

func TestUnschedule(t *testing.T) {
	l := looptest.New(t)
	var ran trace
	a, b, c := ran.task("a", nil), ran.task("b", nil), ran.task("c", nil)
	killer := ran.task("killer", func() { l.Unschedule(b) })
	for _, task := range []*loop.Task{a, killer, b, c} {
		l.Schedule(task)
	}
	l.Unschedule(a)
	l.Unschedule(a)
	*a = loop.Task{} // its owner may go away
	l.Settle()
	ran.expect(t, "a task that was taken back does not run, before the turn or within it", "killer", "c")
	l.Schedule(b)
	l.Unschedule(b)
	l.Schedule(b)
	l.Settle()
	ran.expect(t, "a task that was taken back may be scheduled again", "b")
}

// TestUnscheduleOfTaskPutOff: the loop must not take a task that is gone for one that waits.
func TestUnscheduleOfTaskPutOff(t *testing.T) {
	l := looptest.New(t)
	var ran trace
	var again *loop.Task
	again = ran.task("again", func() { l.Schedule(again) })
	killer := ran.task("killer", func() { l.Unschedule(again) })
	l.Schedule(again)
	l.Schedule(killer)
	l.Settle()
	ran.expect(t, "a task that was put off and taken back does not run", "again", "killer")
}

// TestSelfishWorkDoesNotStarveSockets runs on the real poller. If the task or the post
// that renew themselves kept the loop to themselves, the test would not end.
func TestSelfishWorkDoesNotStarveSockets(t *testing.T) {
	for _, kind := range []string{"task", "post"} {
		l, err := loop.New(loop.Options{})
		if err != nil {
			t.Fatal(err)
		}
		fd, peer := looptest.Socketpair(t)
		turns := 0
		var task loop.Task
		selfish := func() { l.Schedule(&task) }
		if kind == "post" {
			var post func()
			post = func() {
				turns++
				_ = l.Post(post)
				if turns == 3 {
					looptest.Send(t, peer, "and now for something else")
				}
			}
			selfish = post
		}
		task.Init(call(func() {
			turns++
			l.Schedule(&task)
			if turns == 3 {
				looptest.Send(t, peer, "and now for something else")
			}
		}))
		h := &recorder{}
		h.then = func(r loop.Readiness) {
			if r&loop.Readable != 0 {
				l.Stop()
			}
		}
		_ = l.Post(func() {
			if err := h.socket.Attach(l, fd, h); err != nil {
				t.Error(err)
				l.Stop()
			}
			selfish()
		})
		if err := l.Run(); err != nil {
			t.Errorf("%s: the loop ended with %v", kind, err)
		}
	}
}

// panicky panics, and wants to know of it when it is told to.
type panicky struct {
	name string
	ran  *trace
}

func (p panicky) SocketEvent(loop.Readiness) { p.Run() }
func (p panicky) Expire()                    { p.Run() }
func (p panicky) Run() {
	p.ran.add(p.name)
	panic("panic of " + p.name)
}

// informed is told of its panics.
type informed struct {
	panicky
	clumsy bool // panics again
}

func (p informed) Panicked(value any, stack []byte) {
	if value != "panic of "+p.name || !strings.Contains(string(stack), "panicky.Run") {
		p.ran.add("wrong value or stack")
	}
	p.ran.add("told " + p.name)
	if p.clumsy {
		panic("second panic")
	}
}

// everyKind has one of everything fail with p, each with one behind it that must run.
func everyKind(t *testing.T, l *looptest.Loop, ran *trace, p interface {
	loop.SocketHandler
	loop.Runner
	loop.Expirer
}) *loop.Socket {
	t.Helper()
	var task loop.Task
	task.Init(p)
	l.Schedule(&task)
	l.Schedule(ran.task("next task", nil))
	l.Settle()
	var timer, nextTimer loop.Timer
	timer.Init(p)
	nextTimer.Init(call(func() { ran.add("next timer") }))
	l.SetTimer(&timer, l.Now())
	l.SetTimer(&nextTimer, l.Now())
	l.Advance(loopTick)
	fd, _ := looptest.Socketpair(t)
	socket := &loop.Socket{}
	if err := socket.Attach(l.Loop, fd, p); err != nil {
		t.Fatal(err)
	}
	l.Settle()
	return socket
}

func TestPanicsEndOnlyThemselves(t *testing.T) {
	var log logBuffer
	l := looptest.NewLogging(t, log.logger())
	var ran trace
	_ = l.Post(func() { panic("panic of post") })
	_ = l.Post(func() { ran.add("next post") })
	l.Settle()
	socket := everyKind(t, l, &ran, panicky{"p", &ran})
	ran.expect(t, "what comes behind a panic still runs", "next post", "p", "next task", "p", "next timer", "p")
	if !socket.Closed() {
		t.Error("the socket of a handler that panicked should be closed")
	}
	if log.lines("panic of post") != 1 || log.lines("panic of p\"") != 3 || log.lines("panicky.Run") != 3 {
		t.Errorf("each panic should be logged once with its stack; the log is:\n%s", log.String())
	}
}

func TestPanickerIsToldInsteadOfTheLog(t *testing.T) {
	var log logBuffer
	l := looptest.NewLogging(t, log.logger())
	var ran trace
	socket := everyKind(t, l, &ran, informed{panicky: panicky{"p", &ran}})
	ran.expect(t, "each panic is told", "p", "told p", "next task", "p", "told p", "next timer", "p", "told p")
	if !socket.Closed() {
		t.Error("the socket of a handler that panicked should be closed although the handler was told")
	}
	if log.String() != "" {
		t.Errorf("what was told should not be logged; the log is:\n%s", log.String())
	}
	everyKind(t, l, &ran, informed{panicky: panicky{"p", &ran}, clumsy: true})
	ran.expect(t, "a second panic ends only itself", "p", "told p", "next task", "p", "told p", "next timer", "p", "told p")
	if log.lines("second panic") != 3 {
		t.Errorf("a panic while cleaning up should be logged; the log is:\n%s", log.String())
	}
}
