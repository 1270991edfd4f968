package server

import (
	"math/bits"
	"strings"
)

// literals finds the child of a node by the name of a segment, in a hash table of its own:
// the hash takes the length and three bytes of the name, which is less work than any hash
// of the whole, and as names come from the program and not from clients, nobody can choose
// names that collide. The children lie in the table, so that who has found one need not go
// elsewhere for it. The zero value is empty.
type literals struct {
	slots []literal // a power of two, of which at most half are taken
	taken int32
	shift uint8
}

type literal struct {
	name string // "": the slot is free
	node routeNode
}

func literalHash[S string | []byte](name S) uint32 {
	n := len(name)
	key := uint32(name[0]) | uint32(name[n-1])<<8 | uint32(name[n>>1])<<16 | uint32(n)<<24
	return key * 0x9e3779b1 // 2^32 over the golden ratio
}

// first returns the slot where a name is looked for first; there are slots.
func (l *literals) first(name string) *literal {
	return &l.slots[int(literalHash(name)>>(l.shift&31))&(len(l.slots)-1)]
}

// findLiteral returns the child with this name, which is not empty, or nil.
func findLiteral[S string | []byte](l *literals, name S) *routeNode {
	slots := l.slots
	if len(slots) == 0 {
		return nil
	}
	for i := literalHash(name) >> (l.shift & 31); ; i++ {
		slot := &slots[int(i)&(len(slots)-1)]
		if slot.name == string(name) {
			return &slot.node
		}
		if slot.name == "" {
			return nil
		}
	}
}

// findEncoded returns the child with the name that the segment of a path has once it is decoded,
// or nil.
func (l *literals) findEncoded(segment string) *routeNode {
	var room [128]byte
	return findLiteral(l, appendDecoded(room[:0], segment))
}

// add adds a child whose name is new, and returns it. It is valid until another one is added.
func (l *literals) add(name string) *routeNode {
	if l.taken++; 2*int(l.taken) > len(l.slots) {
		before := l.slots
		l.slots = make([]literal, max(2, 2*len(before)))
		l.shift = uint8(32 - bits.Len(uint(len(l.slots)-1)))
		for _, slot := range before {
			if slot.name != "" {
				*l.free(slot.name) = slot
			}
		}
	}
	slot := l.free(name)
	slot.name = strings.Clone(name) // names that lie together are sooner in a cache
	return &slot.node
}

// free returns the slot where a name that is not in the table belongs.
func (l *literals) free(name string) *literal {
	for i := literalHash(name) >> l.shift; ; i++ {
		if slot := &l.slots[int(i)&(len(l.slots)-1)]; slot.name == "" {
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
