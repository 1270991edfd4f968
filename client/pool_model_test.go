package client

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

var poolSeed = flag.Uint64("poolseed", 0, "the one seed that TestPoolSchedules runs")

// TestPoolSchedules runs random schedules of what callers, upstreams and loops can do, and checks
// after every step what must always be so, and at the end what must be so then.
func TestPoolSchedules(t *testing.T) {
	first, n := uint64(1), uint64(1000)
	if testing.Short() {
		n = 300
	}
	if *poolSeed != 0 {
		first, n = *poolSeed, 1
	}
	for seed := first; seed < first+n && !t.Failed(); seed++ {
		t.Run(fmt.Sprintf("seed%d", seed), func(t *testing.T) { runPoolSchedule(t, seed) })
	}
	if t.Failed() {
		fmt.Fprintln(os.Stderr, "a failing seed is repeated with -poolseed")
	}
}

// A poolSchedule is a run of one seed.
type poolSchedule struct {
	*poolWorld
	random *rand.Rand
	limit  int
	policy LimitPolicy
	queued map[*poolCaller]bool // that waited before the step
}

func runPoolSchedule(t *testing.T, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 6))
	limit := 1 + random.IntN(6)
	policy := [...]LimitPolicy{Wait, Wait, Wait, Refuse, Overflow}[random.IntN(5)]
	o := Options{MaxConnections: limit, AtLimit: policy, MaxWaiting: 1 + random.IntN(12), MaxIdle: 1 + random.IntN(4), IdleTimeout: time.Minute}
	s := &poolSchedule{poolWorld: newPoolWorld(t, 1+random.IntN(3), o), random: random, limit: limit, policy: policy}
	steps := 40 + random.IntN(120)
	closes := -1
	if random.IntN(4) == 0 {
		closes = random.IntN(steps)
	}
	for step := range steps {
		if step == closes {
			s.client.Close()
		}
		s.queued = make(map[*poolCaller]bool)
		for _, c := range s.callers {
			s.queued[c] = !c.over && c.call.state == callWaiting
		}
		did := s.step()
		s.check(fmt.Sprintf("seed %d, step %d (%s)", seed, step, did))
		if t.Failed() {
			return
		}
	}
	s.finish(seed)
}

// step does one thing that can happen.
func (s *poolSchedule) step() string {
	i := s.random.IntN(len(s.loops))
	switch s.random.IntN(12) {
	case 0, 1, 2:
		s.begin(i)
		return fmt.Sprintf("loop %d begins a request", i)
	case 3, 4:
		return s.endDial()
	case 5, 6:
		return s.endAnswer()
	case 7:
		return s.cancelOne()
	case 8:
		return s.hangUpOne()
	case 9:
		s.loops[i].Advance(time.Duration(s.random.IntN(2000)) * time.Millisecond)
		return fmt.Sprintf("time goes by on loop %d", i)
	}
	s.loops[i].Poll()
	return fmt.Sprintf("loop %d turns", i)
}

func (s *poolSchedule) endDial() string {
	all := s.upAttempts()
	if len(all) == 0 {
		return "no dial"
	}
	a := all[s.random.IntN(len(all))]
	if s.random.IntN(5) == 0 {
		a.dial.attemptOver(a, errors.New("nobody is there"))
		return "a dial fails"
	}
	s.accept(a)
	return "a dial succeeds"
}

// openWire returns one of the connections that are open, or nil.
func (s *poolSchedule) openWire(busy bool) *poolWire {
	var open []*poolWire
	for _, wire := range s.wires {
		if !wire.closed && !wire.ended && (wire.conn.call != nil) == busy {
			open = append(open, wire)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return open[s.random.IntN(len(open))]
}

func (s *poolSchedule) endAnswer() string {
	wire := s.openWire(true)
	if wire == nil {
		return "nothing to answer"
	}
	switch s.random.IntN(8) {
	case 0:
		wire.send("nonsense\r\n\r\n")
		return "an upstream answers nonsense"
	case 1:
		wire.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		return "an upstream answers for the last time"
	case 2:
		wire.hangUp()
		return "an upstream closes without an answer"
	}
	wire.answer()
	return "an upstream answers"
}

func (s *poolSchedule) cancelOne() string {
	for range 5 {
		if len(s.callers) == 0 {
			break
		}
		if c := s.callers[s.random.IntN(len(s.callers))]; !c.over {
			c.cancel()
			return "a caller goes away"
		}
	}
	return "nobody goes away"
}

func (s *poolSchedule) hangUpOne() string {
	wire := s.openWire(false)
	switch {
	case wire == nil:
		return "nothing is idle"
	case s.random.IntN(3) == 0:
		wire.send("what nobody has asked for")
		return "an upstream speaks unasked"
	case s.random.IntN(2) == 0:
		wire.ended = true // and the event is still to come
		return "an upstream has closed an idle connection"
	}
	wire.hangUp()
	return "an upstream closes an idle connection"
}

// check checks what is always so.
func (s *poolSchedule) check(when string) {
	s.t.Helper()
	if s.count(); s.most > s.limit {
		s.t.Errorf("%s: %d connections and dials, and there may be %d", when, s.most, s.limit)
	}
	carriers := make(map[*conn]int)
	for _, c := range s.callers {
		if c.turns > 1 {
			s.t.Errorf("%s: a request has ended %d times", when, c.turns)
		}
		if k := c.call.conn; k != nil {
			if carriers[k]++; carriers[k] > 1 || k.call != c.call || k.closed || k.idle {
				s.t.Errorf("%s: connection %d carries %d requests (closed %t, idle %t)", when, k.number, carriers[k], k.closed, k.idle)
			}
		}
		if !c.over && c.call.state == callOver && c.call.waker != nil {
			s.t.Errorf("%s: a request is over, and its caller was not woken", when)
		}
	}
	s.checkOrder(when)
	s.checkPools(when)
}

// checkOrder: whoever has waited longest is served first.
func (s *poolSchedule) checkOrder(when string) {
	s.t.Helper()
	for _, l := range s.loops {
		waits := false // somebody who came before
		for _, c := range s.callers {
			if c.loop != l || !s.queued[c] || c.call.retried {
				continue
			}
			if c.call.state == callWaiting && !c.over {
				waits = true
			} else if waits && c.call.conn != nil {
				s.t.Errorf("%s: a request was served before one that has waited for longer", when)
			}
		}
	}
}

func (s *poolSchedule) checkPools(when string) {
	s.t.Helper()
	for i := range s.loops {
		p := s.pool(i)
		kept := 0 // calls that would take any connection
		for _, q := range [...]*callQueue{&p.dialing, &p.limited} {
			for c := q.first; c != nil; c = c.next {
				if c.state != callWaiting || c.limited != (q == &p.limited) {
					s.t.Errorf("%s: a call waits on loop %d whose state is %d", when, i, c.state)
				}
				if !c.retried {
					kept++
				}
			}
		}
		if kept > 0 && len(p.idle) > 0 {
			s.t.Errorf("%s: on loop %d %d requests wait, and %d connections are idle", when, i, kept, len(p.idle))
		}
		if len(p.dials) < p.dialing.length || p.limited.length > 0 && len(p.dials) > p.dialing.length {
			s.t.Errorf("%s: on loop %d %d dials are on their way for %d requests, and %d more wait", when, i, len(p.dials), p.dialing.length, p.limited.length)
		}
		if len(p.idle) > p.options().MaxIdle || p.limited.length > p.options().MaxWaiting {
			s.t.Errorf("%s: on loop %d %d connections are idle and %d requests wait", when, i, len(p.idle), p.limited.length)
		}
	}
}

// finish has everything come to a good end, and checks that it does.
func (s *poolSchedule) finish(seed uint64) {
	s.t.Helper()
	for round := 0; ; round++ {
		s.settle()
		s.checkRest(fmt.Sprintf("seed %d, in the end", seed))
		if s.count(); s.most > s.limit {
			s.t.Errorf("seed %d, in the end: %d connections and dials, and there may be %d", seed, s.most, s.limit)
		}
		if round > 1000 {
			s.t.Fatalf("seed %d: there are requests that do not come to an end, although every dial succeeds and every request is answered", seed)
		}
		did := false
		for _, a := range append([]*dialAttempt(nil), s.upAttempts()...) {
			if !a.dial.over {
				s.accept(a)
				did = true
			}
		}
		if wire := s.openWire(true); wire != nil {
			wire.answer()
			did = true
		}
		if !did {
			break
		}
	}
	for _, c := range s.callers {
		if !c.over {
			s.t.Errorf("seed %d: a request has not ended", seed)
		}
	}
}

// checkRest checks what is so when all loops are at rest: nobody waits on one loop for what another
// does not use.
func (s *poolSchedule) checkRest(when string) {
	s.t.Helper()
	idle, limited := 0, 0
	for i := range s.loops {
		p := s.pool(i)
		idle += len(p.idle)
		limited += p.limited.length
		if p.spare != 0 && p.limited.length == 0 || p.held != p.share.held {
			s.t.Errorf("%s: loop %d has %d slots to spare, holds %d and is known to hold %d", when, i, p.spare, p.held, p.share.held)
		}
		if p.asked != p.share.hungry || p.asked && p.limited.length == 0 {
			s.t.Errorf("%s: loop %d is hungry (%t, known to be: %t), and %d requests wait there because of the limit", when, i, p.asked, p.share.hungry, p.limited.length)
		}
	}
	if idle > 0 && limited > 0 {
		s.t.Errorf("%s: %d requests wait because of the limit, and %d connections are idle", when, limited, idle)
	}
	if limited > 0 && s.upstream.slots.taken < s.limit {
		s.t.Errorf("%s: %d requests wait because of the limit, and %d of %d slots are taken", when, limited, s.upstream.slots.taken, s.limit)
	}
}
