package server

import (
	"io"
	"math"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// alarm is what the sources that wait for a time have in common: the time, counted
// from their first Poll, and who is to be woken at the next one. Owned by the loop
// goroutine.
type alarm struct {
	loop    *loop.Loop
	timer   loop.Timer
	waker   pipeline.Waker // of the latest Poll if that has to wait
	begin   time.Duration  // loop time of the first Poll, once started
	started bool
	end     error // what Poll returns when nothing is to come any more
}

func (a *alarm) init(l *loop.Loop) {
	a.loop = l
	a.timer.Init(a)
}

// elapsed is the time since the first Poll, which is this one if there was none.
func (a *alarm) elapsed() time.Duration {
	now := a.loop.Now()
	if !a.started {
		a.started, a.begin = true, now
	}
	return now - a.begin
}

// wait has w woken when d has elapsed since the first Poll.
func (a *alarm) wait(w pipeline.Waker, d time.Duration) {
	a.waker = w
	if !a.timer.Armed() {
		at := a.begin + d
		if at < a.begin {
			at = math.MaxInt64 // later than can be said is never
		}
		a.loop.SetTimer(&a.timer, at)
	}
}

// rest has nobody woken any more.
func (a *alarm) rest() {
	a.waker = nil
	a.loop.ClearTimer(&a.timer)
}

// Expire is called by the loop when the time has come.
func (a *alarm) Expire() {
	if w := a.waker; w != nil {
		a.waker = nil
		w.Wake()
	}
}

func (a *alarm) Close() {
	if a.end == nil {
		a.end = pipeline.ErrClosed
	}
	a.rest()
}

// delay is a source of one value that comes when a time has passed.
type delay struct {
	alarm
	after time.Duration
}

func newDelay(l *loop.Loop, after time.Duration) *delay {
	d := &delay{after: max(after, 0)}
	d.init(l)
	return d
}

func (d *delay) Poll(w pipeline.Waker) (time.Duration, error) {
	if d.end != nil {
		return 0, d.end
	}
	if d.elapsed() < d.after {
		d.wait(w, d.after)
		return 0, pipeline.ErrPending
	}
	d.end = io.EOF
	d.rest()
	return d.after, nil
}
