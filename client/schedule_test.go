package client

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

// performance is a plan on its way. It takes one step after the other in any order: something
// arrives, there is room, the body has more, the consumer polls, time goes by.
type performance struct {
	*plan
	*exchange
	said      string // that has not arrived yet
	delivered int    // bytes that have
	ended     bool   // the upstream has done what it does behind them
	closed    bool   // by the consumer
	chunk     []byte // of the response, with what it was
	was       string
	again     bool // on another connection, the first being stale
}

// perform runs an exchange to its end. It reports what is not as the plan says.
func perform(t testing.TB, l *looptest.Loop, p *plan) {
	f := newFixtureOn(t, l, Options{})
	defer f.close()
	hinder := func(s *script) {
		if s.random = p.random; p.chance(30) {
			s.room = p.random.IntN(100)
		}
	}
	v := &performance{plan: p, said: p.said}
	if p.chance(40) {
		v.exchange = f.doKept(p.request)
		hinder(v.script)
	} else {
		f.prepare = hinder
		v.exchange = f.do(p.request)
		f.prepare = nil
	}
	closes := p.chance(20)
	for range 20 + p.random.IntN(100) {
		if v.step(); v.over() || t.Failed() {
			break
		}
		if closes && p.chance(5) {
			v.leave()
			break
		}
	}
	v.conclude()
	v.judge()
}

func (v *performance) over() bool { return v.closed || v.again || v.exchange.err != nil }

// step does one of the things that may happen next.
func (v *performance) step() {
	switch v.random.IntN(8) {
	case 0, 1:
		v.say(1 + v.random.IntN(40))
	case 2:
		v.drains(v.random.IntN(200))
	case 3:
		if v.body != nil {
			v.body.more(1)
		}
	case 4:
		v.loop.Settle()
	case 5:
		v.loop.Advance(time.Duration(v.random.IntN(300)) * time.Millisecond)
	case 6:
		v.spoilBuffers()
	default:
	}
	if v.chance(50) {
		v.pollOnce()
	}
	v.holds()
}

// say has the next n bytes arrive, or the end.
func (v *performance) say(n int) {
	n = min(n, len(v.said))
	switch {
	case n > 0:
		v.delivered += n
		text := v.said[:n]
		v.said = v.said[n:]
		v.arrives(text)
	case v.ended:
	case v.ending == sendsFIN:
		v.ended = true
		v.ends()
	case v.ending == resets:
		v.ended = true
		v.breaks()
	}
}

// pollOnce polls for the response or for a piece of its body.
func (v *performance) pollOnce() {
	x := v.exchange
	if x.err != nil {
		return
	}
	v.unchanged()
	defer v.noticeSecond()
	if x.response == nil {
		r, err := x.call.Poll(&x.waker)
		if x.response = r; err == pipeline.ErrPending {
			return
		}
		if x.err = err; r != nil && v.chance(30) {
			r.ReleaseHead()
		}
		return
	}
	chunk, err := x.response.Body.Poll(&x.waker)
	if err == pipeline.ErrPending {
		return
	}
	if v.chunk, v.was = chunk, string(chunk); err == io.EOF {
		v.reusedAsPlanned()
	}
	x.got += string(chunk)
	x.err = err
}

// unchanged holds law 7.
func (v *performance) unchanged() {
	if string(v.chunk) != v.was {
		v.t().Errorf("A chunk was %q when it was handed out, and is %q before the next Poll.", v.was, v.chunk)
	}
	v.chunk, v.was = nil, ""
}

// reusedAsPlanned is called when the answer has just ended.
func (v *performance) reusedAsPlanned() {
	sent := string(v.out) == v.wire && (v.body == nil || v.body.ended)
	if v.free {
		return
	}
	want := sent && v.keepAlive && v.delivered == v.length && !v.ended
	if got := v.script.conn.idle; got != want {
		v.t().Errorf("The answer has ended, and the connection waits for another request: %t; %t was expected (sent %t, kept alive %t, %d of %d bytes, ended %t).",
			got, want, sent, v.keepAlive, v.delivered, v.length, v.ended)
	}
}

// noticeSecond sees that a request is sent again only if it may be. The second connection ends at once.
func (v *performance) noticeSecond() {
	if len(v.scripts) == 1 {
		return
	}
	polled := v.body != nil && v.body.polls > 0
	if v.delivered > 0 || len(v.out) > 0 && v.request.Method == "POST" || polled {
		v.t().Errorf("A %s of which %d bytes were sent, with %d of its answer there and its body polled %t, was sent again.",
			v.request.Method, len(v.out), v.delivered, polled)
	}
	v.again = true
	v.givenUp()
	v.script = v.connect()
	v.script.random = nil
	if v.body != nil {
		v.body.more(len(v.body.chunks) + 1)
	}
	v.loop.Settle()
	v.hangsUp()
	if len(v.scripts) > 2 || v.exchange.err == nil {
		v.t().Errorf("A request was sent on %d connections and ends with %v.", len(v.scripts), v.exchange.err)
	}
}

// leave closes what the consumer has.
func (v *performance) leave() {
	v.unchanged()
	v.closed = true
	wakes := v.waker.times
	if v.response != nil {
		v.response.Close()
	} else {
		v.call.Close()
	}
	v.loop.Settle()
	if v.waker.times != wakes {
		v.t().Error("The consumer was woken after it had closed.")
	}
}

// conclude has everything happen that was to happen, and then time run out.
func (v *performance) conclude() {
	finish := func() {
		for range 1000 {
			before := v.got
			if v.pollOnce(); v.got == before && v.response != nil {
				break
			}
		}
		v.loop.Settle()
	}
	if !v.over() {
		v.script.random = nil // from here on all is taken
		v.drains(-1)
		if v.body != nil {
			v.body.more(len(v.body.chunks) + 1)
		}
		v.loop.Settle()
		for !v.over() && len(v.said) > 0 {
			v.say(len(v.said))
			finish()
		}
		v.say(0)
		v.loop.Settle()
		finish()
	}
	for range 3 {
		if !v.over() {
			finish()
			v.loop.Advance(2 * time.Minute)
			finish()
		}
	}
	v.holds()
	v.unchanged()
	if v.over() {
		v.finish()
		return
	}
	if c := v.call.(*call); c.state == callAnswered && c.down {
		v.leave() // a tunnel may last for as long as it likes
		v.finish()
		return
	}
	v.t().Errorf("The exchange has not ended; state %d, got %q.", v.call.(*call).state, v.got)
	v.leave()
}

// holds is what has to be so at any time.
func (v *performance) holds() {
	if !v.again && !strings.HasPrefix(v.wire, string(v.out)) {
		v.t().Errorf("The upstream was sent %q; a beginning of %q was expected.", v.out, v.wire)
	}
	if k := v.script.conn; k.idle && k.call != nil {
		v.t().Error("A connection is idle and carries a call.")
	}
}

// judge compares what came of it with the plan.
func (v *performance) judge() {
	x := v.exchange
	if v.body != nil && v.body.closes != 1 {
		v.t().Errorf("The body of the request was closed %d times.", v.body.closes)
	}
	if v.closed || v.again || v.free {
		return
	}
	if x.err == nil || !v.allows(x.err, x.got) {
		v.t().Errorf("The exchange ends with %v and the content %q of %q, the upstream having said %d of %d bytes and then %d.",
			x.err, x.got, v.content, len(v.plan.said), v.length, v.ending)
	}
	if !v.untilClose && !strings.HasPrefix(v.content, x.got) {
		v.t().Errorf("The content is %q; a beginning of %q was expected.", x.got, v.content)
	}
	if x.response != nil && len(x.inform) != v.informed {
		v.t().Errorf("%d informational responses were told, %d were sent.", len(x.inform), v.informed)
	}
}

// TestSchedules runs exchanges under schedules drawn from seeds. One that fails is repeated with
// its seed in place of the first.
func TestSchedules(t *testing.T) {
	l := looptest.New(t)
	first, schedules := uint64(1), uint64(3000)
	if testing.Short() {
		schedules = 300
	}
	for seed := first; seed < first+schedules; seed++ {
		perform(t, l, newPlan(t, seed))
		if t.Failed() {
			t.Fatalf("This was seed %d.", seed)
		}
	}
}

// FuzzExchange has the upstream say anything, under any schedule: nothing is left, nothing is sent that should not
// be, every body is closed once, and every exchange ends.
func FuzzExchange(f *testing.F) {
	for seed := range uint64(20) {
		f.Add([]byte(newPlan(f, seed).said), seed, byte(seed))
	}
	f.Add([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\nabc"), uint64(1), byte(1))
	f.Fuzz(func(t *testing.T, said []byte, seed uint64, end byte) {
		p := newPlan(t, seed)
		p.said, p.ending, p.free = string(said), ending(end%3), true
		if p.body == nil && end%2 == 1 {
			p.request.Upgrade = "chat"
			p.wire = strings.Replace(p.wire, "A: b\r\n", "A: b\r\nConnection: Upgrade\r\nUpgrade: chat\r\n", 1)
		}
		perform(t, looptest.New(t), p)
	})
}
