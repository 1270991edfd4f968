package server

import "time"

// A connection has one timer. What it waits for decides its deadline; the timer
// itself is moved only when the deadline comes earlier than it is set, because
// most deadlines are put off long before they are due.

// setDeadline sets the time from now at which waiting will have lasted too long.
// A negative time is none.
func (c *conn) setDeadline(d time.Duration) {
	if d < 0 {
		c.deadline = 0
		return
	}
	c.putOff(c.core.local.loop.Now() + d)
}

// putOff moves the deadline. While there is one, the timer is set to it or to an earlier
// time, so that putting it off need not look at the timer.
func (c *conn) putOff(deadline time.Duration) {
	before := c.deadline
	c.deadline = deadline
	if before != 0 && before <= deadline {
		return
	}
	if !c.timer.Armed() || c.timer.At() > deadline {
		c.core.local.loop.SetTimer(&c.timer, deadline)
	}
}

// setIdleDeadline puts the idle timeout off. It comes with every request, so it does
// without reading the clock: the deadline is up to a second late instead.
func (c *conn) setIdleDeadline() {
	local := c.core.local
	if local.options.IdleTimeout < 0 {
		c.deadline = 0
		return
	}
	c.putOff(local.now + time.Second + local.options.IdleTimeout)
}

// setPhase says what the connection waits for from now on.
func (c *conn) setPhase(p phase) {
	same := c.phase == p
	c.phase = p
	options := c.core.local.options
	switch p {
	case phaseIdle:
		x := c.core.exchange // not nil when empty lines have come: they put nothing off
		if c.core.requests > 0 && (x == nil || !x.idleTimed) {
			if x != nil {
				x.idleTimed = true
			}
			c.setIdleDeadline()
		}
	case phaseHead:
		// Absolute: what arrives of the head does not put it off. The first
		// head's began when the connection was opened.
		if x := c.core.exchange; !x.headTimed && c.core.requests > 0 {
			x.headTimed = true
			c.setDeadline(options.HeadTimeout)
		}
	case phaseBody:
		if x := c.core.exchange; !same || !x.bodyTimed {
			x.bodyTimed = true
			c.startBodyWindow()
		}
	case phaseEvents:
		// Something was sent since, or a stage has kept the comment to itself.
		if !same || c.deadline == 0 {
			c.setDeadline(c.core.stream.ping)
		}
	default:
		c.deadline = 0
	}
}

// startBodyWindow begins a window in which the body has to make progress.
func (c *conn) startBodyWindow() {
	x := c.core.exchange
	x.arrivedBefore = x.arrived
	c.setDeadline(x.bodyTimeout)
}

// Expire is called by the loop when the timer has run out.
func (c *conn) Expire() {
	l := c.core.local.loop
	switch {
	case c.deadline == 0:
		return
	case l.Now() < c.deadline:
		l.SetTimer(&c.timer, c.deadline)
		return
	}
	c.deadline = 0 // the timer is not set any more
	switch c.phase {
	case phaseIdle:
		if c.core.requests == 0 {
			c.close(ReasonHeadTimeout)
			return
		}
		c.close(ReasonIdleTimeout)
	case phaseHead:
		c.core.headTimedOut()
		c.Wake()
	case phaseBody:
		c.bodyExpired()
	case phaseEvents:
		c.core.silentTooLong()
		c.Wake()
	case phaseWrite:
		c.writeExpired()
	case phaseLinger:
		c.close(c.core.reason)
	case phaseHalfClosed:
		c.readExpired()
	}
}

// bodyExpired ends a window: enough has come, and the next begins, or not.
func (c *conn) bodyExpired() {
	x := c.core.exchange
	arrived := float64(x.arrived - x.arrivedBefore)
	if arrived >= max(1, float64(c.core.local.options.BodyRate)*x.bodyTimeout.Seconds()) {
		c.startBodyWindow()
		return
	}
	c.core.bodyTimedOut()
	c.inputArrived()
}

// writeExpired ends the wait for a client that takes nothing. One that has
// acknowledged some of what the kernel holds for it is only slow.
func (c *conn) writeExpired() {
	before := c.unwritten.unacknowledged
	c.startWriteWindow()
	if c.unwritten.unacknowledged < before {
		return
	}
	c.socket.Reset()
	c.close(ReasonWriteTimeout)
}

// startWriteWindow begins a time in which the client has to take something.
func (c *conn) startWriteWindow() {
	// An error leaves 0: then only what the socket takes counts as progress.
	c.unwritten.unacknowledged, _ = c.socket.Unacknowledged()
	c.setDeadline(c.core.writeTimeout)
}
