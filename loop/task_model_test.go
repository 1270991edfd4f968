package loop

import (
	"math/rand/v2"
	"testing"
)

// taskModel schedules tasks at random and sees that what Schedule promises is kept, by
// what it knows of each task: when it was asked for, and when it ran.
type taskModel struct {
	t      *testing.T
	seed   uint64
	random *rand.Rand
	loop   *Loop
	tasks  []modelTask

	asked   int // how often a task was scheduled, not counting those that were
	turn    int
	woken   bool // this turn is a Woken turn
	lastOwn int  // asked of the last task that ran in the turn in which it was scheduled
	lastPut int  // and of the last one that had been put off
	own     int  // tasks that ran in this turn, of either kind
	put     int
	ended   bool
}

type modelTask struct {
	Task
	model   *taskModel
	asked   int // zero when it is not scheduled
	askedIn int // turn
	ranIn   int // turn
	ready   bool
}

func (m *taskModel) fail(format string, arguments ...any) {
	m.t.Helper()
	m.t.Fatalf("seed %d, turn %d: "+format, append([]any{m.seed, m.turn}, arguments...)...)
}

// Run is a task's.
func (x *modelTask) Run() {
	m := x.model
	switch {
	case x.asked == 0:
		m.fail("a task ran that was not scheduled, or had been taken back")
	case x.ranIn == m.turn:
		m.fail("a task ran twice in one turn")
	case x.askedIn == m.turn && x.asked < m.lastOwn:
		m.fail("a task of this turn ran behind one that was scheduled later")
	case x.askedIn == m.turn:
		m.lastOwn = x.asked
		m.own++
	case !m.woken:
		m.fail("a task that was put off ran in the turn of an event")
	case x.asked < m.lastPut:
		m.fail("a task that was put off ran behind one that was scheduled later")
	case m.own > 0:
		m.fail("a task that was put off ran behind tasks of this turn")
	default:
		m.lastPut = x.asked
		m.put++
	}
	x.asked, x.ranIn = 0, m.turn
	if !m.ended {
		m.act(m.random.IntN(4))
	}
}

// act schedules n tasks and takes some back.
func (m *taskModel) act(n int) {
	for range n {
		x := &m.tasks[m.random.IntN(len(m.tasks))]
		if m.random.IntN(8) == 0 {
			m.loop.Unschedule(&x.Task)
			x.asked = 0
			continue
		}
		m.loop.Schedule(&x.Task)
		if x.asked == 0 {
			m.asked++
			x.asked, x.askedIn = m.asked, m.turn
			x.ready = x.ranIn != m.turn
		}
	}
}

// play runs one turn, in which work schedules things.
func (m *taskModel) play(p *stubPoller, woken bool, work func()) {
	m.turn++
	m.woken, m.own, m.put, m.lastOwn = woken, 0, 0, 0
	if woken {
		_ = m.loop.Post(work)
		p.turns.Woken()
	} else {
		m.loop.sockets[7].handler = call(work)
		p.turns.Event(7, Readable)
	}
	oldLeft, readyLeft, scheduled := false, false, 0
	for i := range m.tasks {
		x := &m.tasks[i]
		if x.asked == 0 {
			continue
		}
		scheduled++
		oldLeft = oldLeft || x.askedIn < m.turn
		readyLeft = readyLeft || x.askedIn == m.turn && x.ready
	}
	switch {
	case m.own > taskBudget || m.put > taskBudget:
		m.fail("%d tasks of this turn and %d that were put off ran; the budget is %d of each", m.own, m.put, taskBudget)
	case woken && oldLeft && m.put < taskBudget:
		m.fail("of the tasks that were put off only %d ran, and some were left", m.put)
	case readyLeft && m.loop.tasks.taken < taskBudget:
		m.fail("of the tasks of this turn only %d ran, and some were put off", m.own)
	case m.loop.Held().Tasks != scheduled:
		m.fail("%d tasks are scheduled, and the loop says %d", scheduled, m.loop.Held().Tasks)
	case scheduled > 0 && !m.loop.woken:
		m.fail("%d tasks are scheduled, and the loop is not going to wake", scheduled)
	}
}

func TestTasksAgainstModel(t *testing.T) {
	for range 10 {
		seed := rand.Uint64()
		l, p, _ := newStubLoop(t)
		m := &taskModel{t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 0)), loop: l, tasks: make([]modelTask, 5*taskBudget)}
		for i := range m.tasks {
			m.tasks[i].model = m
			m.tasks[i].Init(&m.tasks[i])
		}
		l.sockets = make([]*Socket, 8)
		l.sockets[7] = &Socket{}
		for range 300 {
			n := m.random.IntN(4)
			if m.random.IntN(4) == 0 {
				n = m.random.IntN(6 * taskBudget)
			}
			m.play(p, m.random.IntN(2) == 0, func() { m.act(n) })
		}
		m.ended = true
		for range len(m.tasks)/taskBudget + 1 {
			m.play(p, true, func() {})
		}
		if held := l.Held().Tasks; held != 0 {
			m.fail("%d tasks are still scheduled after all had their turn", held)
		}
		l.sockets[7] = nil
	}
}
