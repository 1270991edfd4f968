package loop

import (
	"io"
	"log/slog"
	"testing"
	"time"
)

// stubPoller reports nothing by itself and counts what it is asked for.
type stubPoller struct {
	turns    Turns
	wakes    int
	batches  int
	alarms   []time.Duration
	onRun    func()
	runError error
}

func (p *stubPoller) Start(turns Turns) { p.turns = turns }
func (p *stubPoller) Run() error {
	if p.onRun != nil {
		p.onRun()
	}
	return p.runError
}
func (p *stubPoller) Add(int) error     { return nil }
func (p *stubPoller) Remove(int) error  { return nil }
func (p *stubPoller) Wake() error       { p.wakes++; return nil }
func (p *stubPoller) AfterBatch() error { p.batches++; return nil }
func (p *stubPoller) Close() error      { return nil }
func (p *stubPoller) SetAlarm(after time.Duration) error {
	p.alarms = append(p.alarms, after)
	return nil
}

// stubClock is set by hand and counts how often it is read.
type stubClock struct {
	now   time.Duration
	reads int
}

func (c *stubClock) Now() time.Duration {
	c.reads++
	return c.now
}

func newStubLoop(t testing.TB) (*Loop, *stubPoller, *stubClock) {
	t.Helper()
	p, c := &stubPoller{}, &stubClock{}
	l, err := New(Options{Poller: p, Clock: c, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatalf("a loop over a poller that does nothing could not be made: %v", err)
	}
	return l, p, c
}

// call lets a function be a handler, a runner and an expirer.
type call func()

func (f call) SocketEvent(Readiness) { f() }
func (f call) Run()                  { f() }
func (f call) Expire()               { f() }
