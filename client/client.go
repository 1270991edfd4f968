package client

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/penstock-go/penstock/loop"
)

// A Client sends requests from loops. What it keeps, connections above all, it keeps for each
// loop and each upstream apart, so that loops share nothing on the way of a request.
type Client struct {
	options Options
	connect func(*dialAttempt) error              // connectSocket, but in tests
	opened  atomic.Uint64                         // connections
	closed  atomic.Bool                           // set with mu held
	locals  atomic.Pointer[map[*loop.Loop]*local] // replaced, never changed

	blockingLoops blockingLoops

	mu        sync.Mutex
	upstreams upstreams
	names     *nameCache // made when the first name is to be resolved
}

// New makes a client. It holds nothing until it is used. Any goroutine.
func New(o Options) (*Client, error) {
	c := &Client{options: o.withDefaults(), connect: connectSocket}
	c.locals.Store(&map[*loop.Loop]*local{})
	return c, nil
}

// Close ends the client, and does not wait for that. From now on requests fail with
// ErrClientClosed, and soon so do those that wait for a connection; each loop closes the connections
// that are idle, and those in use when their request is over. Any goroutine, any number of times.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Swap(true) {
		return
	}
	if c.names != nil {
		c.names.close()
	}
	for l, local := range *c.locals.Load() {
		_ = l.Post(local.shut) // refused by a loop that has ended, and its connections with it
	}
	c.blockingLoops.close()
}

// nameCache returns what resolves names.
func (c *Client) nameCache() *nameCache {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names == nil {
		c.names = newNameCache(nameOptions{resolver: c.options.Resolver})
		if c.closed.Load() {
			c.names.close()
		}
	}
	return c.names
}

// local returns what the client keeps for a loop.
func (c *Client) local(l *loop.Loop) *local {
	if local := (*c.locals.Load())[l]; local != nil {
		return local
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	locals := maps.Clone(*c.locals.Load())
	locals[l] = newLocal(c, l)
	c.locals.Store(&locals)
	return locals[l]
}
