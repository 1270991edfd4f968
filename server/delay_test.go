package server

import (
	"io"
	"math"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// note is a waker that counts.
type note struct{ wakes int }

func (n *note) Wake() { n.wakes++ }

// wantTime checks what a source of times says.
func wantTime(t *testing.T, why string, src pipeline.Source[time.Duration], w pipeline.Waker, want time.Duration, wantErr error) {
	t.Helper()
	if got, err := src.Poll(w); got != want || err != wantErr {
		t.Errorf("%s: Poll returned %v and %v, %v and %v were expected", why, got, err, want, wantErr)
	}
}

// timed lets time go by in steps of the turn while its source waits for it.
type timed struct {
	pipeline.Source[time.Duration]
	turn    *pipelinetest.Turn
	loop    *looptest.Loop
	waiting bool
	passing bool
}

func (s *timed) Poll(w pipeline.Waker) (time.Duration, error) {
	v, err := s.Source.Poll(w)
	s.waiting = err == pipeline.ErrPending
	if s.waiting && !s.passing {
		s.passing = true
		s.turn.Later(s.pass)
	}
	return v, err
}

func (s *timed) Close() {
	s.Source.Close()
	s.waiting = false
}

func (s *timed) pass() {
	s.loop.Advance(time.Second / 2)
	if s.passing = s.waiting; s.passing {
		s.turn.Later(s.pass)
	}
}

func TestDelayKeepsTheLaws(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[time.Duration]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[time.Duration] {
			l := looptest.New(t)
			return &timed{Source: newDelay(l.Loop, time.Second), turn: turn, loop: l}
		},
		Want: []time.Duration{time.Second}, Rounds: 10,
	})
}

func TestDelayBeginsWhenItIsPolled(t *testing.T) {
	l, w := looptest.New(t), new(note)
	d := newDelay(l.Loop, time.Second)
	l.Advance(time.Minute)
	wantTime(t, "first polled", d, w, 0, pipeline.ErrPending)
	l.Advance(time.Second - time.Millisecond)
	wantTime(t, "a millisecond early", d, w, 0, pipeline.ErrPending)
	if w.wakes != 0 {
		t.Error("the consumer was woken before the time had come")
	}
	l.Advance(time.Millisecond)
	if w.wakes != 1 {
		t.Errorf("the consumer was woken %d times when the time had come, once was expected", w.wakes)
	}
	wantTime(t, "when the time has come", d, w, time.Second, nil)
	wantTime(t, "behind the value", d, w, 0, io.EOF)
	d.Close()
	wantTime(t, "closed after its end", d, w, 0, io.EOF)
}

func TestDelayThatIsOverIsThereAtOnce(t *testing.T) {
	for _, after := range []time.Duration{0, -time.Second} {
		wantTime(t, after.String(), newDelay(looptest.New(t).Loop, after), new(note), 0, nil)
	}
}

func TestDelayPolledLateButBeforeItsTimerHoldsNoTimer(t *testing.T) {
	l, w := looptest.New(t), new(note)
	d := newDelay(l.Loop, time.Second)
	wantTime(t, "first polled", d, w, 0, pipeline.ErrPending)
	l.Jump(time.Second)
	wantTime(t, "polled without being woken", d, w, time.Second, nil)
	l.Advance(time.Second)
	if w.wakes != 0 {
		t.Error("a consumer that has its value was woken")
	}
}

func TestClosedDelayWakesNobody(t *testing.T) {
	l, w := looptest.New(t), new(note)
	d := newDelay(l.Loop, time.Second)
	wantTime(t, "first polled", d, w, 0, pipeline.ErrPending)
	d.Close()
	d.Close()
	l.Advance(time.Minute)
	if w.wakes != 0 {
		t.Error("the source was closed, then its consumer was woken")
	}
	wantTime(t, "closed before its end", d, w, 0, pipeline.ErrClosed)
}

// A time that is later than can be told has not passed already.
func TestDelayForEverIsNotOverAtOnce(t *testing.T) {
	l, w := looptest.New(t), new(note)
	l.Advance(time.Hour)
	d := newDelay(l.Loop, math.MaxInt64)
	wantTime(t, "first polled", d, w, 0, pipeline.ErrPending)
	l.Advance(1000 * time.Hour)
	wantTime(t, "after a while", d, w, 0, pipeline.ErrPending)
	if w.wakes != 0 {
		t.Errorf("the consumer was woken %d times for a time that never comes", w.wakes)
	}
	d.Close()
}
