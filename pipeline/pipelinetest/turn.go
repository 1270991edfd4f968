package pipelinetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/penstock-go/penstock/pipeline"
)

// ErrStopped is what Post and Submit return after Stop.
var ErrStopped = errors.New("pipelinetest: the turn was stopped")

// A Turn is a loop turned by hand, for one stream: pipeline's Waker, Poster and Executor in one. Nothing happens but
// in Step, and what happens there is chosen by the seed. All but Post is for one goroutine, that of the test.
type Turn struct {
	t      Reporter
	random *rand.Rand
	run    string  // describes the run, for failures
	share  float64 // of the places where a Stream may be pending, how many are

	mu      sync.Mutex // guards posts and stopped
	posts   []func()
	stopped bool

	later   []func()
	polls   int
	polling bool // the consumer is in Poll: there is demand
	closes  int  // how often the consumer has closed
	aborts  int  // how often it was told that the stream was aborted
	woken   bool
	failed  bool
	checks  []func() // what must hold once the stream was closed
}

// NewTurn returns a turn that tells failures to t and makes its choices by seed.
func NewTurn(t Reporter, seed uint64) *Turn {
	return newTurn(t, seed, mixed, fmt.Sprintf("seed %d", seed))
}

// mixed is the first of the rounds in which a Stream is pending at some places and not at others.
const mixed = 3

func newTurn(t Reporter, seed, round uint64, run string) *Turn {
	turn := &Turn{t: t, random: rand.New(rand.NewPCG(seed, round)), run: run}
	switch {
	case round >= mixed:
		turn.share = turn.random.Float64()
	case round > 0:
		turn.share = 1
	}
	return turn
}

// Wake notes that the stream was woken.
func (turn *Turn) Wake() { turn.woken = true }

// Woken reports whether Wake was called since it was last asked.
func (turn *Turn) Woken() bool {
	woken := turn.woken
	turn.woken = false
	return woken
}

// Post has f run in a later Step, after what was posted before. It may be called on any goroutine. After Stop it
// returns ErrStopped.
func (turn *Turn) Post(f func()) error {
	turn.mu.Lock()
	defer turn.mu.Unlock()
	if turn.stopped {
		return ErrStopped
	}
	turn.posts = append(turn.posts, f)
	return nil
}

// Submit has task run in a later Step, in no particular order, on the goroutine of that Step. After Stop it returns
// ErrStopped.
func (turn *Turn) Submit(task func()) error {
	turn.mu.Lock()
	stopped := turn.stopped
	turn.mu.Unlock()
	if stopped {
		return ErrStopped
	}
	turn.Later(task)
	return nil
}

// Later has f run in a later Step, in no particular order.
func (turn *Turn) Later(f func()) { turn.later = append(turn.later, f) }

// Stop has Post and Submit refuse from now on. What they took still runs.
func (turn *Turn) Stop() {
	turn.mu.Lock()
	defer turn.mu.Unlock()
	turn.stopped = true
}

// Step runs one function given to Post, Submit or Later, and returns false if there was none.
func (turn *Turn) Step() bool {
	f := turn.next()
	if f == nil {
		return false
	}
	f()
	return true
}

// next takes one of the functions that may run: the first post, or any of the others.
func (turn *Turn) next() func() {
	turn.mu.Lock()
	defer turn.mu.Unlock()
	choices := len(turn.later)
	if len(turn.posts) > 0 {
		choices++
	}
	if choices == 0 {
		return nil
	}
	i := turn.random.IntN(choices)
	if i == len(turn.later) {
		f := turn.posts[0]
		turn.posts = turn.posts[1:]
		return f
	}
	f := turn.later[i]
	turn.later = append(turn.later[:i], turn.later[i+1:]...)
	return f
}

// settle runs steps until none is left, or reports that there is no end to them.
func (turn *Turn) settle() {
	for range maxSteps {
		if !turn.Step() {
			return
		}
	}
	turn.fail(0, "there was still something to happen after %d steps", maxSteps)
}

const (
	maxSteps = 100_000 // of one run, so that a broken stream does not hold the test
	maxPolls = 100_000
)

// chance is true with the probability p.
func (turn *Turn) chance(p float64) bool { return turn.random.Float64() < p }

// fail reports the first failure of the run; what comes after it is of little use.
func (turn *Turn) fail(broken law, format string, args ...any) {
	if turn.failed {
		return
	}
	turn.failed = true
	turn.t.Helper()
	turn.t.Errorf("%v: %s (after %d polls; %s)", broken, fmt.Sprintf(format, args...), turn.polls, turn.run)
}

// A ticket is the waker of one Poll, so that a wake of an older one is told apart.
type ticket struct {
	turn *Turn
	poll int
}

func (k ticket) Wake() {
	turn := k.turn
	if turn.closes > 0 {
		turn.fail(6, "the waker of poll %d was woken after Close", k.poll)
	}
	if k.poll == turn.polls {
		turn.Wake()
	}
}

// Abort tells the consumer, which is a wake too, for there is an end to poll for.
func (k ticket) Abort(error) {
	k.turn.aborts++
	k.Wake()
}

// Poll polls src as the consumer at the end of the stream does: while it runs, and only then, there is demand.
func Poll[T any](turn *Turn, src pipeline.Source[T]) (T, error) {
	turn.polls++
	turn.woken = false
	turn.polling = true
	defer func() { turn.polling = false }()
	v, err := src.Poll(ticket{turn, turn.polls})
	if err != pipeline.ErrPending && errors.Is(err, pipeline.ErrPending) {
		turn.fail(0, "Poll returned ErrPending wrapped (%v), but it is compared with ==", err)
	}
	return v, err
}

// Close closes src as the consumer at the end of the stream does, runs all the steps that are left, and checks law 6:
// everything upstream is closed once, no wake follows, and closing again does nothing.
func Close[T any](turn *Turn, src pipeline.Source[T]) {
	for range 2 {
		turn.closes++
		src.Close()
		turn.settle()
		for _, check := range turn.checks {
			check()
		}
	}
}

// Drain polls src to its end, running a step whenever it is pending, and returns the values and the end. It reports a
// stream that is pending with nothing left to happen. Chunks of bytes are copied. It does not close src.
func Drain[T any](turn *Turn, src pipeline.Source[T]) ([]T, error) {
	var got []T
	for range maxPolls {
		v, err := Poll(turn, src)
		switch {
		case err == nil:
			got = append(got, keep(v))
		case err != pipeline.ErrPending:
			return got, err
		case !turn.wait(0):
			return got, err
		}
	}
	turn.fail(0, "the stream had not ended after %d polls", maxPolls)
	return got, nil
}

// wait runs steps until the stream is woken. With the probability spurious it returns without that, before each step.
// It returns false if nothing is left that could wake the stream.
func (turn *Turn) wait(spurious float64) bool {
	for !turn.Woken() {
		if turn.chance(spurious) {
			return true
		}
		if !turn.Step() {
			turn.fail(4, "the stream is pending, its waker was not woken, and nothing is left to happen")
			return false
		}
	}
	return true
}
