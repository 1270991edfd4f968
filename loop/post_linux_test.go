package loop_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

func TestPostsRunInOrderAndInTurns(t *testing.T) {
	l := looptest.New(t)
	var ran trace
	post := func(name string, then func()) {
		if err := l.Post(func() {
			ran.add(name)
			if then != nil {
				then()
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	post("a", func() { post("posted by a", nil) })
	post("b", nil)
	if turns := l.Poll(); turns != 1 {
		t.Errorf("two posts took %d turns; it should be one", turns)
	}
	ran.expect(t, "posts of one turn", "a", "b")
	l.Settle()
	ran.expect(t, "what a post posts waits for the next turn", "posted by a")
}

// TestPostsFromManyGoroutines: each post that was accepted runs exactly once, in the
// order of its own goroutine, and each that was refused never, while the loop is being
// stopped.
func TestPostsFromManyGoroutines(t *testing.T) {
	l, err := loop.New(loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const posters = 8
	var ran [posters]int // owned by the loop
	var accepted [posters]int
	var wait sync.WaitGroup
	for i := range posters {
		wait.Go(func() {
			for number := 0; ; number++ {
				err := l.Post(func() {
					if ran[i] != number {
						t.Errorf("post %d of a goroutine ran in place %d", number, ran[i])
					}
					ran[i]++
					if i == 0 && number == 500 {
						l.Stop()
					}
				})
				if err != nil {
					if err != loop.ErrStopped {
						t.Errorf("a refused post returned %v; it should be ErrStopped", err)
					}
					accepted[i] = number
					return
				}
			}
		})
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	if ran != accepted {
		t.Errorf("of each goroutine's posts %v were accepted and %v ran; it should be the same", accepted, ran)
	}
}

// TestManyPostsAtOnce: the memory of a long batch is given up, and its posts are not.
func TestManyPostsAtOnce(t *testing.T) {
	l := looptest.New(t)
	for range 3 {
		count := 0
		for range 5000 {
			_ = l.Post(func() { count++ })
		}
		l.Settle()
		if count != 5000 {
			t.Errorf("of 5000 posts %d ran", count)
		}
	}
}

func TestStopFromAnywhere(t *testing.T) {
	stops := map[string]func(l *loop.Loop){
		"before Run":   func(l *loop.Loop) { l.Stop(); l.Stop() },
		"a post":       func(l *loop.Loop) { _ = l.Post(l.Stop) },
		"a task":       func(l *loop.Loop) { task := &loop.Task{}; task.Init(call(l.Stop)); l.Schedule(task) },
		"a timer":      func(l *loop.Loop) { timer := &loop.Timer{}; timer.Init(call(l.Stop)); l.SetTimer(timer, 0) },
		"another go":   func(l *loop.Loop) { go l.Stop() },
		"several":      func(l *loop.Loop) { go l.Stop(); go l.Stop(); _ = l.Post(l.Stop) },
		"a stop again": func(l *loop.Loop) { _ = l.Post(func() { l.Stop(); _ = l.Post(l.Stop) }) },
	}
	for name, stop := range stops {
		l, err := loop.New(loop.Options{})
		if err != nil {
			t.Fatal(err)
		}
		stop(l)
		if err := l.Run(); err != nil {
			t.Errorf("%s: Run returned %v", name, err)
		}
		if err := l.Run(); err == nil {
			t.Errorf("%s: a second Run should be refused", name)
		}
		l.Stop()
	}
}

// TestEndOfLoop: posts accepted by then run, with the tasks they schedule, and sockets
// are closed, also one that such a post attaches.
func TestEndOfLoop(t *testing.T) {
	l := looptest.New(t)
	var ran trace
	h, peer := attachedPair(t, l)
	lateFD, latePeer := looptest.Socketpair(t)
	late := &recorder{}
	put := ran.task("task put off", nil)
	l.Schedule(put)
	_ = l.Post(func() {
		l.Stop()
		_ = l.Post(func() {
			ran.add("late post")
			if err := late.socket.Attach(l.Loop, lateFD, late); err != nil {
				t.Errorf("a post that was accepted should still find the loop: %v", err)
			}
			l.Schedule(ran.task("late task", nil))
			if err := l.Post(func() {}); err != loop.ErrStopped {
				t.Errorf("a post in the last turn returned %v; it should be ErrStopped", err)
			}
		})
	})
	l.Abandon()
	ran.expect(t, "the end of a loop", "task put off", "late post", "late task")
	if !h.socket.Closed() || !late.socket.Closed() {
		t.Error("when a loop has ended its sockets should be closed")
	}
	for _, fd := range []int{peer, latePeer} {
		if _, ended := looptest.Receive(t, fd); !ended {
			t.Error("when a loop has ended the peers of its sockets should see the end")
		}
	}
	if len(h.events)+len(late.events) != 0 {
		t.Error("the end of a loop is not an event")
	}
}

// TestAwait: a worker's post reaches a loop that a test turns by hand.
func TestAwait(t *testing.T) {
	l := looptest.New(t)
	pool := loop.NewPool(1, 0)
	defer pool.Close()
	var answer atomic.Int64
	if err := pool.Submit(func() { _ = l.Post(func() { answer.Store(42) }) }); err != nil {
		t.Fatal(err)
	}
	l.Await()
	if answer.Load() != 42 {
		t.Error("what a worker posted should have run")
	}
}
