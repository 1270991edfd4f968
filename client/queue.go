package client

// callQueue is calls in the order in which they came, any of which can leave.
type callQueue struct {
	first, last *call
	length      int
}

func (q *callQueue) append(c *call) {
	c.previous = q.last
	if q.last == nil {
		q.first = c
	} else {
		q.last.next = c
	}
	q.last = c
	q.length++
}

// remove takes a call out, and says whether it was in. It must not be in another queue.
func (q *callQueue) remove(c *call) bool {
	if c.previous == nil && q.first != c {
		return false
	}
	if c.previous == nil {
		q.first = c.next
	} else {
		c.previous.next = c.next
	}
	if c.next == nil {
		q.last = c.previous
	} else {
		c.next.previous = c.previous
	}
	c.next, c.previous = nil, nil
	q.length--
	return true
}

// pop takes the oldest call out, or returns nil.
func (q *callQueue) pop() *call {
	c := q.first
	if c != nil {
		q.remove(c)
	}
	return c
}
