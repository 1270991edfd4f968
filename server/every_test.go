package server

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// firstTicks is what a source gives, up to a number of values.
type firstTicks struct {
	pipeline.Source[time.Duration]
	left int
}

func (s *firstTicks) Poll(w pipeline.Waker) (time.Duration, error) {
	if s.left == 0 {
		return 0, errEnoughTicks
	}
	v, err := s.Source.Poll(w)
	if err == nil {
		s.left--
	}
	return v, err
}

var errEnoughTicks = errors.New("the ticks that the test wants have come")

func TestTickerKeepsTheLaws(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[time.Duration]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[time.Duration] {
			l := looptest.New(t)
			return &firstTicks{&timed{Source: newTicker(l.Loop, time.Second), turn: turn, loop: l}, 3}
		},
		Want: []time.Duration{1, 2, 3}, WantEnd: errEnoughTicks, Rounds: 10,
		Same: func(got, want []time.Duration) bool { // spurious polls let more time go by
			for i, v := range got {
				if v < want[i]*time.Second || i > 0 && v/time.Second == got[i-1]/time.Second {
					return false
				}
			}
			return len(got) == len(want)
		},
	})
}

func TestTickerGivesEachInterval(t *testing.T) {
	l, w := looptest.New(t), new(note)
	l.Advance(time.Minute)
	src := newTicker(l.Loop, time.Second)
	l.Advance(time.Minute)
	for tick := 1; tick <= 5; tick++ {
		wantTime(t, "before the tick", src, w, 0, pipeline.ErrPending)
		l.Advance(time.Second - time.Millisecond)
		wantTime(t, "a millisecond early", src, w, 0, pipeline.ErrPending)
		if w.wakes != tick-1 {
			t.Errorf("the consumer was woken %d times before tick %d, once for each tick was expected", w.wakes, tick)
		}
		l.Advance(time.Millisecond)
		wantTime(t, "at the tick", src, w, time.Duration(tick)*time.Second, nil)
	}
	src.Close()
}

func TestTickerSkipsWhatNobodyFetched(t *testing.T) {
	l, w := looptest.New(t), new(note)
	src := newTicker(l.Loop, time.Second)
	wantTime(t, "first polled", src, w, 0, pipeline.ErrPending)
	l.Advance(3500 * time.Millisecond)
	if w.wakes != 1 {
		t.Errorf("a consumer that does not poll was woken %d times, once was expected", w.wakes)
	}
	wantTime(t, "fetched late", src, w, 3500*time.Millisecond, nil)
	wantTime(t, "what was missed is not made up for", src, w, 0, pipeline.ErrPending)
	l.Advance(499 * time.Millisecond)
	wantTime(t, "before the grid's next", src, w, 0, pipeline.ErrPending)
	l.Advance(time.Millisecond)
	wantTime(t, "on the grid again", src, w, 4*time.Second, nil)
	wantTime(t, "before the next", src, w, 0, pipeline.ErrPending)
	l.Jump(time.Second)
	wantTime(t, "polled when the next is due, without being woken", src, w, 5*time.Second, nil)
	wantTime(t, "one value for each tick", src, w, 0, pipeline.ErrPending)
	wakes := w.wakes
	l.Advance(time.Second - time.Millisecond)
	if w.wakes != wakes {
		t.Error("the consumer was woken by a timer whose tick it has fetched before")
	}
	src.Close()
}

func TestClosedTickerWakesNobody(t *testing.T) {
	l, w := looptest.New(t), new(note)
	src := newTicker(l.Loop, time.Second)
	wantTime(t, "first polled", src, w, 0, pipeline.ErrPending)
	src.Close()
	src.Close()
	l.Advance(time.Minute)
	if w.wakes != 0 {
		t.Error("the source was closed, then its consumer was woken")
	}
	wantTime(t, "closed", src, w, 0, pipeline.ErrClosed)
}

func TestTickerAllocatesNothing(t *testing.T) {
	l, w := looptest.New(t), new(note)
	src := newTicker(l.Loop, time.Second)
	wantTime(t, "first polled", src, w, 0, pipeline.ErrPending)
	ticks := 0
	allocations := testing.AllocsPerRun(100, func() {
		l.Jump(time.Second)
		l.Poll()
		if _, err := src.Poll(w); err == nil {
			ticks++
		}
		_, _ = src.Poll(w)
	})
	if allocations != 0 || ticks != 101 || w.wakes != 101 {
		t.Errorf("%v allocations per tick, %d ticks and %d wakes; none, 101 and 101 were expected", allocations, ticks, w.wakes)
	}
	src.Close()
}

func TestTickerOfAnEndlessInterval(t *testing.T) {
	l, w := looptest.New(t), new(note)
	l.Advance(time.Hour)
	src := newTicker(l.Loop, math.MaxInt64)
	wantTime(t, "first polled", src, w, 0, pipeline.ErrPending)
	l.Advance(1000 * time.Hour)
	wantTime(t, "after a while", src, w, 0, pipeline.ErrPending)
	src.Close()
}

func TestEveryRefusesANonsensicalInterval(t *testing.T) {
	for _, interval := range []time.Duration{0, -time.Second} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a ticker of %v was made, a panic was expected", interval)
				}
			}()
			newTicker(looptest.New(t).Loop, interval)
		}()
	}
}

func TestEveryAnswersAClientUntilItLeaves(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		return Stream(200, "", pipeline.Map(r.Every(time.Second), func(since time.Duration) ([]byte, error) {
			return []byte(since.String()), nil
		})).OpenEnded()
	}, Options{})
	s.send(getRequest)
	s.wantAnswers("the head of a ticker", "200")
	for _, want := range []string{"2\r\n1s\r\n", "2\r\n2s\r\n", "2\r\n3s\r\n"} {
		s.loop.Advance(time.Second)
		if got := s.receive(); got != want {
			t.Errorf("after a second the client was sent %q, %q was expected", got, want)
		}
	}
	s.finish()
	s.loop.Settle()
	s.wantClosed("the client has left", ReasonClientClosed) // and the loop holds no timer when the test ends
}
