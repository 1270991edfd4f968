package loop_test

import (
	"bytes"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/penstock-go/penstock/loop"
)

// gate is a task that says it has begun and waits to be let go.
type gate struct {
	begun  chan struct{}
	letGo  chan struct{}
	ended  atomic.Int64
	inside atomic.Int64
	most   atomic.Int64
}

func newGate() *gate {
	return &gate{begun: make(chan struct{}, 100), letGo: make(chan struct{})}
}

func (g *gate) pass() {
	inside := g.inside.Add(1)
	for most := g.most.Load(); inside > most && !g.most.CompareAndSwap(most, inside); most = g.most.Load() {
	}
	g.begun <- struct{}{}
	<-g.letGo
	g.inside.Add(-1)
	g.ended.Add(1)
}

func TestPoolBounds(t *testing.T) {
	p := loop.NewPool(3, 4)
	g := newGate()
	for i := range 7 {
		if err := p.Submit(g.pass); err != nil {
			t.Fatalf("task %d of 7 was refused, though there are 3 workers and 4 places: %v", i, err)
		}
	}
	for range 3 {
		<-g.begun
	}
	err := p.Submit(g.pass)
	if err != loop.ErrPoolFull {
		t.Errorf("the eighth task returned %v; it should be ErrPoolFull", err)
	}
	status, ok := err.(interface {
		Status() int
		Public() string
	})
	if !ok || status.Status() != 503 || status.Public() == "" {
		t.Errorf("a full pool should be a 503 with a sentence for clients; it is %v", err)
	}
	g.letGo <- struct{}{}
	<-g.begun // a queued task has begun, so there is a place again
	if err := p.Submit(g.pass); err != nil {
		t.Errorf("when a task has left the queue there is a place; the error was %v", err)
	}
	close(g.letGo)
	p.Close()
	p.Close()
	if ended, most := g.ended.Load(), g.most.Load(); ended != 8 || most != 3 {
		t.Errorf("when the pool has closed %d of 8 tasks had ended, at most %d of 3 at once", ended, most)
	}
	if err := p.Submit(func() {}); err != loop.ErrPoolClosed {
		t.Errorf("a closed pool returned %v; it should be ErrPoolClosed", err)
	}
}

// TestPoolRunsInOrder: with one worker the queue is seen to be first in, first out,
// around the end of its ring too.
func TestPoolRunsInOrder(t *testing.T) {
	p := loop.NewPool(1, 3)
	g := newGate()
	var order []int
	for round := range 4 {
		if err := p.Submit(g.pass); err != nil {
			t.Fatal(err)
		}
		<-g.begun
		for i := range 2 {
			if err := p.Submit(func() { order = append(order, round*2+i) }); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan struct{})
		if err := p.Submit(func() { close(done) }); err != nil {
			t.Fatal(err)
		}
		g.letGo <- struct{}{}
		<-done
	}
	p.Close()
	for i, n := range order {
		if n != i || len(order) != 8 {
			t.Fatalf("the tasks ran in the order %v", order)
		}
	}
}

// TestPoolSurvivesTasks: a task may panic or end its goroutine; the next ones run.
func TestPoolSurvivesTasks(t *testing.T) {
	var log logBuffer
	before := slog.Default()
	slog.SetDefault(log.logger())
	defer slog.SetDefault(before)
	for _, bad := range []func(){func() { panic("panic of task") }, runtime.Goexit} {
		p := loop.NewPool(1, 2)
		g := newGate()
		ran := false
		for _, task := range []func(){g.pass, bad, func() { ran = true }} {
			if err := p.Submit(task); err != nil {
				t.Fatal(err)
			}
		}
		close(g.letGo)
		p.Close()
		if !ran {
			t.Error("the task behind a bad one should run")
		}
	}
	if log.lines("panic of task") != 1 || !bytes.Contains([]byte(log.String()), []byte("pool_test.go")) {
		t.Errorf("a panic should be logged with its stack; the log is:\n%s", log.String())
	}
}

// TestPoolFromManyGoroutines: what was accepted runs once, what was refused never.
func TestPoolFromManyGoroutines(t *testing.T) {
	for _, queue := range []int{0, 1, 10} {
		p := loop.NewPool(4, queue)
		var ran, accepted atomic.Int64
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				for range 2000 {
					if p.Submit(func() { ran.Add(1) }) == nil {
						accepted.Add(1)
					}
				}
			})
		}
		wait.Wait()
		p.Close()
		if ran.Load() != accepted.Load() || ran.Load() == 0 {
			t.Errorf("with room for %d, %d tasks were accepted and %d ran", queue, accepted.Load(), ran.Load())
		}
	}
}

func BenchmarkPoolSubmit(b *testing.B) {
	p := loop.NewPool(2, 1024)
	defer p.Close()
	task := func() {}
	b.ReportAllocs()
	for range b.N {
		for p.Submit(task) != nil {
			runtime.Gosched()
		}
	}
}
