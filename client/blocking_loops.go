package client

import (
	"fmt"
	"sync"

	"github.com/penstock-go/penstock/loop"
)

// blockingLoops are the loops that the requests of DoContext run on. Any goroutine.
type blockingLoops struct {
	mu      sync.Mutex
	next    int        // of Options.Loops
	own     *loop.Loop // nil before it is needed
	running int        // requests on own
	closed  bool
}

// take gives an exchange its loop, and starts that if it is the client's own.
func (b *blockingLoops) take(c *Client, e *blocking) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return &Error{Kind: ErrClientClosed, Upstream: e.upstream}
	}
	if given := c.options.Loops; len(given) > 0 {
		e.loop = given[b.next%len(given)]
		b.next = (b.next + 1) % len(given)
		return nil
	}
	if b.own == nil {
		if err := b.start(c); err != nil {
			return &Error{Kind: ErrConnect, Upstream: e.upstream, Cause: err}
		}
	}
	b.running++
	e.loop = b.own
	return nil
}

// start starts the client's own loop.
func (b *blockingLoops) start(c *Client) error {
	own, err := loop.New(loop.Options{Logger: c.options.Logger})
	if err != nil {
		return fmt.Errorf("the loop for it could not be made: %w", err)
	}
	b.own = own
	go func() {
		if err := own.Run(); err != nil {
			c.options.Logger.Error("client: the loop of the blocking requests has failed", "error", err)
		}
	}()
	return nil
}

// giveBack is called when an exchange is over.
func (b *blockingLoops) giveBack(l *loop.Loop) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l == b.own {
		b.running--
		b.stopUnused()
	}
}

// close refuses further requests, and ends the client's own loop as soon as it has none.
func (b *blockingLoops) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.stopUnused()
}

// stopUnused is called with mu held.
func (b *blockingLoops) stopUnused() {
	if b.closed && b.own != nil && b.running == 0 {
		b.own.Stop()
	}
}
