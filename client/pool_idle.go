package client

import "slices"

// Theory.
//
// The connection that was used last is used next, so that those that are not needed are left alone,
// and are closed when that has lasted too long. Hence the idle ones lie in the order in which they became
// idle, and the first is always the one to be closed: because its time is over, because there are too
// many, or because another loop needs its slot.

// keep has a connection wait for the next call.
func (p *pool) keep(k *conn) {
	k.idle, k.idleSince = true, p.local.loop.Now()
	p.idle = append(p.idle, k)
	p.publishIdle()
	if timeout := p.options().IdleTimeout; timeout > 0 && !p.timer.Armed() {
		p.local.loop.SetTimer(&p.timer, k.idleSince+timeout)
	}
	if len(p.idle) > max(p.options().MaxIdle, 0) {
		p.discard(p.idle[0], ReasonTooManyIdle)
	}
}

// takeIdle returns the idle connection that was used last, or nil.
func (p *pool) takeIdle() *conn {
	n := len(p.idle)
	if n == 0 {
		return nil
	}
	k := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	k.idle = false
	p.publishIdle()
	return k
}

// removeIdle takes a connection out of the idle ones, if it is one.
func (p *pool) removeIdle(k *conn) {
	if k.idle {
		i := slices.Index(p.idle, k)
		p.idle = slices.Delete(p.idle, i, i+1)
		k.idle = false
		p.publishIdle()
	}
}

// idleTimer is a pool as what is told that the first idle connection's time may be over.
type idleTimer pool

// Expire closes what has been idle for too long. The timer is not moved when a connection is used,
// and so it may find that there is time left.
func (t *idleTimer) Expire() {
	p := (*pool)(t)
	now, timeout := p.local.loop.Now(), p.options().IdleTimeout
	for len(p.idle) > 0 {
		if due := p.idle[0].idleSince + timeout; due > now {
			p.local.loop.SetTimer(&p.timer, due)
			return
		}
		p.discard(p.idle[0], ReasonIdleTimeout)
	}
}

// whyNotQuiet says why a connection was closed that is not quiet.
func (c *conn) whyNotQuiet() CloseReason {
	if c.transport.PeerClosed() {
		return ReasonUpstreamClosed
	}
	return ReasonUnasked
}
