package loop

import (
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/panjf2000/gnet/v2/pkg/pool/goroutine"
)

// Theory.
//
// The pool counts its own workers and keeps its own queue, both under one lock. A worker
// is one function on gnet's goroutine pool: it runs the task it was made for, then what
// waits in the queue, and ends when that is empty. So
//
//   - a task waits in the queue only while every worker is busy;
//   - every worker that is counted will look at the queue again before it ends, so
//     nothing that was accepted is left behind;
//   - goroutines are reused, and an idle pool has none after a while.
//
// The goroutine pool's own capacity stays far above ours: it counts a goroutine until
// some time after the worker on it has ended, so with an equal capacity it would now and
// then refuse a worker that there is room for.

// A Pool runs work that blocks, away from the loops, with a bound on how much runs at
// once and on how much waits. Its methods may be called on any goroutine.
type Pool struct {
	goroutines *goroutine.Pool
	workers    int
	capacity   int // of the queue

	mu     sync.Mutex
	queue  []func() // a ring of length capacity
	first  int      // where the oldest waits
	queued int
	busy   int // workers that have not ended
	closed bool
	idle   *sync.Cond // busy has become zero
}

// NewPool makes a pool of at most workers tasks at a time, at least one, with room for
// queue more that wait, at least none.
func NewPool(workers, queue int) *Pool {
	p := &Pool{goroutines: goroutine.Default(), workers: max(workers, 1), capacity: max(queue, 0)}
	p.idle = sync.NewCond(&p.mu)
	return p
}

// Submit runs task on a worker, soon. It never waits: when all workers are busy and the
// queue is full it returns ErrPoolFull, and after Close ErrPoolClosed; then the task does
// not run. A panic in the task is written to the log, with its stack, and harms nothing
// else.
func (p *Pool) Submit(task func()) error {
	p.mu.Lock()
	switch {
	case p.closed:
		p.mu.Unlock()
		return ErrPoolClosed
	case p.busy < p.workers:
		p.busy++
		p.mu.Unlock()
		p.startWorker(task)
		return nil
	case p.queued == p.capacity:
		p.mu.Unlock()
		return ErrPoolFull
	}
	p.enqueue(task)
	p.mu.Unlock()
	return nil
}

// startWorker puts a worker on a goroutine. It is counted already, and tasks may wait
// for it already, so it has to start: if need be on a goroutine that is not reused.
func (p *Pool) startWorker(task func()) {
	worker := func() { p.work(task) }
	if p.goroutines.Submit(worker) != nil {
		go worker()
	}
}

// work is a worker. A task that ends its goroutine with runtime.Goexit is followed by
// another worker, which takes over its place in the count.
func (p *Pool) work(task func()) {
	finished := false
	defer func() {
		if !finished {
			go p.work(nil)
		}
	}()
	for task != nil || p.takeNext(&task) {
		run(task)
		task = nil
	}
	finished = true
}

// takeNext takes the oldest task of the queue, or ends the worker if there is none: in
// one step, so that a task is not queued for a worker that has just seen no task.
func (p *Pool) takeNext(task *func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queued == 0 {
		p.ended()
		return false
	}
	*task = p.queue[p.first]
	p.queue[p.first] = nil
	p.first = (p.first + 1) % p.capacity
	p.queued--
	return true
}

// enqueue makes the ring when it is first needed: most pools hardly ever queue.
func (p *Pool) enqueue(task func()) {
	if p.queue == nil {
		p.queue = make([]func(), p.capacity)
	}
	p.queue[(p.first+p.queued)%p.capacity] = task
	p.queued++
}

func (p *Pool) ended() {
	p.busy--
	if p.busy == 0 {
		p.idle.Broadcast()
	}
}

func run(task func()) {
	defer func() {
		if value := recover(); value != nil {
			slog.Error("loop: panic in a task of the pool", "panic", value, "stack", string(debug.Stack()))
		}
	}()
	task()
}

// Close refuses new work and waits until all that was accepted has run. It must not be
// called by a task of the pool, which would wait for itself.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	for p.busy > 0 {
		p.idle.Wait()
	}
	p.mu.Unlock()
	p.goroutines.Release()
}
