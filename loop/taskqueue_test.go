package loop

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTaskQueueAgainstModel puts in, takes out and pops at random, beside a slice that is
// told the same. The places begin shortly before they overflow.
func TestTaskQueueAgainstModel(t *testing.T) {
	for range 20 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		q := taskQueue{first: ^uint32(0) - 1000, end: ^uint32(0) - 1000}
		var model []*Task
		for step := range 5000 {
			switch draw := random.IntN(10); {
			case draw < 4+step%3:
				task := &Task{queue: forLater}
				q.append(task)
				model = append(model, task)
			case draw < 6 && len(model) > 0:
				i := random.IntN(len(model))
				q.remove(model[i])
				model = slices.Delete(model, i, i+1)
			default:
				var want *Task
				if len(model) > 0 {
					want, model = model[0], model[1:]
				}
				if got := q.pop(q.end); got != want {
					t.Fatalf("seed %d, step %d: pop should return the task that has been in the queue for longest", seed, step)
				} else if got != nil && got.queue != unscheduled {
					t.Fatalf("seed %d, step %d: a task that was popped should not seem to be scheduled", seed, step)
				}
			}
			if q.length != len(model) {
				t.Fatalf("seed %d, step %d: the queue says that it holds %d tasks; it should hold %d", seed, step, q.length, len(model))
			}
		}
	}
}

func TestTaskQueuePopsUpToLimit(t *testing.T) {
	var q taskQueue
	var early, late Task
	q.append(&early)
	limit := q.end
	q.append(&late)
	if q.pop(limit) != &early || q.pop(limit) != nil {
		t.Error("what came into the queue behind the limit should stay in it")
	}
	q.remove(&late)
	if q.pop(limit) != nil || q.pop(q.end) != nil {
		t.Error("an empty queue should give nothing, whatever the limit")
	}
	q.append(&late)
	if q.pop(q.end) != &late {
		t.Error("a queue that was empty should take tasks again")
	}
}

// TestTaskQueueReusesItsRing: places that were taken out of the middle come back.
func TestTaskQueueReusesItsRing(t *testing.T) {
	var q taskQueue
	tasks := make([]Task, shortestRing)
	for range 100 {
		for i := range tasks {
			q.append(&tasks[i])
		}
		for i := 1; i < len(tasks); i++ {
			q.remove(&tasks[i])
		}
		if q.pop(q.end) != &tasks[0] {
			t.Fatal("the only task that is left should be popped")
		}
	}
	if len(q.ring) != shortestRing {
		t.Errorf("the ring has grown to %d places for %d tasks at most", len(q.ring), shortestRing)
	}
}
