package main

import (
	"io"
	"time"

	"github.com/penstock-go/penstock/bench/internal/rate"
)

const rateTick = 10 * time.Millisecond

// A limitedReader reads no faster than its rate. It is used by one goroutine.
type limitedReader struct {
	source io.Reader
	budget rate.Budget
	ticker *time.Ticker
}

func newLimitedReader(source io.Reader, bytesPerSecond int64) *limitedReader {
	return &limitedReader{
		source: source,
		budget: rate.NewBudget(bytesPerSecond, time.Now()),
		ticker: time.NewTicker(rateTick),
	}
}

func (l *limitedReader) stop() { l.ticker.Stop() }

// Read waits until the rate allows at least one byte, then reads as many as it allows.
func (l *limitedReader) Read(p []byte) (int, error) {
	for l.budget.Bytes == 0 {
		l.budget.Refill(<-l.ticker.C)
	}
	n, err := l.source.Read(p[:min(int64(len(p)), l.budget.Bytes)])
	l.budget.Bytes -= int64(n)
	return n, err
}
