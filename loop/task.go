package loop

import "fmt"

// A Runner is what a Task runs.
type Runner interface{ Run() }

// A Task is work that its owner wants to do once in a turn, however often it is asked
// for: to parse what was read, to flush what was written, to go on where a budget ended.
// It is embedded by its owner and belongs to one loop's goroutine. The zero Task is ready
// for Init.
type Task struct {
	runner Runner
	place  uint32 // in its queue
	ran    uint32 // the turn it last ran in
	queue  queueName
}

// Init says what the task runs. It must not be scheduled.
func (t *Task) Init(r Runner) { t.runner = r }

// taskBudget is how many tasks one turn takes, and how many that were put off a Woken
// turn runs beside them. A task of a connection takes some microseconds, so that a turn
// ends after a millisecond or two; looking at the sockets behind it takes as long as less
// than one of them.
const taskBudget = 256

// queueName says which of a loop's queues a task is in.
type queueName uint8

const (
	unscheduled queueName = iota
	ofThisTurn
	forLater
)

// tasks are the tasks that are scheduled on a loop. A task is in one of two queues, and
// stays there until it runs or is taken back:
//
//   - turn: it runs in this turn. As many come in as the budget of the turn allows, and by
//     the end of the turn all have run.
//   - later: it was put off, because it has run in this turn already, the budget was used
//     up, or no turn was going on. Only Woken turns run those, the oldest first, before
//     their own; each as many as the budget allows, and none that came in while it
//     was going on. As long as there is one, a Woken turn follows.
//
// So a fact that wakes very many runs a part of them in its own turn and hands the rest to
// Woken turns, each behind the sockets that are ready by then. The turn of such a socket
// does not wait for the rest, and neither does that of a post: what they schedule has a
// budget of its own. Nor can such turns keep the rest waiting: in each Woken turn, which
// comes once in a batch of events, it moves forward by the budget.
type tasks struct {
	turn, later taskQueue

	budget int    // taskBudget; without bound in the last turn
	taken  int    // came into turn since this turn began
	due    uint32 // the place in later up to which tasks may run in this turn
	allows int    // how many of them still may
}

// Schedule makes t run once: in this turn, after the event's own work and behind what was
// scheduled before it in this turn. It is put off to a later Woken turn, before which
// every socket that is ready has its event, if t has run in this turn already or is
// running, or if the turn has taken as many tasks as it may. What is put off runs in the
// order in which it was scheduled. Scheduling a scheduled task changes nothing.
func (l *Loop) Schedule(t *Task) {
	if t.queue != unscheduled {
		return
	}
	q := &l.tasks
	if l.inTurn && t.ran != l.turn && q.taken < q.budget {
		q.taken++
		t.queue = ofThisTurn
		q.turn.append(t)
		return
	}
	t.queue = forLater
	q.later.append(t)
	if !l.inTurn {
		l.wake()
	}
}

// Unschedule takes back what Schedule asked for. The task may then be given up or used
// for something else.
func (l *Loop) Unschedule(t *Task) {
	switch t.queue {
	case ofThisTurn:
		l.tasks.turn.remove(t)
	case forLater:
		l.tasks.later.remove(t)
	}
}

// callPutOff lets tasks that were put off until now run in this turn.
func (q *tasks) callPutOff() {
	q.due = q.later.end
	q.allows = min(q.later.length, q.budget)
}

// pop takes the next task to run in this turn, or returns nil when there is none.
func (q *tasks) pop() *Task {
	if q.allows > 0 {
		if t := q.later.pop(q.due); t != nil {
			q.allows--
			return t
		}
		q.allows = 0 // the others were taken back
	}
	return q.turn.pop(q.turn.end)
}

// runTasks runs the tasks of this turn. A task that panics does not keep the others from
// running.
func (l *Loop) runTasks() {
	if l.tasks.turn.length == 0 && l.tasks.allows == 0 {
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
