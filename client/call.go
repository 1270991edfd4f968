package client

import (
	"io"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// call is a request on its way, and then its response. As a source it gives the response.
//
//	fresh ─▶ waiting ─▶ asking ─▶ answered ─▶ over
//	             ▲         │
//	             └─────────┘ once, when a kept connection turned out to be stale
//
// Rules:
//
//  1. There is one way out, leave: whatever ends a call, it takes the call out of the queue or
//     gives its connection back, closes the body of the request, and stops the timer.
//  2. Who polls owns: until the response was handed out that is who polls the call, from then on
//     who polls its body. Closing the call afterwards does nothing.
//  3. Code of the request's owner (its body, Informed, Trailers) may close the call, and with it all of
//     this, while it is being called. So such a call comes last, or the state is looked at behind it.
//  4. A chunk that was handed out stays what it is until the next Poll or Close, also when the
//     call ends meanwhile: its buffer is then not used again.
//
// It stays for as long as a response lasts, which may be hours: what it takes is bounded by a test.
// Owned by the loop goroutine.
type call struct {
	pool     *pool
	request  *Request // nil once nothing of it is needed
	timeouts *Timeouts
	conn     *conn          // nil unless it has one
	parser   *parser.Parser // from when it has a connection until the response is closed; nil while suspended
	waker    pipeline.Waker // of the latest Poll, while that waits
	err      error          // why it is over
	response Response
	place    parser.Suspended // where parser was, while there is none

	timer         loop.Timer
	readDeadline  time.Duration // what is read has to come by then; 0: nobody waits
	writeDeadline time.Duration // the same of the send buffer's room
	totalDeadline time.Duration

	next, previous *call // that wait for a connection
	state          callState
	readFor        readFor
	informed       uint8 // informational responses that have come
	bodyTaken      bool  // the request's body is its connection's, or closed
	heard          bool  // something has come from the upstream
	retried        bool
	limited        bool // it waits because there are as many connections as there may be
	handedOut      bool // the response
	headReleased   bool
	bodiless       bool // the response has no content, whatever its fields declare
	lent           bool // the chunk that was given out last may still be looked at
	down, up       bool // directions of a tunnel that are open
}

type callState uint8

const (
	callFresh callState = iota
	callWaiting
	callAsking
	callAnswered
	callOver
)

// readFor is what readDeadline is about.
type readFor uint8

const (
	forConnection readFor = iota
	forContinue
	forHead
	forBody
)

func newCall(p *pool, r *Request) *call {
	c := &call{pool: p, request: r, timeouts: &p.upstream.client.options.Timeouts}
	if r.Timeouts != nil {
		own := r.Timeouts.withDefaults()
		c.timeouts = &own
	}
	c.timer.Init(c)
	return c
}

// Poll gives the response when its head has come, and io.EOF after that.
func (c *call) Poll(w pipeline.Waker) (*Response, error) {
	if c.handedOut {
		return nil, io.EOF // and the waker is that of the body
	}
	c.waker = nil
	if c.state == callFresh {
		c.start()
	}
	for c.state < callAnswered {
		if c.state == callWaiting || !c.readHead() {
			c.waker = w
			return nil, pipeline.ErrPending
		}
	}
	if c.state == callAnswered {
		c.handedOut = true
		return &c.response, nil
	}
	return nil, c.err
}

// Close cancels the request, unless the response was handed out: then it is the response's.
func (c *call) Close() {
	if !c.handedOut {
		c.waker = nil
		c.leave(pipeline.ErrClosed, false)
	}
}

// start has the call wait for a connection, which may be there at once.
func (c *call) start() {
	if err := c.request.check(); err != nil {
		c.fail(c.failure(ErrRequest, err))
		return
	}
	if total := c.timeouts.Total; total > 0 {
		c.totalDeadline = c.pool.local.loop.Now() + total
	}
	c.state = callWaiting
	c.pool.acquire(c)
	c.setTimer()
}

// given is called by the pool with a connection for the call.
func (c *call) given(k *conn) {
	c.conn, c.state, c.readDeadline = k, callAsking, 0
	k.call = c
	k.calls++
	c.parser = c.pool.local.lendParser()
	c.parser.AnswerTo(c.request.Method)
	k.begin()
	c.wake()
}

// fail ends the call with an error, and returns it.
func (c *call) fail(err error) error {
	if c.state != callOver {
		defer c.wake() // even if the body panics when it is closed
		c.leave(err, false)
	}
	return err
}

func (c *call) failure(kind, cause error) error {
	return &Error{Kind: kind, Upstream: c.pool.upstream.address, Cause: cause}
}

// leave is the one way out of a call. reusable says that the connection, if there is one, can be
// used for the next.
func (c *call) leave(err error, reusable bool) {
	if c.state == callOver {
		return
	}
	waited, k := c.state == callWaiting, c.conn
	if c.state < callAnswered {
		c.giveParserBack()
	}
	c.state, c.err, c.conn = callOver, err, nil
	c.down, c.up = false, false
	c.pool.local.loop.ClearTimer(&c.timer)
	if waited {
		c.pool.giveUp(c)
	}
	if k != nil {
		if c.lent {
			k.input = nil // somebody is looking at it
		}
		k.releaseInput()
		k.call = nil
		c.pool.release(k, reusable, err)
	}
	c.closeBody()
	c.request = nil
}

// closeBody closes the request's body, unless a connection has it.
func (c *call) closeBody() {
	if r := c.request; r != nil && r.Body != nil && !c.bodyTaken {
		c.bodyTaken = true
		r.Body.Close()
	}
}

// giveParserBack gives up the parser, and with it the head.
func (c *call) giveParserBack() {
	if p := c.parser; p != nil {
		c.parser = nil
		c.pool.local.takeBackParser(p)
	}
}

func (c *call) wake() {
	if w := c.waker; w != nil {
		c.waker = nil
		w.Wake()
	}
}
