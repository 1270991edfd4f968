package pipeline

import (
	"sort"
	"time"
)

// An entry is one message of a topic. It never changes, and everybody who has it shares it.
type entry[T any] struct {
	seq   uint64 // counts the messages of the topic from 1, without a gap
	id    string // "" if nobody could see it
	key   string
	time  time.Time // zero unless the topic has a ReplayAge
	value T
}

// A window is the latest entries of a topic, in the order of their seq. If it coalesces, an entry is superseded by a
// later one with its key: next passes it over from then on.
//
// Its rules:
//
//   - It has at most capacity entries that are not superseded. One more, and the oldest of them is dropped.
//   - floor is the seq of the last entry that was dropped so, or 0. Every entry behind floor is there, or superseded.
//     So whoever has got everything up to floor, or beyond it, can get all the rest from here.
//   - Superseded entries stay, for their ids, until there are as many as could be others. Then all of them go at once,
//     which makes the cost of an entry constant.
type window[T any] struct {
	capacity int
	slots    []slot[T] // slots[head:] are the window
	head     int
	live     int // entries that are not superseded
	floor    uint64
	latest   map[string]uint64 // of each key the seq of the entry that is not superseded; nil if it does not coalesce
	gone     func(e *entry[T]) // is told of each entry that has left; may be nil
}

type slot[T any] struct {
	entry      *entry[T]
	superseded bool
}

func newWindow[T any](capacity int, coalesce bool) window[T] {
	w := window[T]{capacity: capacity}
	if coalesce {
		w.latest = make(map[string]uint64)
	}
	return w
}

// append adds e, whose seq must be above those before it.
func (w *window[T]) append(e *entry[T]) {
	if w.latest != nil {
		if seq, ok := w.latest[e.key]; ok {
			w.slots[w.head+w.search(seq)].superseded = true
			w.live--
		}
		w.latest[e.key] = e.seq
	}
	if len(w.slots)-w.head == 2*w.capacity {
		w.compact()
	}
	if len(w.slots) == cap(w.slots) && w.head >= len(w.slots)/2 {
		w.moveDown(w.slots[w.head:])
	}
	w.slots = append(w.slots, slot[T]{entry: e})
	w.live++
	for w.live > w.capacity {
		w.drop()
	}
}

// drop removes the first slot.
func (w *window[T]) drop() {
	first := &w.slots[w.head]
	e := first.entry
	if !first.superseded {
		w.live--
		w.floor = e.seq
		delete(w.latest, e.key)
	}
	*first = slot[T]{} // what is dropped must not be kept alive
	w.head++
	w.leave(e)
}

// dropBefore removes the entries at the front that are older than limit.
func (w *window[T]) dropBefore(limit time.Time) {
	for w.head < len(w.slots) && w.slots[w.head].entry.time.Before(limit) {
		w.drop()
	}
}

// compact removes the superseded entries.
func (w *window[T]) compact() {
	kept := w.slots[:w.head]
	for _, s := range w.slots[w.head:] {
		if s.superseded {
			w.leave(s.entry)
			continue
		}
		kept = append(kept, s)
	}
	clear(w.slots[len(kept):])
	w.slots = kept
}

// moveDown makes room behind the slots that are left.
func (w *window[T]) moveDown(left []slot[T]) {
	n := copy(w.slots, left)
	clear(w.slots[n:])
	w.slots, w.head = w.slots[:n], 0
}

func (w *window[T]) leave(e *entry[T]) {
	if w.gone != nil {
		w.gone(e)
	}
}

// search returns how many slots there are up to seq, seq not among them.
func (w *window[T]) search(seq uint64) int {
	slots := w.slots[w.head:]
	return sort.Search(len(slots), func(i int) bool { return slots[i].entry.seq >= seq })
}

// behind returns the slots with a seq above after.
func (w *window[T]) behind(after uint64) []slot[T] {
	n := len(w.slots)
	switch { // most are up to date, or lack the newest
	case n == w.head || w.slots[n-1].entry.seq <= after:
		return nil
	case n-1 == w.head || w.slots[n-2].entry.seq <= after:
		return w.slots[n-1:]
	}
	return w.slots[w.head+w.search(after+1):]
}

// next returns the first entry with a seq above after that is not superseded, or nil. The newest never is.
func (w *window[T]) next(after uint64) *entry[T] {
	for _, s := range w.behind(after) {
		if !s.superseded {
			return s.entry
		}
	}
	return nil
}
