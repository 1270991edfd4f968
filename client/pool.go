package client

import (
	"errors"
	"fmt"

	"github.com/penstock-go/penstock/loop"
)

// Theory.
//
// A pool is the connections of one loop to one upstream, and the calls that wait for one. A
// connection is on its way (a dial), carries a call, or is idle. A call that waits is in one of two
// queues, every call of the first before every one of the second:
//
//	dialing  a connection is on its way for it: there are at least as many dials as calls
//	limited  there are as many connections as there may be; its Timeouts.Acquire is running
//
// Rules:
//
//  1. A connection that comes free, or is made, goes to the call that has waited longest. Which dial
//     was begun for which call means nothing: the first that succeeds serves the oldest call, and
//     the first that fails fails it.
//  2. So nobody waits while a connection is idle, but for a call whose kept connection was stale:
//     that waits for one that is new.
//  3. A dial belongs to the pool. When nobody waits for it any more, because the call was cancelled or
//     got another connection, it goes on, and its connection is kept for the next; unless another
//     loop needs its slot: see slots.
//  4. Whatever could be done for the calls that wait, provide does, in a loop and never from
//     within itself.
//
// Owned by the loop goroutine, but for share and counts.
type pool struct {
	local    *local
	upstream *Upstream
	idle     []*conn // the one that was used last is the last
	dialing  callQueue
	limited  callQueue
	dials    []*dial
	open     int        // connections, idle or not
	held     int        // slots
	spare    int        // slots of those that no connection and no dial has
	kept     int        // connections kept from others that are hungry, since one was not
	timer    loop.Timer // for what is idle for too long
	task     loop.Task  // runs provide

	closed    bool // by Client.Close
	asked     bool // it is hungry, or a slot is on its way to it
	providing bool
	live      bool // the local knows that there is something in it

	share  share
	counts counts
}

func newPool(l *local, u *Upstream) *pool {
	p := &pool{local: l, upstream: u}
	p.timer.Init((*idleTimer)(p))
	p.task.Init(p)
	u.slots.join(p)
	return p
}

func (p *pool) options() *Options { return &p.upstream.client.options }

// acquire gives the call a connection, now or later, or has it fail, now or later. It is called
// within the call's Poll.
func (p *pool) acquire(c *call) {
	if p.closed || p.upstream.client.closed.Load() {
		c.fail(c.failure(ErrClientClosed, nil))
		return
	}
	for k := p.takeIdle(); k != nil; k = p.takeIdle() {
		if k.quiet() {
			p.give(k, c)
			return
		}
		p.discard(k, k.whyNotQuiet())
	}
	c.limited = true
	p.limited.append(c)
	p.provide()
	if !c.limited || c.state != callWaiting {
		return
	}
	if most := max(p.options().MaxWaiting, 0); p.limited.length > most {
		c.fail(c.failure(ErrPoolFull, fmt.Errorf("%d requests wait for a connection already", most)))
		return
	}
	c.await(forConnection, c.timeouts.Acquire)
}

// acquireNew has a call wait for a new connection, in place of one that was stale, whose slot it
// is given.
func (p *pool) acquireNew(c *call, stale *conn) {
	extra := stale.extra
	p.close(stale, ReasonStale)
	if !extra {
		p.spare++
	}
	switch {
	case c.state != callWaiting: // a hook has closed it
	case p.closed:
		c.fail(c.failure(ErrClientClosed, nil))
	default:
		p.dialing.append(c)
		p.dial(extra)
	}
	p.provide()
}

// giveUp takes a call out of the queue that waits no longer.
func (p *pool) giveUp(c *call) {
	if p.drop(c) {
		p.provide()
	}
}

// drop takes a call out of the queue that it is in, and says whether it was in one.
func (p *pool) drop(c *call) bool {
	if c.limited {
		c.limited = false
		return p.limited.remove(c)
	}
	return p.dialing.remove(c)
}

// give has a connection carry a call from now on.
func (p *pool) give(k *conn, c *call) {
	c.limited = false
	k.acquired = true
	p.tell(p.hooks().Acquired, k)
	if c.state != callWaiting {
		p.release(k, true, nil) // the hook has closed the call
		return
	}
	if k.calls > 0 {
		increase(&p.counts.reused)
	}
	c.given(k)
}

// release takes back the connection of a call that is over; err is how that has ended. One that
// cannot be used again is closed.
func (p *pool) release(k *conn, reusable bool, err error) {
	if k.acquired {
		k.acquired = false
		p.tell(p.hooks().Released, k)
	}
	switch {
	case !reusable:
		p.discard(k, reasonOf(err))
	case p.closed:
		p.discard(k, ReasonClientClosed)
	case k.extra:
		p.discard(k, ReasonOverflow)
	default:
		p.offerOrYield(k)
	}
}

// offerOrYield is offer, unless another pool is to have the connection's slot. It has it when the
// connection is closed, so that there are never too many.
func (p *pool) offerOrYield(k *conn) {
	if p.dialing.length == 0 {
		if other := p.yieldTo(); other != nil {
			p.close(k, ReasonYielded)
			p.upstream.slots.deliver(other)
			p.provide()
			return
		}
	}
	p.offer(k)
}

// offer gives a connection to the call that has waited longest, or else keeps it.
func (p *pool) offer(k *conn) {
	c := p.next(k)
	if c == nil {
		p.keep(k)
		return
	}
	p.give(k, c)
	p.provide()
}

// next takes out of the queues the call that has waited longest for a connection such as k.
func (p *pool) next(k *conn) *call {
	for c := p.dialing.first; c != nil; c = c.next {
		if !c.retried || k.calls == 0 {
			p.dialing.remove(c)
			return c
		}
	}
	c := p.limited.pop()
	if c != nil && p.upstream.slots.need.Load() != 0 {
		p.kept++
	}
	return c
}

// connected is called when a dial has succeeded.
func (p *pool) connected(k *conn) {
	p.open++
	increase(&p.counts.opened)
	k.number = p.upstream.client.opened.Add(1)
	p.tell(p.hooks().Opened, k)
	p.offer(k)
}

// notConnected is called when a dial has failed: so does the call that has waited longest.
func (p *pool) notConnected(kind, cause error) {
	p.local.loop.Schedule(&p.task) // whatever becomes of the call
	if c := p.dialing.pop(); c != nil {
		c.fail(c.failure(kind, cause))
	}
	p.provide()
}

// discard closes a connection that is idle, or that a call had.
func (p *pool) discard(k *conn, reason CloseReason) {
	if k.closed {
		return
	}
	p.close(k, reason)
	if !k.extra {
		p.freed()
	}
	p.provide()
}

// close is discard, but that the slot stays with the pool, for a dial.
func (p *pool) close(k *conn, reason CloseReason) {
	p.removeIdle(k)
	if k.acquired {
		k.acquired = false
		p.tell(p.hooks().Released, k)
	}
	k.close(!k.sender.complete())
	p.open--
	p.tellClosed(k, reason)
}

// shut is the end of the pool: see Client.Close. What carries a call goes on.
func (p *pool) shut() {
	p.closed = true
	p.provide()
}

var errRefused = errors.New("all connections that there may be are in use")
