package main

import (
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// A lag measures how long a loop has a posted function wait: how far it is behind. At
// most one function of it is on its way. measure and worst are called by one goroutine.
type lag struct {
	loop  pipeline.Poster
	clock func() time.Time
	run   func() // arrive, made once

	posted  time.Time // not changed while the function is on its way
	onWay   atomic.Bool
	waited  atomic.Int64 // nanoseconds, of the last one that has run
	longest time.Duration
}

func newLag(loop pipeline.Poster, clock func() time.Time) *lag {
	l := &lag{loop: loop, clock: clock}
	l.run = l.arrive
	return l
}

// measure posts a function, unless the one before still waits.
func (l *lag) measure() {
	l.look()
	if l.onWay.Load() {
		return
	}
	l.posted = l.clock()
	l.onWay.Store(true)
	if l.loop.Post(l.run) != nil {
		l.onWay.Store(false) // the loop has stopped
	}
}

// worst returns the longest wait since it was last called. A function that has not run
// yet has waited until now.
func (l *lag) worst() time.Duration {
	l.look()
	longest := l.longest
	l.longest = 0
	return longest
}

func (l *lag) look() {
	waited := time.Duration(l.waited.Swap(0))
	if l.onWay.Load() {
		waited = l.clock().Sub(l.posted)
	}
	l.longest = max(l.longest, waited)
}

// arrive runs on the loop.
func (l *lag) arrive() {
	l.waited.Store(int64(l.clock().Sub(l.posted)))
	l.onWay.Store(false)
}
