package loop_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// many makes n tasks that record their numbers in ran.
func many(n int, ran *trace) []*loop.Task {
	tasks := make([]*loop.Task, n)
	for i := range tasks {
		tasks[i] = ran.task(fmt.Sprint(i), nil)
	}
	return tasks
}

func scheduleAll(l *looptest.Loop, tasks []*loop.Task) {
	for _, task := range tasks {
		l.Schedule(task)
	}
}

// TestSocketIsServedBetweenTasksOfOnePost is a post that wakes three turns' worth of
// connections, and a request that comes meanwhile.
func TestSocketIsServedBetweenTasksOfOnePost(t *testing.T) {
	const budget = loop.TaskBudget
	l := looptest.New(t)
	var ran trace
	tasks := many(3*budget, &ran)
	answer := ran.task("answer", nil)
	h, peer := attachedPair(t, l)
	h.then = func(loop.Readiness) { l.Schedule(answer) }
	_ = l.Post(func() {
		scheduleAll(l, tasks)
		looptest.Send(t, peer, "request")
	})
	l.Settle()
	if len(ran) != 3*budget+1 {
		t.Fatalf("%d tasks ran; it should be %d", len(ran), 3*budget+1)
	}
	if at := slices.Index(ran, "answer"); at != budget {
		t.Errorf("a socket that became ready during the first of %d tasks was served behind %d of them; it should be behind %d, which one turn runs",
			3*budget, at, budget)
	}
	for i, name := range slices.DeleteFunc(ran, func(name string) bool { return name == "answer" }) {
		if name != fmt.Sprint(i) {
			t.Fatalf("task %s ran in place %d; tasks should run in the order in which they were scheduled", name, i)
		}
	}
	h.socket.Close()
}

// TestTimerExpiresBetweenTasks: time goes by while tasks run.
func TestTimerExpiresBetweenTasks(t *testing.T) {
	const budget = loop.TaskBudget
	l := looptest.New(t)
	var ran trace
	tasks := many(3*budget, &ran)
	var timer loop.Timer
	timer.Init(call(func() { ran.add("timer") }))
	l.SetTimer(&timer, 5*time.Millisecond)
	first := ran.task("first", func() { l.Jump(10 * time.Millisecond) })
	_ = l.Post(func() {
		l.Schedule(first)
		scheduleAll(l, tasks)
	})
	l.Settle()
	if at := slices.Index(ran, "timer"); at < 0 || at > 2*budget {
		t.Errorf("a timer that was due during the first of %d tasks expired behind %d; it should be behind %d at most", len(ran), at, 2*budget)
	}
}

// TestPostIsNotKeptWaitingByTasks: what a post schedules runs in its own turn, whatever
// was put off before; and what was put off moves on, whatever is posted.
func TestPostIsNotKeptWaitingByTasks(t *testing.T) {
	const budget = loop.TaskBudget
	l := looptest.New(t)
	var ran trace
	tasks := many(4*budget, &ran)
	answers := many(2*budget, new(trace))
	answer, last := ran.task("answer", nil), ran.task("last", nil)
	_ = l.Post(func() { scheduleAll(l, tasks) })
	l.Poll()
	ran = nil
	_ = l.Post(func() {
		scheduleAll(l, answers)
		l.Schedule(last)
	})
	l.Poll()
	if len(ran) != budget || ran[0] != fmt.Sprint(budget) {
		t.Errorf("beside many tasks of a post, %d of those put off ran; it should be the next %d", len(ran), budget)
	}
	ran = nil
	_ = l.Post(func() { l.Schedule(answer) })
	l.Poll()
	if len(ran) != budget+1 || ran[budget] != "answer" {
		t.Errorf("the task of a post should run in its turn, although others were put off before; %d tasks ran", len(ran))
	}
	l.Settle()
	if ran[len(ran)-1] != "last" {
		t.Errorf("what was scheduled last and put off should run last; that was %q", ran[len(ran)-1])
	}
}

// TestLastTurnHasNoBudget: a loop that ends runs all that is waiting.
func TestLastTurnHasNoBudget(t *testing.T) {
	const budget = loop.TaskBudget
	l := looptest.New(t)
	var ran trace
	before, late := many(5*budget, &ran), many(5*budget, &ran)
	scheduleAll(l, before)
	_ = l.Post(func() {
		l.Stop()
		_ = l.Post(func() { scheduleAll(l, late) })
	})
	l.Abandon()
	if len(ran) != 10*budget {
		t.Errorf("of %d tasks that were waiting when the loop ended %d ran", 10*budget, len(ran))
	}
}

// BenchmarkTasksOfOnePost is what the loop itself costs for each of the tasks that one post
// wakes, on the real poller.
func BenchmarkTasksOfOnePost(b *testing.B) {
	const count = 10_000
	l, err := loop.New(loop.Options{})
	if err != nil {
		b.Fatal(err)
	}
	left := 0
	var wake func()
	tasks := make([]loop.Task, count)
	for i := range tasks {
		tasks[i].Init(call(func() {
			if left--; left%count == 0 {
				_ = l.Post(wake)
			}
		}))
	}
	wake = func() {
		if left <= 0 {
			l.Stop()
			return
		}
		for i := range tasks {
			l.Schedule(&tasks[i])
		}
	}
	left = (b.N + count - 1) / count * count
	_ = l.Post(wake)
	b.ReportAllocs()
	b.ResetTimer()
	if err := l.Run(); err != nil {
		b.Fatal(err)
	}
}
