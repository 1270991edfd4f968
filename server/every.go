package server

import (
	"fmt"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// Every returns a source without end that gives a value each interval: the time
// that has passed since it was first polled, when it is also that the first
// interval begins. The ticks stay on that grid, however late each is fetched. Of
// ticks that nobody has fetched, by the time the next is due, there is one: the
// others are skipped and never made up for.
//
// It waits on the loop's timers, holds no goroutine and allocates nothing per
// tick. Every panics if interval is not positive.
func (r *Request) Every(interval time.Duration) pipeline.Source[time.Duration] {
	return newTicker(r.live().core.local.loop, interval)
}

// ticker is the source that Every returns. Owned by the loop goroutine.
type ticker struct {
	alarm
	interval time.Duration
	due      time.Duration // the tick to give next, counted from the first Poll
}

func newTicker(l *loop.Loop, interval time.Duration) *ticker {
	if interval <= 0 {
		panic(fmt.Sprintf("server: Every was given the interval %v, a positive one was expected", interval))
	}
	t := &ticker{interval: interval, due: interval}
	t.init(l)
	return t
}

func (t *ticker) Poll(w pipeline.Waker) (time.Duration, error) {
	if t.end != nil {
		return 0, t.end
	}
	elapsed := t.elapsed()
	if elapsed < t.due {
		t.wait(w, t.due)
		return 0, pipeline.ErrPending
	}
	t.due = elapsed - elapsed%t.interval + t.interval
	t.rest()
	return elapsed, nil
}
