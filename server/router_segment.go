package server

import "math/bits"

// The segments of a path, as a tree of routes looks them up.
//
// Theory. A path is read eight bytes at a time, as numbers, little end first. To find a slash in one, x
// has a zero byte where there is one, and what is taken from it has the high bit set there, and
// else only in bytes behind. The same numbers make up the key of the segment, so that its bytes are
// looked at once, both to find its end and to find its name.
//
// The key of a name of fewer than eight bytes is these bytes, with zeros behind. So two such
// names are the same when their keys and their lengths are. The key of a longer one is a hash
// of all its bytes.
const (
	everyByte     = 0x0101010101010101
	highBits      = everyByte << 7
	keyMultiplier = 0x9e3779b97f4a7c15 // 2^64 over the golden ratio
)

// segmentAt returns the end of the segment that begins at offset start, which is at most the
// length of the path, and its key.
func segmentAt(path string, start int) (end int, key uint64) {
	at := start
	for ; at >= 0 && at < len(path)-7; at += 8 {
		s := path[at : at+8]
		word := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		if slashes := findSlashes(word); slashes != 0 {
			return at + bits.TrailingZeros64(slashes)/8, addToKey(key, word&before(slashes))
		}
		key = addToKey(key, word)
	}
	if len(path) < 8 {
		return shortSegmentAt(path, start)
	}
	s := path[len(path)-8:]
	word := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	word >>= 8 * uint(at-(len(path)-8)) // the fewer than eight bytes that are left
	if slashes := findSlashes(word); slashes != 0 {
		return at + bits.TrailingZeros64(slashes)/8, addToKey(key, word&before(slashes))
	}
	return len(path), addToKey(key, word)
}

// shortSegmentAt is segmentAt for a path of fewer than eight bytes.
func shortSegmentAt(path string, start int) (end int, key uint64) {
	for end = start; end < len(path) && path[end] != '/'; {
		end++
	}
	return end, keyOf(path[start:end])
}

// findSlashes returns a number whose lowest bit is the high one of the first byte that is a slash;
// 0 when there is none.
func findSlashes(word uint64) uint64 {
	x := word ^ '/'*everyByte
	return (x - everyByte) & ^x & highBits
}

// before returns a number with all the bits of the bytes before the first slash.
func before(slashes uint64) uint64 { return slashes&-slashes>>7 - 1 }

// addToKey returns the key of a name behind the next eight of its bytes, or fewer with zeros behind,
// with which it ends.
func addToKey(key, word uint64) uint64 { return key*keyMultiplier ^ word }

// keyOf returns the key of a name, in which a slash is a byte like others.
func keyOf[S string | []byte](name S) (key uint64) {
	for at := 0; ; at += 8 {
		var word uint64
		for i := at; i < min(at+8, len(name)); i++ {
			word |= uint64(name[i]) << (8 * (i - at))
		}
		if key = addToKey(key, word); at+8 > len(name) {
			return key
		}
	}
}
