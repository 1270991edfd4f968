package pipeline

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"
)

// windowModel is a window as a list that is searched from one end to the other.
type windowModel struct {
	entries []*entry[int] // not superseded
	floor   uint64
}

func (m *windowModel) append(e *entry[int], capacity int, coalesce bool) {
	if coalesce {
		m.entries = slices.DeleteFunc(m.entries, func(other *entry[int]) bool { return other.key == e.key })
	}
	m.entries = append(m.entries, e)
	for len(m.entries) > capacity {
		m.floor = m.entries[0].seq
		m.entries = m.entries[1:]
	}
}

func (m *windowModel) dropBefore(limit time.Time) {
	for len(m.entries) > 0 && m.entries[0].time.Before(limit) {
		m.floor = m.entries[0].seq
		m.entries = m.entries[1:]
	}
}

func (m *windowModel) next(after uint64) *entry[int] {
	for _, e := range m.entries {
		if e.seq > after {
			return e
		}
	}
	return nil
}

func TestWindowAgainstAList(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range 60 {
		capacity, coalesce, keys := 1+random.IntN(12), random.IntN(2) == 0, 1+random.IntN(20)
		w := newWindow[int](capacity, coalesce)
		there := make(map[uint64]bool)
		w.gone = func(e *entry[int]) {
			if !there[e.seq] {
				t.Fatalf("an entry left that was not there (seed %d)", seed)
			}
			delete(there, e.seq)
		}
		var m windowModel
		for seq := uint64(1); seq < 300; seq++ {
			e := &entry[int]{seq: seq, key: strconv.Itoa(random.IntN(keys)), time: time.Unix(int64(seq), 0)}
			there[seq] = true
			w.append(e)
			m.append(e, capacity, coalesce)
			if random.IntN(20) == 0 {
				limit := e.time.Add(-time.Duration(random.IntN(8)) * time.Second)
				w.dropBefore(limit)
				m.dropBefore(limit)
			}
			compareWindow(t, &w, &m, random.Uint64N(seq+2))
			if t.Failed() {
				t.Fatalf("after %d entries in a window of %d, coalescing %v, %d keys, round %d, seed %d",
					seq, capacity, coalesce, keys, round, seed)
			}
			if len(there) != len(w.slots)-w.head || len(there) > 2*capacity {
				t.Fatalf("%d entries have not left, the window of %d holds %d, at most twice its capacity was expected (seed %d)",
					len(there), capacity, len(w.slots)-w.head, seed)
			}
		}
	}
}

func compareWindow(t *testing.T, w *window[int], m *windowModel, after uint64) {
	t.Helper()
	if got, want := w.next(after), m.next(after); got != want {
		t.Errorf("behind %d comes %+v, %+v was expected", after, got, want)
	}
	if w.floor != m.floor || w.live != len(m.entries) {
		t.Errorf("the floor is %d and %d entries are not superseded, %d and %d were expected", w.floor, w.live, m.floor, len(m.entries))
	}
	if w.latest != nil && len(w.latest) != w.live {
		t.Errorf("%d keys are remembered for %d entries", len(w.latest), w.live)
	}
	for i, s := range w.slots[:cap(w.slots)] {
		if used := i >= w.head && i < len(w.slots); used != (s.entry != nil) {
			t.Errorf("slot %d of %d is used: %v, and holds %v: what is dropped must not be kept alive", i, len(w.slots), used, s.entry)
		}
	}
}

func TestWindowAllocatesNothingInTheLongRun(t *testing.T) {
	for _, coalesce := range []bool{false, true} {
		w := newWindow[int](50, coalesce)
		e := make([]entry[int], 2000)
		seq := 0
		allocations := testing.AllocsPerRun(1, func() {
			for range len(e) / 2 {
				e[seq] = entry[int]{seq: uint64(seq + 1), key: "one of a few"[seq%8:]}
				w.append(&e[seq])
				seq++
			}
		})
		if allocations != 0 {
			t.Errorf("1,000 entries in a full window made %v allocations (coalescing %v), none was expected",
				allocations, coalesce)
		}
	}
}
