package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

var (
	errNames     = errors.New("the name servers are on holiday")
	firstAnswer  = []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}
	secondAnswer = []netip.Addr{netip.MustParseAddr("192.0.2.2")}
)

// handNames is a nameCache in a test that turns everything by hand: the clock, the workers, and the loop that polls.
// A worker that the test does not let run is one whose resolver hangs.
type handNames struct {
	*nameCache
	t      *testing.T
	turn   *pipelinetest.Turn
	time   time.Time
	timers []*handTimer
	work   []func() // that workers have and the test has not let run
	full   bool     // the executor refuses

	asked   []string                // hosts that the resolver was asked for
	answer  map[string][]netip.Addr // what it says; errNames of others
	fails   error                   // if not nil, what it says of all
	context context.Context         // of the latest question
	panics  any
}

type handTimer struct {
	at      time.Time
	f       func()
	stopped bool
}

func newHandNames(t *testing.T, o nameOptions) *handNames {
	h := &handNames{t: t, turn: pipelinetest.NewTurn(t, 1), time: time.Unix(1e9, 0), answer: map[string][]netip.Addr{}}
	o.resolver, o.executor, o.after = h, h, h.after
	o.now = func() time.Time { return h.time }
	h.nameCache = newNameCache(o)
	return h
}

func (h *handNames) Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	h.asked, h.context = append(h.asked, host), ctx
	if h.panics != nil {
		panic(h.panics)
	}
	if answer := h.answer[host]; answer != nil && h.fails == nil {
		return answer, nil
	}
	if h.fails == nil {
		return nil, errNames
	}
	return nil, h.fails
}

func (h *handNames) Submit(task func()) error {
	if h.full {
		return errors.New("no worker is left")
	}
	h.work = append(h.work, task)
	return nil
}

func (h *handNames) after(d time.Duration, f func()) func() bool {
	timer := &handTimer{at: h.time.Add(d), f: f}
	h.timers = append(h.timers, timer)
	return func() bool { timer.stopped = true; return true }
}

// advance lets time go by, and then calls the timers that are due.
func (h *handNames) advance(d time.Duration) {
	h.time = h.time.Add(d)
	for i := 0; i < len(h.timers); i++ { // a timer may set another
		if timer := h.timers[i]; !timer.stopped && !timer.at.After(h.time) {
			timer.stopped = true
			timer.f()
		}
	}
	h.timers = slices.DeleteFunc(h.timers, func(timer *handTimer) bool { return timer.stopped })
}

// setTimers are those that are set.
func (h *handNames) setTimers() []*handTimer {
	return slices.DeleteFunc(slices.Clone(h.timers), func(timer *handTimer) bool { return timer.stopped })
}

// run lets the worker run that has waited longest.
func (h *handNames) run() {
	h.t.Helper()
	if len(h.work) == 0 {
		h.t.Fatal("a question should have been given to a worker, and none was")
	}
	task := h.work[0]
	h.work = h.work[1:]
	task()
}

// knows checks that host is answered at once, with addresses.
func (h *handNames) knows(host, why string, want ...netip.Addr) {
	h.t.Helper()
	src := h.resolve(h.turn, host)
	defer src.Close()
	checkAnswer(h.t, h.turn, src, why, want, nil)
}

// refuses checks that host is answered at once, with an error.
func (h *handNames) refuses(host, why string, want error) {
	h.t.Helper()
	src := h.resolve(h.turn, host)
	defer src.Close()
	checkAnswer(h.t, h.turn, src, why, nil, want)
}

// waits checks that host is not answered at once, and returns who waits.
func (h *handNames) waits(host, why string) pipeline.Source[[]netip.Addr] {
	h.t.Helper()
	src := h.resolve(h.turn, host)
	h.t.Cleanup(src.Close)
	if addresses, err := src.Poll(h.turn); err != pipeline.ErrPending {
		h.t.Fatalf("%s: there should be nothing known of %s, and at once it is %v, %v", why, host, addresses, err)
	}
	return src
}

// gets checks that who has waited is told addresses, with a wake.
func (h *handNames) gets(src pipeline.Source[[]netip.Addr], why string, want ...netip.Addr) {
	h.t.Helper()
	h.settle()
	checkAnswer(h.t, h.turn, src, why, want, nil)
}

// isRefused checks that who has waited is told an error, with a wake.
func (h *handNames) isRefused(src pipeline.Source[[]netip.Addr], why string, want error) {
	h.t.Helper()
	h.settle()
	checkAnswer(h.t, h.turn, src, why, nil, want)
}

func (h *handNames) settle() {
	for h.turn.Step() {
	}
}

func checkAnswer(t *testing.T, w pipeline.Waker, src pipeline.Source[[]netip.Addr], why string, want []netip.Addr, wantErr error) {
	t.Helper()
	got, err := src.Poll(w)
	if !slices.Equal(got, want) || !errors.Is(err, wantErr) {
		t.Fatalf("%s: the answer should be %v, %v, and is %v, %v", why, want, wantErr, got, err)
	}
	if wantErr != nil {
		return
	}
	if _, err := src.Poll(w); err != io.EOF {
		t.Fatalf("%s: behind the addresses should be io.EOF, and is %v", why, err)
	}
}

func noSuchName(host string) error {
	return &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}
