package pipeline

// ring is a first-in first-out buffer that grows as it fills.
type ring[T any] struct {
	slots []T
	head  int // index of the value to pop next
	count int
}

// push adds v behind the others. When all slots are taken it doubles them, up to limit, which must be above count.
func (r *ring[T]) push(v T, limit int) {
	if r.count == len(r.slots) {
		grown := make([]T, min(max(4, 2*r.count), limit))
		n := copy(grown, r.slots[r.head:])
		copy(grown[n:], r.slots[:r.head])
		r.slots, r.head = grown, 0
	}
	r.slots[r.index(r.count)] = v
	r.count++
}

// pop removes the value that was pushed first; there must be one.
func (r *ring[T]) pop() T {
	var zero T
	v := r.slots[r.head]
	r.slots[r.head] = zero // the slot must not keep what v holds alive
	r.head = r.index(1)
	r.count--
	return v
}

// index returns the slot that is n behind head.
func (r *ring[T]) index(n int) int {
	i := r.head + n
	if i >= len(r.slots) {
		i -= len(r.slots)
	}
	return i
}
