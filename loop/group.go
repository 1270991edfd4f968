package loop

import (
	"fmt"
	"sync"
)

// A Group is a number of loops that run, and end, together.
type Group struct {
	loops []*Loop
}

// NewGroup makes n loops with the same options; n is usually the number of cores. Like
// a Loop, a Group that is no longer wanted is stopped and then run. Options with a
// Poller are for a single loop and are refused.
func NewGroup(n int, o Options) (*Group, error) {
	if n < 1 {
		return nil, fmt.Errorf("loop: a group needs at least one loop, not %d", n)
	}
	if o.Poller != nil {
		return nil, fmt.Errorf("loop: the loops of a group cannot share the poller that the options name")
	}
	g := &Group{}
	for range n {
		l, err := New(o)
		if err != nil {
			g.Stop()
			_ = g.Run() // releases the loops that were made
			return nil, err
		}
		g.loops = append(g.loops, l)
	}
	return g, nil
}

// GroupOf makes a group of loops that were made one by one. Nobody else runs them.
func GroupOf(loops ...*Loop) *Group { return &Group{loops: loops} }

// Loops are the loops of the group. The slice is the group's: do not change it.
func (g *Group) Loops() []*Loop { return g.loops }

// Run runs each loop on a goroutine of its own and waits for all of them. When one fails
// the others are stopped, and its error is returned.
func (g *Group) Run() error {
	var (
		wait  sync.WaitGroup
		once  sync.Once
		first error
	)
	for _, l := range g.loops {
		wait.Go(func() {
			if err := l.Run(); err != nil {
				once.Do(func() { first = err })
				g.Stop()
			}
		})
	}
	wait.Wait()
	return first
}

// Stop stops every loop and does not wait for it. Any goroutine, any number of times.
func (g *Group) Stop() {
	for _, l := range g.loops {
		l.Stop()
	}
}
