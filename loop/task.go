package loop

import "fmt"

// A Runner is what a Task runs.
type Runner interface{ Run() }

// A Task is work that its owner wants to do once in a turn, however often it is asked
// for: to parse what was read, to flush what was written, to go on where a budget ended.
// It is embedded by its owner and belongs to one loop's goroutine. The zero Task is ready
// for Init.
type Task struct {
	runner   Runner
	position int32  // index in its queue, plus one; zero when it is not scheduled
	ran      uint32 // the turn it last ran in
	queue    uint8  // which of the two queues
}

// Init says what the task runs. It must not be scheduled.
func (t *Task) Init(r Runner) { t.runner = r }

// taskQueues are the tasks of this turn and those put off to the next Woken turn. A task
// knows its place, so taking it out writes nil there and moves nothing.
type taskQueues struct {
	queues  [2][]*Task
	current uint8 // which queue is this turn's
	next    int   // how many of this turn's have been started
	waiting int   // scheduled in either queue
	delayed int   // scheduled in the queue that is not this turn's
}

// Schedule makes t run once: in this turn, after the event's own work, or, if it has run
// in this turn already or is running, in the next Woken turn, before which every socket
// that is ready has its event. Scheduling a scheduled task changes nothing.
func (l *Loop) Schedule(t *Task) {
	if t.position != 0 {
		return
	}
	q := &l.tasks
	delay := !l.inTurn || t.ran == l.turn
	t.queue = q.current
	if delay {
		t.queue ^= 1
		q.delayed++
	}
	q.queues[t.queue] = append(q.queues[t.queue], t)
	t.position = int32(len(q.queues[t.queue]))
	q.waiting++
	if !l.inTurn {
		l.wake()
	}
}

// Unschedule takes back what Schedule asked for. The task may then be given up or used
// for something else.
func (l *Loop) Unschedule(t *Task) {
	if t.position == 0 {
		return
	}
	q := &l.tasks
	q.queues[t.queue][t.position-1] = nil
	t.position = 0
	q.waiting--
	if t.queue != q.current {
		q.delayed--
	}
}

// flip makes the tasks that were put off the tasks of this turn. The other queue is
// empty then: every turn uses its queue up.
func (q *taskQueues) flip() {
	q.current ^= 1
	q.delayed = 0
}

// putOff reports whether a task waits for the next Woken turn.
func (q *taskQueues) putOff() bool { return q.delayed > 0 }

// pop takes the next task of this turn, or returns nil when the queue is used up.
func (q *taskQueues) pop() *Task {
	queue := q.queues[q.current]
	for q.next < len(queue) {
		t := queue[q.next]
		queue[q.next] = nil
		q.next++
		if t != nil {
			t.position = 0
			q.waiting--
			return t
		}
	}
	q.queues[q.current] = queue[:0]
	q.next = 0
	return nil
}

// runTasks runs the tasks of this turn. A task that panics does not keep the others from
// running.
func (l *Loop) runTasks() {
	if len(l.tasks.queues[l.tasks.current]) == 0 {
		return
	}
	for !l.runTasksUntilPanic() {
	}
}

func (l *Loop) runTasksUntilPanic() (done bool) {
	defer l.rescue()
	for t := l.tasks.pop(); t != nil; t = l.tasks.pop() {
		t.ran = l.turn
		l.running = t.runner
		t.runner.Run()
		l.running = nil
	}
	return true
}

// ownerName names for the log what panicked.
func ownerName(owner any) string {
	if owner == nil {
		return "a posted function"
	}
	return fmt.Sprintf("%T", owner)
}
