package pipeline_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// Helpers for what has one side on a loop and the other on a goroutine that blocks.

// besides runs f on a goroutine of its own. Whenever that waits, step runs, which returns false if there is nothing
// that could go on.
func besides(t *testing.T, f func(), step func() bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			f()
		}()
		for {
			synctest.Wait()
			select {
			case <-done:
				return
			default:
			}
			if !step() {
				t.Fatal("a goroutine waits, and nothing is left to happen")
			}
		}
	})
}

// countingClose counts how often a source was closed, on whatever goroutine.
type countingClose[T any] struct {
	pipeline.Source[T]
	mu     sync.Mutex
	closes int
}

func (s *countingClose[T]) Close() {
	s.mu.Lock()
	s.closes++
	s.mu.Unlock()
	s.Source.Close()
}

func (s *countingClose[T]) wantClosed(t *testing.T, why string, closes int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closes != closes {
		t.Errorf("%s: the source was closed %d times, %d was expected", why, s.closes, closes)
	}
}

// loopGoroutine is a loop with a goroutine of its own, until it is stopped.
type loopGoroutine struct {
	mu      sync.Mutex
	some    sync.Cond
	posts   []func()
	stopped bool
	ended   chan struct{}
}

func newLoopGoroutine() *loopGoroutine {
	l := &loopGoroutine{ended: make(chan struct{})}
	l.some.L = &l.mu
	go l.run()
	return l
}

func (l *loopGoroutine) Post(f func()) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return pipelinetest.ErrStopped
	}
	l.posts = append(l.posts, f)
	l.some.Signal()
	return nil
}

func (l *loopGoroutine) run() {
	defer close(l.ended)
	var batch []func()
	for {
		l.mu.Lock()
		for len(l.posts) == 0 && !l.stopped {
			l.some.Wait()
		}
		batch, l.posts = l.posts, batch[:0]
		l.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		for i, f := range batch {
			batch[i] = nil
			f()
		}
	}
}

// stop has posts refused, and waits until those that were accepted have run.
func (l *loopGoroutine) stop() {
	l.mu.Lock()
	l.stopped = true
	l.some.Signal()
	l.mu.Unlock()
	<-l.ended
}
