package main

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock-go/penstock/bench/internal/sockdiag"
)

const (
	// lookEvery is how often the bytes on their way are counted.
	lookEvery = 20 * time.Millisecond
	// blur is how many bytes may pass while they are counted.
	blur = 1 << 20
)

// A passage is a gateway between its upstream and its clients, all on this machine, as the kernel
// sees it: nobody is asked for what went through. Connections that are closed are missing in it, so
// that they must stay open for as long as it is looked at.
type passage struct {
	gateway, upstream uint16                  // ports
	resident          func() (float64, error) // bytes of memory that the gateway has
}

func newPassage(gateway, upstream *serverProcess) (p passage, err error) {
	if p.gateway, err = gateway.port(); err != nil {
		return p, err
	}
	p.resident = gateway.residentBytes
	p.upstream, err = upstream.port()
	return p, err
}

// An advance is how many bytes are on their way from the upstream to the clients.
type advance struct {
	in, out int64 // that the gateway has read from the upstream, and written to the clients, in all
	held    int64 // that the gateway has read and not written
	written int64 // that the upstream has written and no client has read
	queued  int64 // in the kernel's buffers of the gateway's connections
}

// count asks for the sides one after another while bytes move, and for those behind the gateway once
// more in the end: what they have grown by meanwhile is the most that an advance may be wrong by,
// too large and never too small. When that is more than blur, because the harness was held up,
// known is false.
func (p passage) count() (found advance, known bool, err error) {
	var sides [6]sockdiag.Traffic
	clients := func() (sockdiag.Traffic, error) { return sockdiag.To(p.gateway) }
	out := func() (sockdiag.Traffic, error) { return sockdiag.Of(p.gateway) }
	in := func() (sockdiag.Traffic, error) { return sockdiag.To(p.upstream) }
	upstream := func() (sockdiag.Traffic, error) { return sockdiag.Of(p.upstream) }
	for i, ask := range []func() (sockdiag.Traffic, error){clients, out, in, upstream, out, clients} {
		if sides[i], err = ask(); err != nil {
			return advance{}, false, err
		}
	}
	found = advance{
		in: sides[2].Read, out: sides[1].Written,
		held:    sides[2].Read - sides[1].Written,
		written: sides[3].Written - sides[0].Read,
		queued:  sides[2].Unread + sides[1].Unsent,
	}
	return found, sides[4].Written-sides[1].Written <= blur && sides[5].Read-sides[0].Read <= blur, nil
}

// A looking counts a passage again and again, in a goroutine of its own, until it is ended.
type looking struct {
	stop     context.CancelFunc
	finished chan struct{} // closed when the rest may be read
	most     advance       // the largest of each
	course   course
	err      error
}

// look begins to, at every tick. Whoever calls it calls end.
func (p passage) look(ctx context.Context, ticks <-chan time.Time) *looking {
	ctx, stop := context.WithCancel(ctx)
	l := &looking{stop: stop, finished: make(chan struct{})}
	go func() {
		defer close(l.finished)
		l.err = l.follow(ctx, p, ticks)
	}()
	return l
}

// end returns the largest advances that were seen until now. It may be called again.
func (l *looking) end() (advance, error) {
	l.stop()
	<-l.finished
	return l.most, l.err
}

// follow counts until ctx is over.
func (l *looking) follow(ctx context.Context, p passage, ticks <-chan time.Time) error {
	looks, blurred := 0, 0
	for {
		var at time.Time
		select {
		case <-ctx.Done():
			if blurred*2 > looks || looks == 0 {
				return fmt.Errorf("%d of %d looks were too slow to tell what is on its way, expected less than half: the machine is too busy", blurred, looks)
			}
			return nil
		case at = <-ticks:
		}
		now, known, err := p.count()
		if err != nil {
			return err
		}
		looks++
		if !known {
			blurred++
			continue
		}
		l.most.include(now)
		if err := l.course.add(at, now, p.resident); err != nil {
			return err
		}
	}
}

// include makes each number the larger one of both.
func (a *advance) include(other advance) {
	a.in, a.out = max(a.in, other.in), max(a.out, other.out)
	a.held, a.written, a.queued = max(a.held, other.held), max(a.written, other.written), max(a.queued, other.queued)
}
