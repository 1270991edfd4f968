package loop

import "math/bits"

// Theory.
//
// A wheel is a number written in base 64: the current tick. Level k of the wheel belongs
// to digit k, counted from the lowest, and has a slot for each value of that digit. A
// timer stands on the level of the highest digit in which its tick differs from the
// current one, in the slot of its own value of that digit. Three things follow:
//
//  1. Its digit there is greater than the current one, because its tick is later. So the
//     slots of a level are in order of time, and none wraps around.
//  2. Everything on a level is earlier than everything on the levels above it. So the
//     earliest slot is the lowest bit that is set on the lowest level that has one.
//  3. The current tick may move to any tick that is earlier than the start of the
//     earliest slot, and every timer still stands where it should. So a jump over hours
//     costs no more than a step: only slots that hold timers are visited.
//
// The slots of level 0 are single ticks. When the current tick reaches the start of a
// slot further up, its timers are placed again, each on a lower level. A timer is moved
// so at most once for each level, and everything else is one link in a list.

const (
	digitBits  = 6
	slotCount  = 1 << digitBits
	levelCount = 8         // 64^8 ticks of a millisecond are more than 292 years
	noTick     = 1<<63 - 1 // later than every tick
)

// wheel holds timers by tick. It knows nothing of clocks and loops.
type wheel struct {
	levels   uint8              // bit k: level k holds timers
	occupied [levelCount]uint64 // bit s: slot s holds timers
	slots    [levelCount][slotCount]*Timer
	current  int64 // the tick that has been reached
	target   int64 // the tick being advanced to; never before current
	armed    int
}

// add puts t, which is not armed, under the given tick, or under the first tick that is
// still to come when that is later: so a timer that is set while timers are expiring
// does not expire among them, however often it sets itself. It returns the start of the
// timer's slot: no later than the timer's tick, and when it is reached the slot must be
// looked at.
func (w *wheel) add(t *Timer, tick int64) (slotStart int64) {
	t.tick = max(tick, w.target+1)
	w.armed++
	return w.place(t)
}

func (w *wheel) place(t *Timer) (slotStart int64) {
	level := 0
	if differ := uint64(t.tick ^ w.current); differ != 0 {
		level = (bits.Len64(differ) - 1) / digitBits
	}
	slot := int(t.tick>>(level*digitBits)) & (slotCount - 1)
	head := &w.slots[level][slot]
	if *head == nil {
		t.next, t.previous = t, t
		*head = t
		w.occupied[level] |= 1 << slot
		w.levels |= 1 << level
	} else {
		first := *head
		t.next, t.previous = first, first.previous
		first.previous.next = t
		first.previous = t
	}
	t.slot = uint16(level*slotCount + slot + 1)
	return t.tick >> (level * digitBits) << (level * digitBits)
}

// remove takes out t, which is armed.
func (w *wheel) remove(t *Timer) {
	w.unlink(t)
	w.armed--
}

func (w *wheel) unlink(t *Timer) {
	level, slot := int(t.slot-1)/slotCount, int(t.slot-1)%slotCount
	head := &w.slots[level][slot]
	if t.next == t {
		*head = nil
		w.occupied[level] &^= 1 << slot
		if w.occupied[level] == 0 {
			w.levels &^= 1 << level
		}
	} else {
		t.next.previous = t.previous
		t.previous.next = t.next
		if *head == t {
			*head = t.next
		}
	}
	t.next, t.previous, t.slot = nil, nil, 0
}

// earliest returns the first slot that holds a timer and the tick at which it starts.
func (w *wheel) earliest() (level, slot int, start int64) {
	if w.levels == 0 {
		return 0, 0, noTick
	}
	level = bits.TrailingZeros8(w.levels)
	slot = bits.TrailingZeros64(w.occupied[level])
	shift := level * digitBits
	above := w.current >> (shift + digitBits) << (shift + digitBits)
	return level, slot, above | int64(slot)<<shift
}

// due takes out and returns the next timer whose tick is not after target, in order of
// ticks and, within one, in the order they were set. When there is none left it moves
// the current tick to target and returns nil. Between calls timers may be added and
// removed.
func (w *wheel) due(target int64) *Timer {
	w.target = max(w.target, target)
	for {
		level, slot, start := w.earliest()
		if start > w.target {
			w.current = w.target
			return nil
		}
		w.current = start
		if level == 0 {
			t := w.slots[0][slot]
			w.remove(t)
			return t
		}
		w.placeAgain(level, slot)
	}
}

// placeAgain moves the timers of a slot that has been reached to lower levels.
func (w *wheel) placeAgain(level, slot int) {
	for t := w.slots[level][slot]; t != nil; t = w.slots[level][slot] {
		w.unlink(t)
		w.place(t)
	}
}

// catchUp moves the current tick to the given one if no slot starts before or at it, so
// that what is added next stands in a slot as small as its distance allows.
func (w *wheel) catchUp(tick int64) {
	if tick <= w.target {
		return
	}
	if _, _, start := w.earliest(); start > tick {
		w.current, w.target = tick, tick
	}
}
