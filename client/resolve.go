package client

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// Theory.
//
// The loops share one nameCache. What it knows, it says at once, on the goroutine that asks. What it does not know is
// a question: one for each host, however many wait for it. A question is asked by a worker and ends
// exactly once, when the resolver has answered or when its time is over:
//
//	queued   as many questions as may be are being asked
//	asking   a worker has it
//	ended    whoever waited was told
//
// A resolver cannot be made to return, so a question that has timed out ends without it: its worker is abandoned, and
// another may take its place, as long as there are not too many of those. Should the worker come
// back with addresses after all, they are kept.
//
// Everything is guarded by one lock, which is never held while foreign code runs: who waits is told behind it, by
// unlock.

// nameOptions are the settings of a nameCache. A zero field means its default.
type nameOptions struct {
	resolver Resolver
	executor pipeline.Executor // runs the questions, at most asking+abandoned at a time; by default a pool of its own
	now      func() time.Time
	after    func(time.Duration, func()) (stop func() bool) // as time.AfterFunc: f runs elsewhere, not within the call

	fresh    time.Duration // how long addresses serve; 30 s
	stale    time.Duration // how long they stand in beyond that while the resolver fails; 5 min
	failed   time.Duration // how long an error serves; 1 s
	question time.Duration // how long one may take, and how long it may wait to be asked; 5 s

	hosts     int // whose answers are kept; 1,024
	asking    int // questions that are asked at a time; 8
	abandoned int // workers beside those whose question has timed out; 24
	queued    int // questions that wait to be asked; 64
}

func (o nameOptions) withDefaults() nameOptions {
	for _, f := range [...]struct {
		field        *time.Duration
		defaultValue time.Duration
	}{
		{&o.fresh, 30 * time.Second},
		{&o.stale, 5 * time.Minute},
		{&o.failed, time.Second},
		{&o.question, 5 * time.Second},
	} {
		if *f.field == 0 {
			*f.field = f.defaultValue
		}
	}
	for _, f := range [...]struct {
		field        *int
		defaultValue int
	}{{&o.hosts, 1024}, {&o.asking, 8}, {&o.abandoned, 24}, {&o.queued, 64}} {
		if *f.field == 0 {
			*f.field = f.defaultValue
		}
	}
	if o.resolver == nil {
		o.resolver = new(systemResolver)
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.after == nil {
		o.after = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	return o
}

// A nameCache knows the addresses of hosts, and asks a Resolver for those that it does not know. Its methods may be
// called on any goroutine.
type nameCache struct {
	options nameOptions
	pool    *loop.Pool // nil when the executor is not the cache's own

	mu        sync.Mutex // guards what follows
	answers   answers
	questions questions
	closed    bool
}

func newNameCache(o nameOptions) *nameCache {
	o = o.withDefaults()
	c := &nameCache{answers: answers{fresh: o.fresh, stale: o.stale, failed: o.failed, limit: o.hosts}}
	if o.executor == nil {
		c.pool = loop.NewPool(o.asking+o.abandoned, o.asking)
		o.executor = c.pool
	}
	c.options = o
	return c
}

// resolve returns the stream of one value, the addresses of host: a name, or an IP address, in which case nobody is
// asked (an IPv6 address without brackets, with a zone or without). It is to be polled on the loop that poster is. The
// addresses are shared, and must not be changed. If it fails, it does with an *Error of the kind ErrResolve, or
// ErrClientClosed.
//
// What is known is there at the first Poll; the first Poll is also what asks. Closing it does not end a question that
// is being asked, because its answer serves the next who asks.
func (c *nameCache) resolve(poster pipeline.Poster, host string) pipeline.Source[[]netip.Addr] {
	return &resolution{cache: c, poster: poster, host: host}
}

// close fails whoever waits and everything that is asked from now on, and cancels what is being asked. It does not
// wait for the resolver: the workers end when that lets them.
func (c *nameCache) close() {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	for host, q := range c.questions.byHost {
		c.end(q, nil, &Error{Kind: ErrClientClosed, Upstream: host})
	}
	c.unlock()
	if first && c.pool != nil {
		go c.pool.Close()
	}
}

// A resolution is what resolve returns. It is owned by the goroutine of its loop.
type resolution struct {
	cache  *nameCache
	poster pipeline.Poster
	host   string
	answer pipeline.Source[[]netip.Addr] // nil before the first Poll
	waiter *waiter                       // when the answer is waited for
}

func (s *resolution) Poll(w pipeline.Waker) ([]netip.Addr, error) {
	if s.answer == nil {
		s.ask()
	}
	return s.answer.Poll(w)
}

func (s *resolution) Close() {
	if s.answer == nil {
		s.answer = pipeline.Fail[[]netip.Addr](pipeline.ErrClosed)
	}
	s.answer.Close()
	if s.waiter != nil {
		s.cache.leave(s.waiter)
		s.waiter = nil
	}
}

func (s *resolution) ask() {
	if address, err := netip.ParseAddr(s.host); err == nil {
		s.answer = pipeline.Once([]netip.Addr{address.Unmap()})
		return
	}
	addresses, waiter, err := s.cache.ask(strings.ToLower(s.host), s.poster)
	switch {
	case err != nil:
		s.answer = pipeline.Fail[[]netip.Addr](err)
	case waiter != nil:
		s.answer, s.waiter = waiter.future, waiter
	default:
		s.answer = pipeline.Once(addresses)
	}
}
