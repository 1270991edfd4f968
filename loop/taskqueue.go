package loop

// A taskQueue holds tasks, the first that came in being the first to go out. A task knows
// its place, so taking it out from between others leaves nil there and moves nothing.
// The zero taskQueue is empty.
type taskQueue struct {
	// ring has place p at p modulo its length, which is a power of two. Places are counted
	// on and on, so that a task's stays what it is when the ring grows.
	ring       []*Task
	first, end uint32 // the places from first on, but without end, are in use
	length     int    // tasks; less than end-first where some were taken out
}

// shortestRing is the length of the first ring, a power of two.
const shortestRing = 16

// append puts t behind the others.
func (q *taskQueue) append(t *Task) {
	if int(q.end-q.first) == len(q.ring) {
		q.grow()
	}
	t.place = q.end
	*q.at(t.place) = t
	q.end++
	q.length++
}

// grow doubles the ring. It never shrinks: what was needed once is needed again.
func (q *taskQueue) grow() {
	grown := taskQueue{ring: make([]*Task, max(2*len(q.ring), shortestRing))}
	for place := q.first; place != q.end; place++ {
		*grown.at(place) = *q.at(place)
	}
	q.ring = grown.ring
}

// remove takes t, which is in the queue, out of it.
func (q *taskQueue) remove(t *Task) {
	*q.at(t.place) = nil
	t.queue = unscheduled
	q.length--
	if q.length == 0 {
		q.first = q.end
	}
}

// pop takes out the first task and returns it, or returns nil when there is none before
// the place limit.
func (q *taskQueue) pop(limit uint32) *Task {
	for int32(limit-q.first) > 0 { // an empty queue may begin behind the limit
		t := *q.at(q.first)
		q.first++
		if t != nil {
			q.remove(t)
			return t
		}
	}
	return nil
}

func (q *taskQueue) at(place uint32) **Task { return &q.ring[place&uint32(len(q.ring)-1)] }
