package client

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Theory.
//
// A slot is the right to hold one connection to an upstream. There are as many as
// Options.MaxConnections says, and the pools of all loops draw from them. A pool keeps its slots
// for as long as it keeps its connections, so that a request on a kept connection touches
// nothing that loops share but the word need, which is written only when there are too few slots.
//
// A pool whose calls wait, and which finds no slot left, is hungry: it is noted here, and the
// other pools are asked to visit: each gives up what it holds and does not use. Rules:
//
//  1. A slot that comes free goes to a hungry pool if there is one, and becomes free only if there
//     is none. So no slot is free while a pool is hungry, and none can be snatched away.
//  2. Among the hungry, the one that holds the fewest slots is first, and among equals the one that
//     has been hungry for longer.
//  3. A pool that is given a slot is not hungry any more. If it needs another, it says so again, and
//     stands behind the others.
//  4. A pool whose loop has ended is found out by the post that the loop refuses. Its connections were
//     closed with the loop, and what it held is free.
//
// When a pool gives up a slot that it could use itself is said at pool.yields.

// slots are those of one upstream. Any goroutine.
type slots struct {
	need  atomic.Int32 // 1 more than the fewest slots that a hungry pool holds; 0 when none is hungry
	limit int

	mu     sync.Mutex
	taken  int
	pools  []*pool // all there are, but those whose loop has ended
	hungry []*pool // the one that has been hungry for longest is the first
	past   Stats   // what those pools have done that are not known any more
}

// share is what the slots know of a pool. It is guarded by slots.mu.
type share struct {
	held    int
	hungry  bool
	visited bool // a visit is on its way
	dead    bool // its loop has ended
}

// join makes a pool known.
func (s *slots) join(p *pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pools = append(s.pools, p)
}

// take takes a slot for the pool, if one is free. Otherwise the pool is hungry from now on if it is
// to wait for one: with Wait always, with Refuse when another pool has an idle connection to give.
func (s *slots) take(p *pool, policy LimitPolicy) (taken, hungry bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.measure()
	switch {
	case p.share.dead:
		return false, false
	case s.taken < s.limit:
		s.taken++
		p.share.held++
		s.satisfied(p)
		return true, false
	case policy == Overflow:
		return false, false
	}
	if !p.share.hungry {
		p.share.hungry = true
		s.hungry = append(s.hungry, p)
	}
	s.visitOthers(p)
	if p.share.hungry && policy == Refuse && !s.someIdle() {
		s.satisfied(p)
		return false, false
	}
	return false, true // or a slot was found meanwhile, and is on its way
}

// leave takes note that a pool is not hungry any more.
func (s *slots) leave(p *pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.satisfied(p)
	s.measure()
}

// promise has a slot of the pool become that of another one that is hungry, which is then to be
// told by deliver. It returns nil if there is none.
func (s *slots) promise(p *pool) *pool {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.measure()
	first := s.neediest(p)
	if first == nil || p.share.dead {
		return nil
	}
	p.share.held--
	s.satisfied(first)
	first.share.held++
	return first
}

// deliver tells a pool of the slot that it was promised.
func (s *slots) deliver(p *pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.measure()
	if p.local.loop.Post(p.slotCame) != nil {
		s.bury(p)
	}
}

// isHungry says whether the pool is noted as hungry.
func (s *slots) isHungry(p *pool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.share.hungry
}

// giveBack gives a slot of the pool back: to a hungry pool if there is one.
func (s *slots) giveBack(p *pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.measure()
	if p.share.dead {
		return
	}
	p.share.held--
	if !s.feed() {
		s.taken--
	}
}

// feed has a slot that is counted as taken become that of the neediest pool, and says whether there
// is one.
func (s *slots) feed() bool {
	for first := s.neediest(nil); first != nil; first = s.neediest(nil) {
		s.satisfied(first)
		if first.local.loop.Post(first.slotCame) == nil {
			first.share.held++
			return true
		}
		s.bury(first)
	}
	return false
}

func (s *slots) neediest(but *pool) *pool {
	var first *pool
	for _, p := range s.hungry {
		if p != but && (first == nil || p.share.held < first.share.held) {
			first = p
		}
	}
	return first
}

// visitOthers asks every pool but p that holds something to give up what it does not use.
func (s *slots) visitOthers(p *pool) {
	var dead []*pool
	for _, other := range s.pools {
		if other == p || other.share.held == 0 || other.share.visited {
			continue
		}
		other.share.visited = true
		if other.local.loop.Post(other.visit) != nil {
			dead = append(dead, other)
		}
	}
	for _, other := range dead {
		s.bury(other)
	}
}

// visiting takes note that a visit has come.
func (s *slots) visiting(p *pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.share.visited = false
}

// tellHungry has every hungry pool look again whether there is something to wait for.
func (s *slots) tellHungry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.hungry {
		_ = p.local.loop.Post(p.provide) // refused by a loop that has ended: nobody waits there
	}
}

// bury forgets a pool whose loop has ended.
func (s *slots) bury(p *pool) {
	if p.share.dead {
		return
	}
	s.satisfied(p)
	if i := slices.Index(s.pools, p); i >= 0 {
		s.pools = slices.Delete(s.pools, i, i+1)
	}
	held := p.share.held
	p.share.held, p.share.dead = 0, true
	s.past.Opened += p.counts.opened.Load()
	s.past.Reused += p.counts.reused.Load()
	for range held {
		if !s.feed() {
			s.taken--
		}
	}
}

func (s *slots) satisfied(p *pool) {
	if p.share.hungry {
		p.share.hungry = false
		i := slices.Index(s.hungry, p)
		s.hungry = slices.Delete(s.hungry, i, i+1)
	}
}

// measure says in need how things stand.
func (s *slots) measure() {
	need := int32(0)
	if first := s.neediest(nil); first != nil {
		need = int32(first.share.held) + 1
	}
	s.need.Store(need)
}

func (s *slots) someIdle() bool {
	return slices.ContainsFunc(s.pools, func(p *pool) bool { return p.counts.idle.Load() > 0 })
}
