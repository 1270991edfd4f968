package pipeline

import "iter"

// Theory.
//
// To make a coroutine is to make a goroutine, whose stack begins small and is copied when it has to grow: for a short
// function that costs more than all else. So a stack can be used again: it runs one task after another, and between two of them
// it is suspended like within one. Whoever has resumed it sees that the task is done, and gives it back.
//
// A stack that a task has panicked on is lost: the panic ends it.

// Stacks keeps the stacks of coroutines that have ended for those that come: see [CoroutineOn]. The zero value is
// ready for use. It belongs to one loop.
type Stacks struct {
	idle   []*stack
	closed bool
}

// keptStacks bounds how many idle stacks are kept: each is a goroutine and 2 KiB or a few times that.
const keptStacks = 64

// Close ends the stacks that are kept, and keeps none from then on. It is called on the loop, or when that has ended.
func (p *Stacks) Close() {
	p.closed = true
	idle := p.idle
	p.idle = nil
	for _, k := range idle {
		k.stop()
	}
}

// stack is a coroutine that runs tasks.
type stack struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	task  interface{ main() } // to be run at the next resume
	kept  bool                // it waits for another task when one is done
}

// take returns a stack that has nothing to do. Of no Stacks it is one that ends with its task.
func (p *Stacks) take() *stack {
	if p != nil {
		if n := len(p.idle); n > 0 {
			k := p.idle[n-1]
			p.idle[n-1], p.idle = nil, p.idle[:n-1]
			return k
		}
	}
	k := &stack{kept: p != nil}
	k.next, k.stop = iter.Pull(k.main)
	return k
}

// giveBack takes a stack whose task is done.
func (p *Stacks) giveBack(k *stack) {
	switch {
	case p == nil: // it has ended
	case p.closed || len(p.idle) == keptStacks:
		k.stop()
	default:
		p.idle = append(p.idle, k)
	}
}

// main is the coroutine.
func (k *stack) main(yield func(struct{}) bool) {
	k.yield = yield
	for {
		task := k.task
		k.task = nil
		task.main()
		if !k.kept || !yield(struct{}{}) {
			return
		}
	}
}
