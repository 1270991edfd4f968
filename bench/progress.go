package main

import (
	"fmt"
	"time"
)

// A plan is what a run has yet to do. Durations are estimates of the scenarios, corrected by
// how long those that are over took. Time is handed in.
type plan struct {
	measurements, finished int
	left, done             time.Duration // estimated
	took                   time.Duration // what was estimated as done
}

// newPlan adds up the scenarios.
func newPlan(scenarios []scenario, contenders []*contender, s settings) *plan {
	p := &plan{}
	for i := range scenarios {
		count := len(scenarios[i].contendersOf(contenders)) * scenarios[i].roundsOf(s)
		p.measurements += count
		p.left += time.Duration(count) * scenarios[i].takes(s)
	}
	return p
}

// finish notes that a measurement is over.
func (p *plan) finish(estimate, took time.Duration) {
	p.finished++
	p.left -= estimate
	p.done += estimate
	p.took += took
}

// skip notes that a measurement will not be made.
func (p *plan) skip(estimate time.Duration) {
	p.measurements--
	p.left -= estimate
}

// remaining is what is left, if it goes on as it went.
func (p *plan) remaining() time.Duration {
	if p.done <= 0 || p.took <= 0 {
		return p.left
	}
	return time.Duration(float64(p.left) * float64(p.took) / float64(p.done))
}

func (p *plan) String() string {
	return fmt.Sprintf("[%d of %d, %s left]", p.finished, p.measurements, roughly(p.remaining()))
}

// roughly writes a time as one says it.
func roughly(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("about %d s", int(d.Seconds()+0.5))
	default:
		return fmt.Sprintf("about %d min", int(d.Minutes()+0.5))
	}
}
