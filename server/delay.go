package server

import (
	"io"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// delay is a source of one value that comes when a time has passed. Owned by the
// loop goroutine.
type delay struct {
	loop    *loop.Loop
	timer   loop.Timer
	waker   pipeline.Waker
	after   time.Duration
	started bool
	due     time.Duration // loop time, once started
	ended   bool
}

func newDelay(l *loop.Loop, after time.Duration) *delay {
	d := &delay{loop: l, after: max(after, 0)}
	d.timer.Init(d)
	return d
}

func (d *delay) Poll(w pipeline.Waker) (time.Duration, error) {
	if d.ended {
		return 0, io.EOF
	}
	now := d.loop.Now()
	if !d.started {
		d.started, d.due = true, now+d.after
	}
	if now >= d.due {
		d.Close()
		return d.after, nil
	}
	d.waker = w
	if !d.timer.Armed() {
		d.loop.SetTimer(&d.timer, d.due)
	}
	return 0, pipeline.ErrPending
}

// Expire is called by the loop when the time has come.
func (d *delay) Expire() {
	if w := d.waker; w != nil {
		d.waker = nil
		w.Wake()
	}
}

func (d *delay) Close() {
	d.ended, d.waker = true, nil
	d.loop.ClearTimer(&d.timer)
}
