package loop

import "time"

// An Expirer is told when its Timer has run out.
type Expirer interface{ Expire() }

// A Timer is a deadline that its owner embeds. It belongs to one loop's goroutine. The
// zero Timer is ready for Init.
type Timer struct {
	expirer        Expirer
	next, previous *Timer // in its slot's ring
	tick           int64
	slot           uint16 // which slot of the wheel, plus one; zero when it is not armed
}

// tickLength is how finely timers are told apart.
const tickLength = time.Millisecond

// Init says who is told. The timer must not be armed.
func (t *Timer) Init(e Expirer) { t.expirer = e }

// Armed reports whether the timer is set and has not expired. It is false while Expire
// runs, unless Expire set it again.
func (t *Timer) Armed() bool { return t.slot != 0 }

// At is the loop time that the timer is set to, rounded up to the millisecond that it
// expires in. It means something while the timer is armed.
func (t *Timer) At() time.Duration { return time.Duration(t.tick) * tickLength }

// SetTimer makes t expire once the loop's time is at, and not before; if it is armed it
// is moved. It expires within a millisecond of that, or as soon afterwards as the loop
// gets to it. A time that has passed means the next millisecond: a timer never expires
// within SetTimer, and one that is set in Expire never within the same turn. Timers
// expire in order of time; within a millisecond, in the order they were set.
func (l *Loop) SetTimer(t *Timer, at time.Duration) {
	if t.Armed() {
		l.wheel.remove(t)
	}
	if l.knowsNow && l.inTurn {
		l.wheel.catchUp(int64(l.now / tickLength))
	}
	tick := int64(at / tickLength)
	if at > 0 && at%tickLength != 0 {
		tick++
	}
	l.wheel.add(t, tick)
	if !l.inTurn {
		l.setAlarm()
	}
}

// ClearTimer disarms t, if it is armed. It may then be given up or used for something
// else.
func (l *Loop) ClearTimer(t *Timer) {
	if t.Armed() {
		l.wheel.remove(t)
	}
}

// setAlarm sets the alarm if the earliest slot is before it. An alarm that is too early,
// because its timer was moved or cleared, is left as it is: when it goes off it finds
// nothing and is set anew, which is cheaper than a system call for each change.
func (l *Loop) setAlarm() {
	_, _, start := l.wheel.earliest()
	if start >= l.alarmAt {
		return
	}
	// The time that the turn was told may be old by now, so the clock is read afresh.
	after := time.Duration(start)*tickLength - l.clock.Now()
	if err := l.poller.SetAlarm(max(after, 1)); err != nil {
		l.logger.Error("loop: the timer descriptor could not be set", "error", err)
		return
	}
	l.alarmAt = start
}

// expireTimers tells everyone whose time has come. One that panics does not keep the
// others from being told.
func (l *Loop) expireTimers() {
	reached := int64(l.Now() / tickLength)
	for !l.expireUntilPanic(reached) {
	}
}

func (l *Loop) expireUntilPanic(reached int64) (done bool) {
	defer l.rescue()
	for t := l.wheel.due(reached); t != nil; t = l.wheel.due(reached) {
		l.running = t.expirer
		t.expirer.Expire()
		l.running = nil
	}
	return true
}
