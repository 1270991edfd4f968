// Package rate says how many bytes a slow reader may read.
package rate

import "time"

// Burst is the time that a reader which was held up may catch up on at once. Without a bound
// it would later read at full speed; with too little it would never reach its rate.
const Burst = 100 * time.Millisecond

// A Budget is how many bytes may be read now. Time is handed in. Used by one goroutine.
type Budget struct {
	Bytes          int64 // the reader takes off what it has read
	bytesPerSecond int64
	last           time.Time
}

// NewBudget returns a budget that is empty at the time given.
func NewBudget(bytesPerSecond int64, now time.Time) Budget {
	return Budget{bytesPerSecond: bytesPerSecond, last: now}
}

// Refill adds what the time since the last call allows, up to a burst.
func (b *Budget) Refill(now time.Time) {
	elapsed := min(now.Sub(b.last), Burst) // bounded here, so that the product fits
	b.last = now
	earned := b.bytesPerSecond * elapsed.Nanoseconds() / int64(time.Second)
	most := b.bytesPerSecond * Burst.Nanoseconds() / int64(time.Second)
	b.Bytes = min(b.Bytes+max(earned, 0), most)
}
