package loop

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Theory.
//
// A loop is stuck when one of its turns does not end. A watchdog finds that out on a
// goroutine of its own. All that it has of a loop is a mark, one word:
//
//		          a turn begins            tick           ticks
//		resting, asleep ───────▶ working ───────▶ asked ────────▶ stuck
//		   ▲                                        │               │
//		   └────────────────────────────────────────┴───────────────┘
//		                        a turn ends
//
//	  - working: a turn has begun since the mark was resting. Whether it has ended is not
//	    noted: that would be a write in each turn.
//	  - asked: the watchdog wants to be told of the next end of a turn.
//	  - resting: it was told, and no turn has begun since.
//	  - asleep: it is resting, and was at the tick before. The turn that begins then says so
//	    (roused).
//	  - stuck: it has found that a turn does not end.
//
// Rules:
//
//  1. The loop loads the mark when a turn begins and when one ends, and writes it only
//     to leave resting, asked or stuck. That is all that a turn pays.
//  2. The watchdog leaves working, and asked by comparing and swapping: the loop may be
//     quicker.
//  3. A loop that was asked may be asleep, with no turn to end. So at the next tick it is
//     given something to do. From then on, as long as it is asked, it is in one turn.
//  4. A loop that is resting is left alone: an idle one is not woken again and again. When
//     all loops are asleep the watchdog has no ticks: an idle process is not woken either.
//  5. The mark says stuck before it is logged, so that who is to blame is found however
//     soon the turn ends then. Until it has been logged the watchdog holds a lock, which
//     the loop takes to log the end: that is never logged ahead of the beginning.
const (
	markWorking uint32 = iota
	markResting
	markAsked
	markStuck
	markAsleep
)

// ticksPerThreshold is how often a watchdog looks within its threshold.
const ticksPerThreshold = 2

// A Watchdog logs when a loop is stuck: in one turn for longer than a threshold, because
// something that runs on it blocks or computes for too long.
type Watchdog struct {
	logger  *slog.Logger
	clock   Clock
	watched []*watched
	roused  chan struct{} // holds one token: a turn has begun on a loop that was asleep
	stop    chan struct{}
	done    chan struct{}
}

// watched is a loop as its watchdog knows it. Owned by the watchdog's goroutine.
type watched struct {
	loop   *Loop
	ticks  int           // since it was asked
	posted time.Duration // when it was given something to do
	ended  bool
}

// stall is what there is to say of a turn that does not end. The watchdog writes it
// before it marks the loop as stuck; then it is the loop's.
type stall struct {
	logging *sync.Mutex   // held by the watchdog until it has logged the beginning
	begin   time.Duration // on clock: it had begun by then
	clock   Clock
	logger  *slog.Logger
	in      string
	blame   []any
}

// Watch starts a watchdog over the loops. It logs, as a warning, a turn that has been
// going on for longer than threshold, at the latest when that has been twice as long: with
// the function that the loop is in and its stack. When the turn ends after all, it logs
// for how long it has been going on. Nothing is logged in between.
//
// It costs a loop two loads of a word for each turn, and one wake-up when it falls idle. While
// all loops are idle it does nothing.
// To take a stack, all goroutines are stopped for a moment.
func Watch(threshold time.Duration, logger *slog.Logger, loops ...*Loop) *Watchdog {
	w := newWatchdog(logger, monotonicClock{epoch: time.Now()}, loops...)
	go w.run(max(threshold/ticksPerThreshold, time.Microsecond))
	return w
}

func newWatchdog(logger *slog.Logger, clock Clock, loops ...*Loop) *Watchdog {
	w := &Watchdog{logger: logger, clock: clock,
		roused: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	for _, l := range loops {
		w.watched = append(w.watched, &watched{loop: l})
	}
	return w
}

// Stop ends the watching and waits until nothing more is logged by the watchdog's own
// goroutine. It is called once, on any goroutine.
func (w *Watchdog) Stop() {
	close(w.stop)
	<-w.done
}

func (w *Watchdog) run(interval time.Duration) {
	defer close(w.done)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if w.tick() {
				ticker.Stop()
			}
		case <-w.roused:
			ticker.Reset(interval)
		case <-w.stop:
			return
		}
	}
}

// tick looks at every loop. It returns whether all of them are asleep, or have ended: then
// there is nothing to look at before one of them rouses the watchdog.
func (w *Watchdog) tick() (asleep bool) {
	asleep = true
	for _, loop := range w.watched {
		if !loop.ended {
			w.look(loop)
			asleep = asleep && loop.loop.mark.Load() == markAsleep
		}
	}
	return asleep
}

func (w *Watchdog) look(loop *watched) {
	switch loop.loop.mark.Load() {
	case markResting:
		loop.loop.roused = w.roused // before the mark, after which the loop may read it
		loop.loop.mark.CompareAndSwap(markResting, markAsleep)
	case markWorking:
		if loop.loop.mark.CompareAndSwap(markWorking, markAsked) {
			loop.ticks = 0
		}
	case markAsked:
		loop.ticks++
		if loop.ticks == 1 {
			loop.posted = w.clock.Now()
			loop.ended = loop.loop.Post(func() {}) != nil
		} else if loop.ticks > ticksPerThreshold {
			w.report(loop)
		}
	}
}

// report logs that a loop is stuck.
func (w *Watchdog) report(loop *watched) {
	l := loop.loop
	goroutine := l.runsOn()
	if goroutine == 0 {
		return // nobody runs it yet
	}
	stack := stackOf(goroutine)
	if l.mark.Load() != markAsked {
		return // it was about to end
	}
	in := innermost(stack)
	if isInPoller(in) {
		loop.ticks = 1 // the processors are busy elsewhere: it has yet to wake up
		return
	}
	var logging sync.Mutex
	logging.Lock()
	defer logging.Unlock()
	l.stall = stall{logging: &logging, begin: loop.posted, clock: w.clock, logger: w.logger, in: in}
	if l.mark.CompareAndSwap(markAsked, markStuck) {
		w.logger.Warn("loop: a turn does not end; everything else on the loop waits for it",
			"for", w.clock.Now()-loop.posted, "in", in, "stack", stack)
	}
}

// isInPoller says whether a loop that is in this function waits for events, so in no turn.
func isInPoller(function string) bool {
	return strings.HasPrefix(function, "golang.org/x/sys/unix.EpollWait ") ||
		strings.HasPrefix(function, "github.com/panjf2000/gnet/v2/pkg/netpoll.")
}

// turnBegan tells the watchdog that the loop is not resting any more.
func (l *Loop) turnBegan() {
	if l.mark.Swap(markWorking) == markAsleep {
		select {
		case l.roused <- struct{}{}:
		default: // it has yet to take what another loop has said
		}
	}
}

// turnEnded tells the watchdog, which has asked for it, that a turn has ended.
func (l *Loop) turnEnded() {
	if l.mark.Swap(markResting) == markStuck {
		l.stall.log()
		l.stall = stall{}
	}
}

func (s *stall) log() {
	s.logging.Lock() // the beginning has been logged
	defer s.logging.Unlock()
	s.logger.Warn("loop: the turn that did not end has ended",
		append([]any{"after", s.clock.Now() - s.begin, "in", s.in}, s.blame...)...)
}

// Stuck reports whether a watchdog has found that the loop's present turn does not end.
// What runs on the loop may ask before and after it calls something, to know whether that
// was to blame. It is one load, and false for a loop that nobody watches.
func (l *Loop) Stuck() bool { return l.mark.Load() == markStuck }

// Blame adds attributes, as log/slog takes them, to what is logged when the turn ends that
// the loop is stuck in. If the loop is not stuck it does nothing.
func (l *Loop) Blame(attributes ...any) {
	if l.Stuck() {
		l.stall.blame = append(l.stall.blame, attributes...)
	}
}
