package loop_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// loopTick is how late a timer may be.
const loopTick = time.Millisecond

// deadline is a timer that notes when it expired.
type deadline struct {
	timer   loop.Timer
	set     time.Duration
	expired []time.Duration
	now     func() time.Duration
	then    func()
}

func newDeadline(l *looptest.Loop) *deadline {
	d := &deadline{now: l.Now}
	d.timer.Init(d)
	return d
}

func (d *deadline) Expire() {
	d.expired = append(d.expired, d.now())
	if d.then != nil {
		d.then()
	}
}

// TestTimersNeverExpireEarly sets and moves timers at random and lets time go by in
// random steps. The clock moves by single alarms, so each must be on time to the tick.
func TestTimersNeverExpireEarly(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 3))
	l := looptest.New(t)
	deadlines := make([]*deadline, 40)
	for i := range deadlines {
		deadlines[i] = newDeadline(l)
	}
	for range 2000 {
		d := deadlines[random.IntN(len(deadlines))]
		switch random.IntN(4) {
		case 0, 1:
			d.set = l.Now() + time.Duration(random.Int64N(int64(1)<<random.IntN(45)+1))
			l.SetTimer(&d.timer, d.set)
		case 2:
			l.ClearTimer(&d.timer)
		case 3:
			l.Advance(time.Duration(random.Int64N(int64(1)<<random.IntN(45) + 1)))
		}
		for _, d := range deadlines {
			for _, at := range d.expired {
				if late := at - d.set; late < 0 || late > loopTick {
					t.Fatalf("a timer for %v expired at %v; it should be then or at most 1ms later", d.set, at)
				}
			}
			if len(d.expired) > 0 && d.timer.Armed() || len(d.expired) > 1 {
				t.Fatal("a timer that was set once should expire once and then not be armed")
			}
			d.expired = nil
			if d.timer.Armed() && l.Now() >= d.set+loopTick {
				t.Fatalf("at %v a timer for %v had not expired", l.Now(), d.set)
			}
		}
	}
	for _, d := range deadlines {
		l.ClearTimer(&d.timer)
	}
}

func TestTimerIsMovedAndCleared(t *testing.T) {
	l := looptest.New(t)
	d := newDeadline(l)
	l.ClearTimer(&d.timer)
	l.SetTimer(&d.timer, 10*time.Millisecond)
	l.SetTimer(&d.timer, 90*time.Millisecond)
	if !d.timer.Armed() || d.timer.At() != 90*time.Millisecond || l.Held().Timers != 1 {
		t.Errorf("a timer that was moved should be armed once, for 90ms; it is for %v", d.timer.At())
	}
	l.Advance(80 * time.Millisecond)
	if len(d.expired) != 0 {
		t.Error("a timer that was moved expired at its old time")
	}
	l.ClearTimer(&d.timer)
	l.Advance(time.Hour)
	if len(d.expired) != 0 || d.timer.Armed() {
		t.Error("a timer that was cleared expired")
	}
}

// TestTimeInThePast: as soon as possible, but never inside SetTimer.
func TestTimeInThePast(t *testing.T) {
	l := looptest.New(t)
	l.Advance(time.Minute)
	for _, at := range []time.Duration{-time.Hour, 0, time.Second, time.Minute} {
		d := newDeadline(l)
		l.SetTimer(&d.timer, at)
		l.Settle()
		if len(d.expired) != 0 {
			t.Errorf("a timer for %v, which has passed, expired before time went by", at)
		}
		l.Advance(loopTick)
		if len(d.expired) != 1 {
			t.Errorf("a timer for %v, which has passed, should expire in the next millisecond", at)
		}
	}
}

// TestTimersChangeEachOtherWhileExpiring: one clears a second that is due with it, moves
// a third and sets itself.
func TestTimersChangeEachOtherWhileExpiring(t *testing.T) {
	l := looptest.New(t)
	first, second, third := newDeadline(l), newDeadline(l), newDeadline(l)
	due := 70 * time.Millisecond
	first.then = func() {
		if first.timer.Armed() {
			t.Error("while a timer expires it should not be armed")
		}
		l.ClearTimer(&second.timer)
		l.SetTimer(&third.timer, due+5*time.Millisecond)
		if len(first.expired) < 3 {
			l.SetTimer(&first.timer, l.Now())
		}
	}
	for _, d := range []*deadline{first, second, third} {
		l.SetTimer(&d.timer, due)
	}
	l.Advance(due)
	if len(first.expired) != 1 || len(second.expired) != 0 || len(third.expired) != 0 {
		t.Errorf("after the first, the timers expired %d, %d and %d times; it should be 1, 0 and 0",
			len(first.expired), len(second.expired), len(third.expired))
	}
	l.Advance(10 * time.Millisecond)
	if len(first.expired) != 3 || len(second.expired) != 0 || len(third.expired) != 1 {
		t.Errorf("later, the timers have expired %d, %d and %d times; it should be 3, 0 and 1",
			len(first.expired), len(second.expired), len(third.expired))
	}
}

// TestJumpOfTime: after hours of suspension everything expires in one turn, in order,
// and a timer that would catch up on them expires once only.
func TestJumpOfTime(t *testing.T) {
	l := looptest.New(t)
	var ran trace
	timers := make([]*deadline, 3)
	for i, name := range []string{"hour", "minute", "second"} {
		timers[i] = newDeadline(l)
		timers[i].then = func() { ran.add(name) }
		l.SetTimer(&timers[i].timer, []time.Duration{time.Hour, time.Minute, time.Second}[i])
	}
	ticker := newDeadline(l)
	next := 10 * time.Millisecond
	ticker.then = func() {
		next += 10 * time.Millisecond
		l.SetTimer(&ticker.timer, next)
	}
	l.SetTimer(&ticker.timer, next)
	l.Settle()
	l.Jump(5 * time.Hour)
	if turns := l.Poll(); turns != 1 {
		t.Errorf("a jump of five hours took %d turns; it should be one alarm", turns)
	}
	ran.expect(t, "timers expire in order of their time", "second", "minute", "hour")
	if len(ticker.expired) != 1 {
		t.Errorf("a timer that sets itself expired %d times in one turn; it should be once", len(ticker.expired))
	}
	l.ClearTimer(&ticker.timer)
}

func TestManyTimersInOneSlot(t *testing.T) {
	l := looptest.New(t)
	count := 0
	timers := make([]loop.Timer, 20_000)
	for i := range timers {
		timers[i].Init(call(func() { count++ }))
		l.SetTimer(&timers[i], 75*time.Second)
	}
	l.Advance(75*time.Second - 1)
	if count != 0 {
		t.Errorf("%d timers expired a nanosecond early", count)
	}
	l.Advance(1)
	if count != len(timers) {
		t.Errorf("of %d timers for one time %d expired", len(timers), count)
	}
}

// TestRealTimers asks the kernel: timers expire in order, none early by its own clock.
func TestRealTimers(t *testing.T) {
	l, err := loop.New(loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var order []int
	timers := make([]loop.Timer, 8)
	_ = l.Post(func() {
		for i := range timers {
			at := l.Now() + time.Duration(len(timers)-i)*2*time.Millisecond + 1
			timers[i].Init(call(func() {
				order = append(order, i)
				if now := l.Now(); now < at {
					t.Errorf("a timer for %v expired at %v", at, now)
				}
				if len(order) == len(timers) {
					l.Stop()
				}
			}))
			l.SetTimer(&timers[i], at)
		}
	})
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	for i, index := range order {
		if index != len(timers)-1-i {
			t.Fatalf("the timers expired in the order %v; it should be from the last to the first", order)
		}
	}
}
