package client

import (
	"errors"
	"net/netip"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// A dial is a connection of a pool on its way: the upstream's name is resolved, then its addresses
// race (see addressRace), each of them an attempt.
//
//	resolving ─▶ connecting ─▶ over
//
// It is over exactly once: because an attempt has succeeded, because all have failed or its time has
// come, or because it was cancelled. Owned by the loop goroutine.
type dial struct {
	pool     *pool
	names    pipeline.Source[[]netip.Addr] // while resolving
	race     *addressRace                  // while connecting; nil for a Unix socket
	attempts []*dialAttempt                // that have begun, by their number in the race
	deadline time.Duration                 // of all of it; 0: none
	timer    loop.Timer
	task     loop.Task
	index    int  // in the pool's dials
	extra    bool // beyond the limit: it has no slot
	over     bool
}

// dial begins a connection, with a slot to spare if it is not an extra one. It may fail within.
func (p *pool) dial(extra bool) {
	if !extra {
		p.spare--
	}
	d := &dial{pool: p, index: len(p.dials), extra: extra}
	d.timer.Init(d)
	d.task.Init(d)
	p.dials = append(p.dials, d)
	if bound := p.options().Timeouts.Connect; bound > 0 {
		d.deadline = p.local.loop.Now() + bound
		p.local.loop.SetTimer(&d.timer, d.deadline)
	}
	d.begin()
}

// cancel gives up a dial that nobody needs.
func (p *pool) cancel(d *dial) {
	d.end()
	if !d.extra {
		p.freed()
	}
	p.provide()
}

func (d *dial) begin() {
	u := d.pool.upstream
	switch {
	case u.network == "unix":
		d.attempts = []*dialAttempt{nil}
		if err := d.attempt(0, nil); err != nil {
			d.fail(ErrConnect, err)
		}
	case u.literal.IsValid():
		d.resolved([]netip.Addr{u.literal})
	default:
		d.names = u.client.nameCache().resolve(d.pool.local.loop, u.host)
		d.Run()
	}
}

// Wake has the dial look for the addresses that it waits for.
func (d *dial) Wake() { d.pool.local.loop.Schedule(&d.task) }

// Run looks for the addresses.
func (d *dial) Run() {
	if d.names == nil {
		return
	}
	addresses, err := d.names.Poll(d)
	switch err {
	case nil:
		d.names.Close()
		d.names = nil
		d.resolved(addresses)
	case pipeline.ErrPending:
	default:
		if failure := (*Error)(nil); errors.As(err, &failure) {
			d.fail(failure.Kind, failure.Cause)
			return
		}
		d.fail(ErrResolve, err)
	}
}

func (d *dial) resolved(addresses []netip.Addr) {
	now := d.pool.local.loop.Now()
	d.race = newAddressRace(addresses, d.pool.upstream.preferIPv4.Load(), 0)
	d.follow(d.race.start(now))
}

// follow does what the race says, until there is something to wait for.
func (d *dial) follow(step raceStep) {
	for step.dial >= 0 {
		d.attempts = append(d.attempts, nil)
		err := d.attempt(step.dial, &d.race.addresses[step.dial])
		if err == nil {
			break
		}
		step = d.race.failed(step.dial, err, d.pool.local.loop.Now())
	}
	if step.err != nil {
		d.fail(ErrConnect, step.err)
		return
	}
	next := d.deadline
	if step.armed && (next == 0 || step.next < next) {
		next = step.next
	}
	if next != 0 {
		d.pool.local.loop.SetTimer(&d.timer, next)
	}
}

// Expire is called by the loop: it is time for the next attempt, or too late.
func (d *dial) Expire() {
	now := d.pool.local.loop.Now()
	switch {
	case d.over:
	case d.deadline != 0 && now >= d.deadline:
		cause := errors.New("its name was not resolved in time")
		if d.names == nil {
			cause = errors.New("no address has answered in time")
		}
		d.fail(ErrConnectTimeout, cause)
	case d.race != nil:
		d.follow(d.race.expired(now))
	}
}

// attemptOver is how an attempt has ended.
func (d *dial) attemptOver(a *dialAttempt, err error) {
	if err == nil {
		d.succeed(a)
		return
	}
	a.conn.close(false)
	d.attempts[a.number] = nil
	if d.race == nil {
		d.fail(ErrConnect, err)
		return
	}
	d.follow(d.race.failed(a.number, err, d.pool.local.loop.Now()))
}

// succeed ends the dial with a connection.
func (d *dial) succeed(a *dialAttempt) {
	d.attempts[a.number] = nil
	d.end()
	k := a.conn
	k.extra = d.extra
	if d.race != nil {
		k.remote = &d.race.addresses[a.number]
		if u := d.pool.upstream; u.preferIPv4.Load() != k.remote.Is4() {
			u.preferIPv4.Store(k.remote.Is4())
		}
	}
	d.pool.connected(k)
}

// fail ends the dial without one.
func (d *dial) fail(kind, cause error) {
	d.end()
	if !d.extra {
		d.pool.freed()
	}
	d.pool.notConnected(kind, cause)
}

// end gives up all that the dial has, and takes it out of the pool.
func (d *dial) end() {
	d.over = true
	p := d.pool
	p.local.loop.ClearTimer(&d.timer)
	p.local.loop.Unschedule(&d.task)
	if d.names != nil {
		d.names.Close()
		d.names = nil
	}
	for i, a := range d.attempts {
		if a != nil {
			d.attempts[i] = nil
			a.conn.close(false)
		}
	}
	last := len(p.dials) - 1
	p.dials[d.index] = p.dials[last]
	p.dials[d.index].index = d.index
	p.dials[last] = nil
	p.dials = p.dials[:last]
}
