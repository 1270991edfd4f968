package loop_test

import (
	"bytes"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// handTurned is a clock for a watchdog whose ticks come from the test.
type handTurned struct{ now time.Duration }

func (c *handTurned) Now() time.Duration { return c.now }

// watchedLoop is a loop that runs, with a watchdog whose ticks come from the test.
type watchedLoop struct {
	*loop.Loop
	t        *testing.T
	watchdog *loop.Watchdog
	clock    *handTurned
	log      logBuffer
}

func watchLoop(t *testing.T) *watchedLoop {
	w := &watchedLoop{t: t, clock: &handTurned{}}
	w.Loop = start(t, 1, loop.Options{Logger: w.log.logger()}).Loops()[0]
	w.watchdog = loop.NewWatchdog(w.log.logger(), w.clock, w.Loop)
	return w
}

// tick has n ticks come, a second after one another.
func (w *watchedLoop) tick(n int) {
	for range n {
		w.clock.now += time.Second
		w.watchdog.Tick()
	}
}

// block has the loop stand still until release is called, and returns when it does.
func (w *watchedLoop) block() (release func()) {
	w.t.Helper()
	blocked, open := make(chan struct{}), make(chan struct{})
	release = sync.OnceFunc(func() { close(open) })
	w.t.Cleanup(release) // ahead of the end of the loop
	if err := w.Post(func() { waitForTheTest(blocked, open) }); err != nil {
		w.t.Fatal(err)
	}
	<-blocked
	return release
}

func waitForTheTest(blocked, open chan struct{}) {
	close(blocked)
	<-open
}

// pass returns when the loop has ended the turn that it was in.
func (w *watchedLoop) pass() {
	w.t.Helper()
	for range 2 { // the second is posted in the turn of the first, which ends before it
		passed := make(chan struct{})
		if err := w.Post(func() { close(passed) }); err != nil {
			w.t.Fatal(err)
		}
		<-passed
	}
}

func (w *watchedLoop) want(why string, begun, ended int) {
	w.t.Helper()
	if b, e := w.log.lines("does not end"), w.log.lines("has ended"); b != begun || e != ended {
		w.t.Fatalf("%s: there should be %d lines of a turn that does not end and %d of one that has ended; there are %d and %d:\n%s",
			why, begun, ended, b, e, w.log.String())
	}
}

func TestWatchdogNamesWhatBlocks(t *testing.T) {
	w := watchLoop(t)
	release := w.block()
	w.tick(1 + loop.TicksPerThreshold) // asks, and gives the loop something to do
	w.want("the turn has been watched for less than the threshold", 0, 0)
	w.tick(1)
	w.want("the turn has lasted for the threshold", 1, 0)
	for _, text := range []string{"for=2s", "in=\"github.com/penstock-go/penstock/loop_test.waitForTheTest at ", "watchdog_test.go:", "goroutine "} {
		if !strings.Contains(w.log.String(), text) {
			t.Errorf("the log should have %q in it:\n%s", text, w.log.String())
		}
	}
	w.tick(10)
	w.want("a turn that still does not end is not logged again", 1, 0)
	release()
	w.pass()
	w.want("the turn has ended", 1, 1)
	if !strings.Contains(w.log.String(), "after=12s") {
		t.Errorf("the turn was watched for 12 s before it ended, which should be logged:\n%s", w.log.String())
	}
	w.tick(2)
	w.pass()
	w.want("nothing has happened since", 1, 1)

	release = w.block()
	w.tick(2 + loop.TicksPerThreshold)
	w.want("another turn does not end", 2, 1)
	release()
	w.pass()
	w.want("it has ended too", 2, 2)
}

// TestWatchdogLeavesTurnsAlone: a loop with much to do, none of which takes long, is not
// stuck, and neither is one with nothing to do.
func TestWatchdogLeavesTurnsAlone(t *testing.T) {
	w := watchLoop(t)
	for range 20 {
		w.tick(1)
		w.pass()
	}
	w.want("turns end between the ticks", 0, 0)
	for range 20 {
		w.tick(2) // the first asks, and the second wakes the loop
		w.pass()
	}
	w.want("an idle loop is not stuck", 0, 0)
}

// TestWatchdogLetsAnIdleLoopSleep: once it was told that the loop rests, it does not wake
// it again.
func TestWatchdogLetsAnIdleLoopSleep(t *testing.T) {
	l := looptest.New(t)
	watchdog := loop.NewWatchdog(slog.New(slog.DiscardHandler), &handTurned{}, l.Loop)
	woken := 0
	for range 20 {
		watchdog.Tick()
		woken += l.Poll()
	}
	if woken != 1 {
		t.Errorf("in 20 ticks the idle loop was woken %d times; once was expected", woken)
	}
}

// TestWatchdogSleepsWithItsLoops: it has no ticks while all loops are asleep, and is told, once,
// of the first turn.
func TestWatchdogSleepsWithItsLoops(t *testing.T) {
	a, b := looptest.New(t), looptest.New(t)
	watchdog := loop.NewWatchdog(slog.New(slog.DiscardHandler), &handTurned{}, a.Loop, b.Loop)
	turn := func(l *looptest.Loop) {
		if err := l.Post(func() {}); err != nil {
			t.Fatal(err)
		}
		l.Poll()
	}
	fallAsleep := func(loops ...*looptest.Loop) (asleep bool) {
		for range 4 { // asks, wakes, is told, looks again
			asleep = watchdog.Tick()
			for _, l := range loops {
				l.Poll()
			}
		}
		return asleep
	}
	if fallAsleep(a) {
		t.Error("one of the loops has not ended the turn that was asked for, and the watchdog is asleep")
	}
	if !fallAsleep(a, b) {
		t.Error("both loops have nothing to do, and the watchdog is not asleep")
	}
	if watchdog.Roused() {
		t.Error("no turn has begun, and the watchdog was roused")
	}
	turn(a)
	turn(a)
	turn(b)
	if !watchdog.Roused() || watchdog.Roused() {
		t.Error("the watchdog should be roused once when turns begin on loops that were asleep")
	}
	if watchdog.Tick() {
		t.Error("turns have begun on the loops since, and the watchdog is asleep")
	}
}

// TestWatchdogOfLoopThatDoesNotRun: not begun yet, and ended, it is not stuck.
func TestWatchdogOfLoopThatDoesNotRun(t *testing.T) {
	var log logBuffer
	l, err := loop.New(loop.Options{Logger: log.logger()})
	if err != nil {
		t.Fatal(err)
	}
	w := &watchedLoop{t: t, Loop: l, clock: &handTurned{}}
	w.watchdog = loop.NewWatchdog(w.log.logger(), w.clock, l)
	w.tick(10)
	l.Stop()
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	w.tick(10)
	w.want("the loop has never run, and then ended", 0, 0)
}

// waitUntil returns when done says so.
func waitUntil(t *testing.T, what string, done func() bool) {
	t.Helper()
	for giveUp := time.Now().Add(20 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(giveUp) {
			t.Fatalf("%s: that did not come", what)
		}
	}
}

// deafPoller is a poller that can be kept from waking up.
type deafPoller struct {
	loop.Poller
	deaf atomic.Bool
}

func (p *deafPoller) Wake() error {
	if p.deaf.Load() {
		return nil
	}
	return p.Poller.Wake()
}

// TestWatchdogKnowsThatALoopWaits: one that has been woken, but for which there is no processor,
// is in no turn, and nobody is to blame.
func TestWatchdogKnowsThatALoopWaits(t *testing.T) {
	inner, err := loop.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	poller := &deafPoller{Poller: inner}
	w := &watchedLoop{t: t, clock: &handTurned{}}
	if w.Loop, err = loop.New(loop.Options{Poller: poller, Logger: w.log.logger()}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- w.Run() }()
	w.watchdog = loop.NewWatchdog(w.log.logger(), w.clock, w.Loop)
	w.pass()
	waitUntil(t, "the loop, which has nothing to do, waits for events", w.InPoller)
	poller.deaf.Store(true)
	w.tick(5 * (2 + loop.TicksPerThreshold))
	w.want("the loop waits for events", 0, 0)

	poller.deaf.Store(false)
	_ = poller.Wake() // for the post of the watchdog, whose own was not heard
	release := w.block()
	w.tick(2 + loop.TicksPerThreshold)
	w.want("then a turn does not end", 1, 0)
	release()
	w.Stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestBlameIsLogged: what runs on the loop finds that it was stuck, and says why.
func TestBlameIsLogged(t *testing.T) {
	w := watchLoop(t)
	blocked, open := make(chan struct{}), make(chan struct{})
	stuck := make(chan bool, 3)
	err := w.Post(func() {
		stuck <- w.Stuck()
		waitForTheTest(blocked, open)
		stuck <- w.Stuck()
		w.Blame("order", 66)
	})
	if err != nil {
		t.Fatal(err)
	}
	<-blocked
	w.tick(2 + loop.TicksPerThreshold)
	close(open)
	w.pass()
	if err := w.Post(func() { stuck <- w.Stuck(); w.Blame("order", 67) }); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if before, after, later := <-stuck, <-stuck, <-stuck; before || !after || later {
		t.Errorf("the loop should be stuck only when the watchdog has said so: before %t, after %t, in the next turn %t", before, after, later)
	}
	w.want("the turn has ended", 1, 1)
	if !strings.Contains(w.log.String(), "order=66") || strings.Contains(w.log.String(), "order=67") {
		t.Errorf("the end should be logged with order 66, and not with 67, which no turn was stuck in:\n%s", w.log.String())
	}
}

// TestWatchRuns: with ticks of its own it does the same, until it is stopped.
func TestWatchRuns(t *testing.T) {
	seen := make(chan struct{})
	var once sync.Once
	logger := slog.New(slog.NewTextHandler(writer(func(line []byte) {
		if bytes.Contains(line, []byte("waitForTheTest")) {
			once.Do(func() { close(seen) })
		}
	}), nil))
	l := start(t, 1, loop.Options{}).Loops()[0]
	watchdog := loop.Watch(time.Millisecond, logger, l)
	blocked, open := make(chan struct{}), make(chan struct{})
	if err := l.Post(func() { waitForTheTest(blocked, open) }); err != nil {
		t.Fatal(err)
	}
	<-seen
	watchdog.Stop()
	close(open)
}

// TestWatchIsRoused: it sees a loop block that was asleep before.
func TestWatchIsRoused(t *testing.T) {
	seen := make(chan struct{}, 3)
	logger := slog.New(slog.NewTextHandler(writer(func(line []byte) {
		if bytes.Contains(line, []byte("does not end")) && bytes.Contains(line, []byte("waitForTheTest")) {
			seen <- struct{}{}
		}
	}), nil))
	l := start(t, 1, loop.Options{}).Loops()[0]
	watchdog := loop.Watch(time.Millisecond, logger, l)
	defer watchdog.Stop()
	for range 3 {
		waitUntil(t, "the loop, which has nothing to do, is asleep", l.Asleep)
		blocked, open := make(chan struct{}), make(chan struct{})
		if err := l.Post(func() { waitForTheTest(blocked, open) }); err != nil {
			t.Fatal(err)
		}
		<-blocked
		select {
		case <-seen:
		case <-time.After(20 * time.Second):
			t.Error("a loop that was asleep blocks, and nobody says so")
		}
		close(open)
	}
}

// writer lets a function be an io.Writer.
type writer func(p []byte)

func (f writer) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
