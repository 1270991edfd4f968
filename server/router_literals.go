package server

import (
	"math/bits"
	"strings"
)

// literals finds the child of a node by the name of a segment, in a hash table of its own, which is
// looked up by the segment's key. All bytes of a name are in that, so that no names that programs
// have are many in one place; and as they come from the program and not from clients, nobody can
// choose names that collide. The zero value is empty.
type literals struct {
	slots []literal // a power of two, of which at most half are taken
	taken int32
	shift uint8
}

// A literal is small, so that slots that are looked at are soon in a cache.
type literal struct {
	key  uint64 // of the name
	name string
	node *routeNode // nil: the slot is free
}

// first returns the slot where a name with this key is looked for first; there are slots.
func (l *literals) first(key uint64) *literal {
	return &l.slots[key*keyMultiplier>>(l.shift&63)&uint64(len(l.slots)-1)]
}

// findLiteral returns the child with this name, which is not empty and has this key, or nil.
func findLiteral[S string | []byte](l *literals, key uint64, name S) *routeNode {
	if len(l.slots) == 0 {
		return nil
	}
	for i := key * keyMultiplier >> (l.shift & 63); ; i++ {
		slot := &l.slots[i&uint64(len(l.slots)-1)]
		if slot.node == nil || slot.key == key && slot.name == string(name) {
			return slot.node
		}
	}
}

// findEncoded returns the child with the name that the segment of a path has once it is decoded,
// or nil.
func (l *literals) findEncoded(segment string) *routeNode {
	var room [128]byte
	name := appendDecoded(room[:0], segment)
	return findLiteral(l, keyOf(name), name)
}

// add adds a child whose name is new, and returns it.
func (l *literals) add(name string) *routeNode {
	if l.taken++; 2*int(l.taken) > len(l.slots) {
		before := l.slots
		l.slots = make([]literal, max(2, 2*len(before)))
		l.shift = uint8(64 - bits.Len(uint(len(l.slots)-1)))
		for _, slot := range before {
			if slot.node != nil {
				*l.free(slot.key) = slot
			}
		}
	}
	key := keyOf(name)
	slot := l.free(key)
	// Names that lie together are sooner in a cache.
	slot.key, slot.name, slot.node = key, strings.Clone(name), new(routeNode)
	return slot.node
}

// free returns the slot where a name with this key belongs that is not in the table.
func (l *literals) free(key uint64) *literal {
	for i := key * keyMultiplier >> l.shift; ; i++ {
		if slot := &l.slots[i&uint64(len(l.slots)-1)]; slot.node == nil {
			return slot
		}
	}
}

// appendDecoded appends a segment without its percent-encoding, which is known to be well-formed;
// where it is not, it stays.
func appendDecoded(b []byte, segment string) []byte {
	for i := 0; i < len(segment); i++ {
		c := segment[i]
		if c == '%' && i+2 < len(segment) {
			high, low := hexadecimal(segment[i+1]), hexadecimal(segment[i+2])
			if high < 16 && low < 16 {
				c = high<<4 | low
				i += 2
			}
		}
		b = append(b, c)
	}
	return b
}

// hexadecimal returns the value of a hexadecimal digit, or 16.
func hexadecimal(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case c|0x20-'a' <= 'f'-'a':
		return c | 0x20 - 'a' + 10
	}
	return 16
}
