package loop

import "time"

// A Poller waits for events and drives a loop with them. The loop makes its own from
// epoll; package looptest has one that a test turns by hand. Its methods are called on
// the loop's goroutine, except Wake.
type Poller interface {
	// Start hands over what events are reported to. It is called once, first.
	Start(turns Turns)
	// Run reports events until one of the Turns methods returns false, and then returns
	// nil; or it returns why it cannot go on.
	Run() error
	// Add registers a descriptor for every kind of readiness, edge-triggered. What is
	// true of it already is reported as an event.
	Add(fd int) error
	// Remove ends what Add began.
	Remove(fd int) error
	// Wake makes Turns.Woken be called soon, behind the events that are ready by now.
	// Any goroutine; never after Close.
	Wake() error
	// AfterBatch makes Turns.BatchEnded be called once no event that the kernel has
	// handed over by now is left to report.
	AfterBatch() error
	// SetAlarm makes Turns.Alarm be called once, after the given time, which is more
	// than zero. It replaces the alarm that was set before.
	SetAlarm(after time.Duration) error
	// Close releases the poller's descriptors.
	Close() error
}

// Turns is what a Poller reports events to. Each method but BatchEnded is one turn of
// the loop and returns false when the loop wants to end.
type Turns interface {
	Event(fd int, r Readiness) bool
	Woken() bool
	Alarm() bool
	BatchEnded()
}

// A Clock tells monotonic time since some fixed moment.
type Clock interface {
	Now() time.Duration
}

// monotonicClock reads the process's monotonic clock.
type monotonicClock struct{ epoch time.Time }

func (c monotonicClock) Now() time.Duration { return time.Since(c.epoch) }
