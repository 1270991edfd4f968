package loop

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Theory.
//
// A loop is a sequence of turns. One turn is one event that the poller reports: a
// socket became ready, the alarm went off, or another goroutine woke the loop. In a turn
//
//  1. the event's own work runs: the socket's handler, the timers that are due, or the
//     posts that have come;
//  2. the tasks that were scheduled run, each once at most, and not more than a budget;
//  3. the alarm is set, if the earliest timer is now earlier than the alarm.
//
// The poller hands over events in batches, and one turn follows another until the
// batch is used up. Rules, and what each is for:
//
//   - What has run in this turn and is scheduled again, and what is posted while posts
//     run, waits for the next Woken turn. For that turn the loop wakes itself, and the
//     wake-up stands in line behind the sockets that are ready: no work that renews
//     itself can starve them.
//   - The tasks beyond the budget of a turn wait for Woken turns as well, which have the
//     same budget for them: however many are woken at once, sockets and timers that are
//     ready do not wait for all of them. See tasks.
//   - One wake-up at most is on its way at any time (woken), however many posts and
//     tasks wait for it.
//   - A closed socket loses its handler at once, but its descriptor is closed behind the
//     batch. So its number cannot be given to a new connection while an old event with
//     that number is still to be reported. An event without a socket is dropped.
//   - A panic ends what it happened in, and nothing else. See Panicker.
//   - The clock is read when somebody asks for the time, and at most once in a turn.
//   - Sealed: once posts are refused, nothing writes to the poller's descriptors any
//     more; only then are they closed. Accepted posts have all run by then.

// Options are the settings of a loop. The zero value is ready for use.
type Options struct {
	// Logger gets panics and failures that no caller is there to be told of. Nil means
	// slog.Default().
	Logger *slog.Logger

	// Poller and Clock, when not nil, replace epoll and the monotonic clock. They are for
	// tests: see package looptest.
	Poller Poller
	Clock  Clock
}

// A Loop runs the sockets, tasks and timers that belong to it, on one goroutine.
type Loop struct {
	poller Poller
	clock  Clock
	logger *slog.Logger

	// Owned by the loop's goroutine.
	sockets      []*Socket // by descriptor
	attached     int
	closing      []int           // descriptors to close behind the batch
	closeWaiters []chan struct{} // closed when those descriptors are
	tasks        tasks
	wheel        wheel
	alarmAt      int64 // tick the alarm is set to; noTick when it is not
	turn         uint32
	inTurn       bool
	knowsNow     bool
	now          time.Duration
	running      any // what is being run, to name it when it panics
	lent         buffers
	pipes        pipes
	batch        []func()
	batchRun     int  // how many of batch have been started
	ended        bool // no socket can be attached any more

	over chan struct{} // closed when the loop has ended and all its sockets are closed

	mark   atomic.Uint32   // what a watchdog knows of the loop, see watchdog.go
	roused chan<- struct{} // of the watchdog; read only when the mark was asleep
	stall  stall

	// Shared with other goroutines.
	mu       sync.Mutex
	posts    []func()
	woken    bool // a wake-up is on its way
	stopping bool
	started  bool
	sealed   bool   // posts are refused
	runner   uint64 // number of the goroutine that is in Run; 0: none
}

// New makes a loop that is not running yet. It holds descriptors: Run releases them, so
// a loop that is no longer wanted is stopped and then run.
func New(o Options) (*Loop, error) {
	l := &Loop{poller: o.Poller, clock: o.Clock, logger: o.Logger, alarmAt: noTick, over: make(chan struct{})}
	l.tasks.budget = taskBudget
	if l.logger == nil {
		l.logger = slog.Default()
	}
	if l.clock == nil {
		l.clock = monotonicClock{epoch: time.Now()}
	}
	if l.poller == nil {
		p, err := newEpollPoller()
		if err != nil {
			return nil, err
		}
		l.poller = p
	}
	l.poller.Start(turns{l})
	return l, nil
}

// Run makes the calling goroutine the loop's and runs turns until Stop is called, or
// until the poller fails, which is the error it returns. Before it returns it refuses
// posts, runs those it has accepted and the tasks that are waiting, closes every socket
// that is still attached (their handlers are not called) and releases the loop's
// descriptors. A loop runs once: a second call returns an error.
func (l *Loop) Run() error {
	l.mu.Lock()
	if l.started {
		l.mu.Unlock()
		return errors.New("loop: Run was called on a loop that was run before; a loop runs once")
	}
	l.started, l.runner = true, goroutineNumber()
	l.mu.Unlock()

	err := l.poller.Run()
	l.finish()
	l.mu.Lock()
	l.runner = 0
	l.mu.Unlock()
	if closeErr := l.poller.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("loop: the poller could not be closed: %w", closeErr)
	}
	return err
}

// finish is the last turn: what was accepted runs, however much it is, and what is left is
// closed.
func (l *Loop) finish() {
	l.mu.Lock()
	l.sealed = true
	l.mu.Unlock()

	l.beginTurn()
	l.takePosts()
	l.tasks.budget = math.MaxInt
	l.tasks.callPutOff()
	l.runPosts()
	l.runTasks()
	for _, s := range l.sockets {
		if s != nil {
			s.Close()
		}
	}
	l.closeDescriptors()
	l.closePipes()
	l.ended = true
	l.inTurn = false
	l.turnEnded()
	close(l.over)
}

// Current reports whether the calling goroutine is the one that runs the loop: then waiting for
// something that the loop does would never end. Any goroutine; it takes about a microsecond.
func (l *Loop) Current() bool {
	runner := l.runsOn()
	return runner != 0 && runner == goroutineNumber()
}

// runsOn is the number of the goroutine that runs the loop; 0 for a loop that is not run.
// Any goroutine.
func (l *Loop) runsOn() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.runner
}

// Stop makes Run return once the turns that are already due have run. It does not wait
// for that. Any goroutine, any number of times, also before Run.
func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopping = true
	l.wakeLocked()
}

// wakeLocked asks for a Woken turn, unless one is on its way. The caller holds l.mu:
// that is what keeps a late wake-up from writing to a descriptor that has been closed.
func (l *Loop) wakeLocked() {
	if l.woken || l.sealed {
		return
	}
	l.woken = true
	if err := l.poller.Wake(); err != nil {
		l.woken = false
		l.logger.Error("loop: the loop could not be woken", "error", err)
	}
}

// wake is wakeLocked for callers that do not hold l.mu.
func (l *Loop) wake() {
	l.mu.Lock()
	l.wakeLocked()
	l.mu.Unlock()
}

// Now is the loop's time: monotonic, since the loop was made. It does not move within a
// turn: the clock is read at the first call and not again before the next turn.
func (l *Loop) Now() time.Duration {
	if !l.inTurn {
		return l.clock.Now()
	}
	if !l.knowsNow {
		l.now, l.knowsNow = l.clock.Now(), true
	}
	return l.now
}

// Held counts what a loop is holding at the moment.
type Held struct {
	Sockets int // attached and not closed
	Tasks   int // scheduled
	Timers  int // armed
	Pipes   int // lent
}

// Held reports what the loop holds.
func (l *Loop) Held() Held {
	return Held{
		Sockets: l.attached,
		Tasks:   l.tasks.turn.length + l.tasks.later.length,
		Timers:  l.wheel.armed,
		Pipes:   len(l.pipes.made) - len(l.pipes.idle),
	}
}
