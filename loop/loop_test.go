package loop

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

// TestSizes: a connection pays for these three in memory while it is idle.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		value any
		most  uintptr
	}{{Socket{}, 32}, {Task{}, 32}, {Timer{}, 48}} {
		if size := reflect.TypeOf(c.value).Size(); size > c.most {
			t.Errorf("a %T takes %d bytes; an idle connection may pay %d for it", c.value, size, c.most)
		}
	}
}

func TestNowIsReadOnceInATurn(t *testing.T) {
	l, p, clock := newStubLoop(t)
	var first, second time.Duration
	var task Task
	task.Init(call(func() { second = l.Now() }))
	_ = l.Post(func() {
		first = l.Now()
		clock.now += time.Hour
		l.Schedule(&task)
	})
	clock.now = time.Second
	p.turns.Woken()
	if first != time.Second || second != time.Second {
		t.Errorf("the time within one turn was %v and then %v; it should stay at 1s", first, second)
	}
	if clock.reads != 1 {
		t.Errorf("the clock was read %d times in one turn; it should be once", clock.reads)
	}
	p.turns.Event(99, Readable)
	if clock.reads != 1 {
		t.Error("a turn in which nobody asks for the time should not read the clock")
	}
	_ = l.Post(func() { first = l.Now() })
	p.turns.Woken()
	if first != time.Second+time.Hour {
		t.Errorf("in the next turn the time was %v; it should be the clock's", first)
	}
}

func TestOneWakeUpIsOnItsWay(t *testing.T) {
	l, p, _ := newStubLoop(t)
	for range 100 {
		_ = l.Post(func() {})
	}
	l.Stop()
	if p.wakes != 1 {
		t.Errorf("100 posts and a stop before the loop woke wrote %d wake-ups; one is enough", p.wakes)
	}
	p.turns.Woken()
	_ = l.Post(func() {})
	if p.wakes != 2 {
		t.Errorf("a post after the loop woke should wake it again; there were %d wake-ups in all", p.wakes)
	}
}

func TestPutOffTaskWakesOnce(t *testing.T) {
	l, p, _ := newStubLoop(t)
	runs := 0
	var task Task
	task.Init(call(func() {
		runs++
		l.Schedule(&task)
	}))
	_ = l.Post(func() { l.Schedule(&task) })
	p.turns.Woken()
	if p.wakes != 2 || runs != 1 {
		t.Fatalf("after its first run the task should wait for a wake-up: %d runs, %d wake-ups", runs, p.wakes)
	}
	p.turns.Event(99, Readable)
	p.turns.Event(99, Readable)
	if p.wakes != 2 || runs != 1 {
		t.Errorf("events of a batch should neither run a task that was put off nor wake again: %d runs, %d wake-ups", runs, p.wakes)
	}
	p.turns.Woken()
	if runs != 2 {
		t.Errorf("the wake-up should run the task that was put off; it has run %d times", runs)
	}
}

// TestTaskTakenBackNeedsNoWakeUp: one that was put off and then taken back.
func TestTaskTakenBackNeedsNoWakeUp(t *testing.T) {
	l, p, _ := newStubLoop(t)
	var again, killer Task
	again.Init(call(func() { l.Schedule(&again) }))
	killer.Init(call(func() { l.Unschedule(&again) }))
	_ = l.Post(func() {
		l.Schedule(&again)
		l.Schedule(&killer)
	})
	p.turns.Woken()
	if p.wakes != 1 || l.Held().Tasks != 0 {
		t.Errorf("nothing is left to run, so nothing should wake the loop; %d wake-ups, held is %+v", p.wakes, l.Held())
	}
}

func TestAlarmIsSetOnlyWhenEarlier(t *testing.T) {
	l, p, clock := newStubLoop(t)
	var a, b Timer
	expired := 0
	a.Init(call(func() { expired++ }))
	b.Init(call(func() { expired++ }))
	turn := func(fn func()) {
		_ = l.Post(fn)
		p.turns.Woken()
	}
	turn(func() { l.SetTimer(&a, 50*time.Millisecond) })
	turn(func() { l.SetTimer(&b, 60*time.Millisecond) })
	turn(func() { l.SetTimer(&a, 55*time.Millisecond) })
	turn(func() { l.ClearTimer(&b) })
	turn(func() { l.SetTimer(&b, 20*time.Millisecond); l.ClearTimer(&b) })
	if len(p.alarms) != 1 || p.alarms[0] != 50*time.Millisecond {
		t.Fatalf("only the first timer should set the alarm, to 50ms; it was set to %v", p.alarms)
	}
	clock.now = 50 * time.Millisecond
	p.turns.Alarm()
	if expired != 0 || len(p.alarms) != 2 || p.alarms[1] != 5*time.Millisecond {
		t.Fatalf("an alarm that finds nothing due should be set anew, to 5ms: %d expired, alarms %v", expired, p.alarms)
	}
	turn(func() { l.SetTimer(&b, 52*time.Millisecond) })
	if len(p.alarms) != 3 || p.alarms[2] != 2*time.Millisecond {
		t.Errorf("an earlier timer should set the alarm, to 2ms; alarms %v", p.alarms)
	}
}

// TestShortTimerAfterIdleTime: time that went by while no timer was set must not make
// the first one go off in a slot of hours.
func TestShortTimerAfterIdleTime(t *testing.T) {
	l, p, clock := newStubLoop(t)
	clock.now = 100 * time.Hour
	var timer Timer
	timer.Init(call(func() {}))
	_ = l.Post(func() { l.SetTimer(&timer, l.Now()+10*time.Millisecond) })
	p.turns.Woken()
	if len(p.alarms) != 1 || p.alarms[0] < 2*time.Millisecond {
		t.Errorf("a timer for 10ms set the alarm to %v; it should not go off at once", p.alarms)
	}
}

func TestBatchEndIsAskedForOnce(t *testing.T) {
	l, p, _ := newStubLoop(t)
	sockets := make([]Socket, 3)
	for i := range sockets {
		// Numbers far above any descriptor: closing them harms nothing.
		if err := sockets[i].Attach(l, 1<<18+i, call(func() {})); err != nil {
			t.Fatal(err)
		}
	}
	for i := range sockets {
		sockets[i].Close()
	}
	if p.batches != 1 {
		t.Errorf("three sockets closed in one batch asked %d times for its end; once is enough", p.batches)
	}
	p.turns.BatchEnded()
}

func TestPollerFailureEndsRun(t *testing.T) {
	l, p, _ := newStubLoop(t)
	failure := errors.New("the poller failed")
	p.runError = failure
	ran, taskRan := false, false
	_ = l.Post(func() { ran = true })
	var task Task
	task.Init(call(func() { taskRan = true }))
	l.Schedule(&task)
	if err := l.Run(); !errors.Is(err, failure) {
		t.Errorf("Run returned %v; it should return the poller's error", err)
	}
	if !ran {
		t.Error("a post that was accepted should run although the poller failed")
	}
	if !taskRan {
		t.Error("a task that was waiting should run although the poller failed")
	}
	if err := l.Post(func() {}); err != ErrStopped {
		t.Errorf("a post to a loop that has ended returned %v; it should be ErrStopped", err)
	}
}

func BenchmarkPost(b *testing.B) {
	l, p, _ := newStubLoop(b)
	n := 0
	fn := func() { n++ }
	b.ReportAllocs()
	for i := range b.N {
		_ = l.Post(fn)
		if i%64 == 63 {
			p.turns.Woken()
		}
	}
}

func BenchmarkSchedule(b *testing.B) {
	l, p, _ := newStubLoop(b)
	n := 0
	var task Task
	task.Init(call(func() { n++ }))
	var s Socket
	if err := s.Attach(l, 1<<18, call(func() { l.Schedule(&task) })); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		p.turns.Event(1<<18, Readable)
	}
}

func BenchmarkSetTimer(b *testing.B) {
	l, _, _ := newStubLoop(b)
	timers := make([]Timer, 15_000)
	for i := range timers {
		timers[i].Init(call(func() {}))
		l.SetTimer(&timers[i], time.Duration(i)*time.Millisecond)
	}
	b.ReportAllocs()
	for i := range b.N {
		l.SetTimer(&timers[i%len(timers)], 75*time.Second+time.Duration(i)*time.Microsecond)
	}
}

func BenchmarkSetAndClearTimer(b *testing.B) {
	l, _, _ := newStubLoop(b)
	var timer Timer
	timer.Init(call(func() {}))
	b.ReportAllocs()
	for range b.N {
		l.SetTimer(&timer, 75*time.Second)
		l.ClearTimer(&timer)
	}
}
