package client

import "sync/atomic"

// Stats are counts of one upstream's connections and requests, over all loops.
type Stats struct {
	Connections int // that are open: those in use and those that are idle
	Idle        int
	Connecting  int // that are on their way
	Waiting     int // requests that wait for a connection

	Opened uint64 // connections, since the upstream was first used
	Reused uint64 // requests that were given a connection that had carried another
}

// InUse returns how many connections carry a request.
func (s Stats) InUse() int { return s.Connections - s.Idle }

// counts are what Stats is made of: those of one pool, written by its loop alone and read by any
// goroutine.
type counts struct {
	open, idle, connecting, waiting atomic.Int32
	opened, reused                  atomic.Uint64
}

// Stats returns the counts as they are now. Those of different loops are not of the very same
// moment, and those of a loop that has ended may stand still for a while before they are gone.
// Any goroutine.
func (u *Upstream) Stats() Stats {
	u.slots.mu.Lock()
	defer u.slots.mu.Unlock()
	s := u.slots.past
	for _, p := range u.slots.pools {
		open, idle := p.counts.open.Load(), p.counts.idle.Load()
		s.Connections += int(open)
		s.Idle += int(min(idle, open)) // an idle one that is closed meanwhile is counted as neither
		s.Connecting += int(p.counts.connecting.Load())
		s.Waiting += int(p.counts.waiting.Load())
		s.Opened += p.counts.opened.Load()
		s.Reused += p.counts.reused.Load()
	}
	return s
}

// increase adds one to a count that nobody else writes.
func increase(count *atomic.Uint64) { count.Store(count.Load() + 1) }

// publish brings the counts up to date that change where time does not matter.
func (p *pool) publish() {
	p.counts.open.Store(int32(p.open))
	p.counts.connecting.Store(int32(len(p.dials)))
	p.counts.waiting.Store(int32(p.dialing.length + p.limited.length))
}

// publishIdle is publish for the idle connections.
func (p *pool) publishIdle() { p.counts.idle.Store(int32(len(p.idle))) }
