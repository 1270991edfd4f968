package loop

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// modelTimer is a timer of the model: it expires at the first advance that reaches its
// tick, in order of ticks and then in the order of setting.
type modelTimer struct {
	timer *Timer
	tick  int64
	order int
}

// TestWheelAgainstModel compares the wheel with a sorted list under random operations:
// distances of every size, and advances from nothing to years.
func TestWheelAgainstModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 50 {
		checkWheelAgainstModel(t, random)
	}
}

func checkWheelAgainstModel(t *testing.T, random *rand.Rand) {
	t.Helper()
	var w wheel
	timers := make([]Timer, 60)
	model := map[*Timer]modelTimer{}
	now, order := int64(0), 0
	distance := func() int64 { return random.Int64N(int64(1)<<random.IntN(42) + 1) }
	set := func(timer *Timer, tick int64) {
		if timer.Armed() {
			w.remove(timer)
		}
		if random.IntN(2) == 0 {
			w.catchUp(now)
		}
		w.add(timer, tick)
		order++
		model[timer] = modelTimer{timer, max(tick, w.target+1), order}
	}
	for range 400 {
		timer := &timers[random.IntN(len(timers))]
		switch random.IntN(6) {
		case 5: // time goes by before the alarm is handled
			now += random.Int64N(200)
		case 0, 1:
			set(timer, now+distance())
		case 2: // many in one slot
			for i := range timers[:10] {
				set(&timers[i], now+100)
			}
		case 3:
			if timer.Armed() {
				w.remove(timer)
				delete(model, timer)
			}
		case 4:
			now += distance()
			want := expireModel(model, now)
			for i, expected := range want {
				if got := w.due(now); got != expected.timer {
					t.Fatalf("timer %d of %d to expire by tick %d, due at tick %d, is not the model's", i, len(want), now, expected.tick)
				}
			}
			if got := w.due(now); got != nil {
				t.Fatalf("a timer for tick %d expired at tick %d, when the model has none left", got.tick, now)
			}
			if got := w.due(now - distance()); got != nil || w.current != now {
				t.Fatalf("asked for an earlier time again, the wheel should stay at tick %d; it is at %d", now, w.current)
			}
		}
		if w.armed != len(model) {
			t.Fatalf("the wheel counts %d armed timers, the model %d", w.armed, len(model))
		}
	}
}

// expireModel takes out of the model what is due, in order.
func expireModel(model map[*Timer]modelTimer, now int64) []modelTimer {
	var due []modelTimer
	for timer, m := range model {
		if m.tick <= now {
			due = append(due, m)
			delete(model, timer)
		}
	}
	slices.SortFunc(due, func(a, b modelTimer) int {
		if a.tick != b.tick {
			return int(a.tick - b.tick)
		}
		return a.order - b.order
	})
	return due
}

// TestWheelEarliestIsNeverLate checks what the alarm rests on: the start of the earliest
// slot is not after the earliest timer, and not before the current tick.
func TestWheelEarliestIsNeverLate(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	var w wheel
	timers := make([]Timer, 20)
	for range 5000 {
		timer := &timers[random.IntN(len(timers))]
		if timer.Armed() {
			w.remove(timer)
		}
		w.add(timer, w.current+random.Int64N(1<<random.IntN(30)+1))
		first := int64(noTick)
		for i := range timers {
			if timers[i].Armed() {
				first = min(first, timers[i].tick)
			}
		}
		_, _, start := w.earliest()
		if start > first || start < w.current {
			t.Fatalf("the earliest slot starts at tick %d; it should be between the current tick %d and the first timer's %d", start, w.current, first)
		}
		for w.due(start) != nil {
		}
	}
}

// TestWheelJumpVisitsOnlyTimers: a jump over years with a timer at each end is a handful
// of steps, so it ends; one step for each tick would not.
func TestWheelJumpVisitsOnlyTimers(t *testing.T) {
	var w wheel
	var near, far Timer
	years := int64(200 * 365 * 24 * time.Hour / tickLength)
	w.add(&near, 1)
	w.add(&far, years)
	if w.due(years-1) != &near || w.due(years-1) != nil {
		t.Fatal("one tick before the far timer only the near one should be due")
	}
	if w.due(years) != &far {
		t.Fatal("the far timer should be due at its tick")
	}
}

// TestWheelTimerAtLargestTime: the largest duration there is has a place in the wheel.
func TestWheelTimerAtLargestTime(t *testing.T) {
	var w wheel
	var timer Timer
	last := int64(1<<63-1) / int64(tickLength)
	w.add(&timer, last)
	if w.due(last-1) != nil {
		t.Fatal("the timer expired before its time")
	}
	if w.due(last) != &timer {
		t.Fatal("the timer did not expire at its time")
	}
}
