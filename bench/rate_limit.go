package main

import (
	"io"
	"time"
)

const (
	rateTick = 10 * time.Millisecond
	// What a reader that was held up may catch up at once. Without a bound it would later
	// read at full speed; with too little it would never reach its rate.
	rateBurst = 100 * time.Millisecond
)

// A limitedReader reads no faster than its rate. It is used by one goroutine.
type limitedReader struct {
	source io.Reader
	budget rateBudget
	ticker *time.Ticker
}

func newLimitedReader(source io.Reader, bytesPerSecond int64) *limitedReader {
	return &limitedReader{
		source: source,
		budget: rateBudget{bytesPerSecond: bytesPerSecond, last: time.Now()},
		ticker: time.NewTicker(rateTick),
	}
}

func (l *limitedReader) stop() { l.ticker.Stop() }

// Read waits until the rate allows at least one byte, then reads as many as it allows.
func (l *limitedReader) Read(p []byte) (int, error) {
	for l.budget.bytes == 0 {
		l.budget.refill(<-l.ticker.C)
	}
	n, err := l.source.Read(p[:min(int64(len(p)), l.budget.bytes)])
	l.budget.bytes -= int64(n)
	return n, err
}

// A rateBudget is how many bytes may be read now. Time is handed in.
type rateBudget struct {
	bytesPerSecond int64
	bytes          int64
	last           time.Time
}

// refill adds what the time since the last call allows, up to a burst.
func (b *rateBudget) refill(now time.Time) {
	elapsed := min(now.Sub(b.last), rateBurst) // bounded here, so that the product fits
	b.last = now
	earned := b.bytesPerSecond * elapsed.Nanoseconds() / int64(time.Second)
	most := b.bytesPerSecond * rateBurst.Nanoseconds() / int64(time.Second)
	b.bytes = min(b.bytes+max(earned, 0), most)
}
