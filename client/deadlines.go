package client

import (
	"time"

	"github.com/penstock-go/penstock/loop"
)

// The times of a call. The loop's timer is set for the earliest of its deadlines, and is not
// moved when one is put off: when it runs out it is set anew, which is cheaper than moving it
// with every chunk.

// setTimer sets the timer if the earliest deadline is before what it is set to.
func (c *call) setTimer() {
	earliest := c.earliest()
	if earliest == 0 || c.state == callOver || c.timer.Armed() && c.timer.At() <= earliest {
		return
	}
	c.pool.local.loop.SetTimer(&c.timer, earliest)
}

func (c *call) earliest() time.Duration {
	earliest := time.Duration(0)
	for _, d := range [...]time.Duration{c.readDeadline, c.writeDeadline, c.totalDeadline} {
		if d != 0 && (earliest == 0 || d < earliest) {
			earliest = d
		}
	}
	return earliest
}

// await starts the time in which something has to be read.
func (c *call) await(what readFor, bound time.Duration) {
	c.readDeadline, c.readFor = 0, what
	if bound > 0 {
		c.readDeadline = c.pool.local.loop.Now() + bound
		c.setTimer()
	}
}

// requestSent: all of the request has been written, or as much of it as ever will be.
func (c *call) requestSent() {
	c.writeDeadline = 0
	if c.state == callAsking {
		c.await(forHead, c.timeouts.Head)
	}
}

// awaitContinue: the head has been written, and the body waits to be asked for. If it would do so
// for ever, the answer has its time as behind a whole request.
func (c *call) awaitContinue() {
	switch {
	case c.state != callAsking:
	case c.timeouts.Continue > 0:
		c.await(forContinue, c.timeouts.Continue)
	default:
		c.requestSent()
	}
}

// awaitRoom starts the time in which the upstream has to take something.
func (c *call) awaitRoom() {
	if c.writeDeadline == 0 && c.timeouts.Body > 0 {
		c.writeDeadline = c.pool.local.loop.Now() + c.timeouts.Body
		c.setTimer()
	}
}

// moved: the upstream has taken something.
func (c *call) moved() { c.writeDeadline = 0 }

// arrived: something has come from the upstream.
func (c *call) arrived(n int) {
	c.heard = c.heard || n > 0
	if c.readFor == forBody {
		c.readDeadline = 0
	}
}

// readable: there is something to be read. When it is read is not up to the upstream.
func (c *call) readable() {
	if c.readFor == forBody {
		c.readDeadline = 0
	}
	c.wake()
}

// Expire is called by the loop when the timer has run out.
func (c *call) Expire() {
	now := c.pool.local.loop.Now()
	reached := func(d time.Duration) bool { return d != 0 && d <= now }
	switch {
	case c.state == callOver:
		return
	case reached(c.totalDeadline):
		c.fail(c.failure(ErrTotalTimeout, nil))
	case reached(c.writeDeadline):
		c.fail(c.failure(ErrBodyTimeout, nil))
	case reached(c.readDeadline):
		c.readExpired()
	}
	c.setTimer()
}

func (c *call) readExpired() {
	c.readDeadline = 0
	switch c.readFor {
	case forConnection:
		c.fail(c.failure(ErrAcquireTimeout, nil))
	case forContinue:
		c.conn.goOn()
	case forHead:
		c.fail(c.failure(ErrHeadTimeout, nil))
	case forBody:
		c.fail(c.failure(ErrBodyTimeout, nil))
	}
}

var _ loop.Expirer = (*call)(nil)
