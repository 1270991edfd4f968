package client

// dialsPerTurn is how many connections a pool begins before others have their turn.
const dialsPerTurn = 64

// patience is how many connections that come free a pool keeps for its own calls while another
// is hungry that holds no fewer slots. Those that the other one has may all be in use for long.
const patience = 16

// provide does what can be done for the calls that wait, and gives up what is not needed while
// others are hungry. What is called meanwhile may call it again: then it goes on with what
// that has left.
func (p *pool) provide() {
	if p.providing {
		return
	}
	p.providing = true
	finished := false
	defer func() {
		p.providing = false
		if !finished {
			p.local.loop.Schedule(&p.task) // the share of a turn is used up, or foreign code has panicked
		}
	}()
	for begun := 0; begun < dialsPerTurn; {
		more, dialed := p.provideOne()
		if !more {
			finished = true
			break
		}
		if dialed {
			begun++
		}
	}
	p.publish()
	p.noteLife()
}

// Run is provide in a turn of the pool's own.
func (p *pool) Run() { p.provide() }

// provideOne takes one step, and says whether there may be another one to take.
func (p *pool) provideOne() (more, dialed bool) {
	if p.closed && p.shutOne() {
		return true, false
	}
	if p.limited.length == 0 {
		return p.giveUpUnused(), false
	}
	if len(p.dials) > p.dialing.length {
		p.expectDial()
		return true, false
	}
	switch {
	case p.takeSlot():
		p.expectDial()
		p.dial(false)
		return true, true
	case p.options().AtLimit == Overflow:
		p.expectDial()
		p.dial(true)
		return true, true
	case p.options().AtLimit == Refuse && !p.asked:
		c := p.limited.pop()
		c.limited = false
		c.fail(c.failure(ErrPoolFull, errRefused))
		return true, false
	}
	return false, false
}

// expectDial has the call that has waited longest because of the limit wait for a dial.
func (p *pool) expectDial() {
	c := p.limited.pop()
	c.limited, c.readDeadline = false, 0
	p.dialing.append(c)
}

// takeSlot gets a slot to spare, or has the pool be hungry.
func (p *pool) takeSlot() bool {
	if p.spare > 0 {
		return true
	}
	policy := p.options().AtLimit
	if p.asked && policy == Wait {
		return false
	}
	taken, hungry := p.upstream.slots.take(p, policy)
	p.asked = hungry
	if taken {
		p.held++
		p.spare++
	}
	return taken
}

// giveUpUnused gives up one thing that the pool does not need: its hunger, a spare slot, or, when
// another pool is hungry, a dial that nobody waits for or an idle connection. It says whether
// there was one.
func (p *pool) giveUpUnused() bool {
	switch {
	case p.asked:
		p.asked = false
		p.upstream.slots.leave(p)
	case p.spare > 0:
		p.spare--
		p.held--
		p.upstream.slots.giveBack(p)
	case p.upstream.slots.need.Load() == 0:
		return false
	case len(p.dials) > p.dialing.length:
		p.cancel(p.dials[len(p.dials)-1])
	case len(p.idle) > 0:
		p.discard(p.idle[0], ReasonYielded)
	default:
		return false
	}
	return true
}

// shutOne ends one thing of a pool that is shut: a call that waits, a dial, or an idle connection. It
// says whether there was one.
func (p *pool) shutOne() bool {
	c := p.dialing.pop()
	if c == nil {
		c = p.limited.pop()
	}
	switch {
	case c != nil:
		c.limited = false
		c.fail(c.failure(ErrClientClosed, nil))
	case len(p.dials) > 0:
		p.cancel(p.dials[len(p.dials)-1])
	case len(p.idle) > 0:
		p.discard(p.idle[0], ReasonClientClosed)
	default:
		return false
	}
	return true
}

// freed is called with a slot whose connection or dial is no more: another pool gets it, or it is
// there for the next dial.
func (p *pool) freed() {
	if other := p.yieldTo(); other != nil {
		p.upstream.slots.deliver(other)
		return
	}
	p.spare++
}

// yieldTo returns the pool that a slot of this one belongs to from now on, or nil if it is kept.
func (p *pool) yieldTo() *pool {
	if !p.yields() {
		return nil
	}
	p.kept = 0
	other := p.upstream.slots.promise(p)
	if other != nil {
		p.held--
	}
	return other
}

// yields says whether a slot that comes free goes to another pool that is hungry: when no call of
// this one waits for it, when the other has none or so much fewer that it still has no more
// afterwards, and otherwise now and then, so that it does not wait forever.
func (p *pool) yields() bool {
	need := p.upstream.slots.need.Load()
	if need == 0 {
		return false
	}
	fewest := int(need) - 1
	return p.limited.length == 0 || fewest == 0 || fewest+1 < p.held || p.kept >= patience
}

// slotCame is posted with a slot that another pool has given up. It is for a call of this one, if
// any still waits, before all others that are hungry: otherwise slots would go round and round.
func (p *pool) slotCame() {
	p.asked = p.upstream.slots.isHungry(p)
	p.held++
	p.spare++
	p.provide()
}

// visit is posted when another pool is hungry.
func (p *pool) visit() {
	p.upstream.slots.visiting(p)
	p.provide()
	if p.options().AtLimit == Refuse {
		p.upstream.slots.tellHungry()
	}
}

// noteLife tells the local whether there is anything in the pool.
func (p *pool) noteLife() {
	live := p.open > 0 || len(p.dials) > 0 || p.dialing.length+p.limited.length > 0
	if live == p.live {
		return
	}
	p.live = live
	if live {
		p.local.live[p] = struct{}{}
		return
	}
	delete(p.local.live, p)
	p.local.loop.ClearTimer(&p.timer)
}
