package compress

import (
	"encoding/binary"
	"math/bits"
)

// Short texts, such as an event, as one block of deflate with fixed codes (RFC 1951, section
// 3.2.6). A block with codes of its own begins with a table of them, which takes more room
// than a short text.

// appendFixedBlock appends a block that says text[from:], which may refer to what is before,
// and ends it at a whole byte as a flush does. text is at most 4 KiB.
//
// It looks for the longest match at the place where the same four bytes were last, takes it,
// and goes on behind it.
func appendFixedBlock(out, text []byte, from int) []byte {
	w := bitWriter{out: out}
	w.write(0b010, 3) // not the last block; fixed codes
	var last [1 << placeBits]uint16
	end := len(text) - minMatch // the last place where a match can begin
	for i := range min(from, end+1) {
		last[placeOf(text[i:])] = uint16(i)
	}
	for i := from; i < len(text); {
		length := 0
		if i <= end {
			place := placeOf(text[i:])
			candidate := int(last[place])
			last[place] = uint16(i)
			if candidate < i {
				length = matchLength(text[candidate:], text[i:])
			}
			if length >= minMatch {
				w.writeLength(length)
				w.writeDistance(i - candidate)
				for j := i + 1; j < min(i+length, end+1); j++ {
					last[placeOf(text[j:])] = uint16(j)
				}
				i += length
				continue
			}
		}
		w.writeSymbol(int(text[i]))
		i++
	}
	w.writeSymbol(endOfBlock)
	return w.flush()
}

const (
	minMatch   = 4
	maxMatch   = 258
	placeBits  = 11
	endOfBlock = 256
)

// placeOf hashes the first four bytes of b.
func placeOf(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 0x9e3779b1 >> (32 - placeBits)
}

// matchLength returns how many bytes a and b begin with in common, which may be one and the
// same text at two places.
func matchLength(a, b []byte) int {
	n := min(len(b), maxMatch)
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// bitWriter appends bits, the lowest first.
type bitWriter struct {
	out   []byte
	bits  uint64 // not appended yet
	count uint   // how many they are; fewer than 32 between two calls
}

func (w *bitWriter) write(value uint64, count uint) {
	w.bits |= value << w.count
	if w.count += count; w.count >= 32 {
		w.out = binary.LittleEndian.AppendUint32(w.out, uint32(w.bits))
		w.bits >>= 32
		w.count -= 32
	}
}

// writeSymbol writes a literal, the end of the block, or a length code.
func (w *bitWriter) writeSymbol(symbol int) {
	code := fixedCodes[symbol]
	w.write(uint64(code.bits), uint(code.count))
}

// writeLength writes a length of 3 to 258 (RFC 1951, section 3.2.5): a code for each up to
// 10, then four for each power of two, with the rest in extra bits.
func (w *bitWriter) writeLength(length int) {
	n := length - 3
	switch {
	case length == maxMatch:
		w.writeSymbol(285)
	case n < 4:
		w.writeSymbol(257 + n)
	default:
		extra := bits.Len(uint(n)) - 3
		w.writeSymbol(257 + 4*(extra+1) + n>>extra&3)
		w.write(uint64(n&(1<<extra-1)), uint(extra))
	}
}

// writeDistance writes a distance of 1 to 32768: two codes for each power of two.
func (w *bitWriter) writeDistance(distance int) {
	n := distance - 1
	code, extra := n, 0
	if n >= 2 {
		extra = bits.Len(uint(n)) - 2
		code = 2*(extra+1) + n>>extra&1
	}
	w.write(uint64(bits.Reverse8(uint8(code))>>3), 5)
	w.write(uint64(n&(1<<extra-1)), uint(extra))
}

// flush fills up the last byte with an empty stored block.
func (w *bitWriter) flush() []byte {
	w.write(0, 3) // not the last block; stored
	for ; w.count > 0; w.count -= min(w.count, 8) {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
	}
	return append(w.out, 0, 0, 0xff, 0xff)
}

// fixedCodes are the fixed codes of literals and lengths, their bits in the order in which
// they are written.
var fixedCodes = func() (codes [288]struct {
	bits  uint16
	count uint8
}) {
	for symbol := range codes {
		code, count := 0b00110000+symbol, 8
		switch {
		case symbol >= 280:
			code = 0b11000000 + symbol - 280
		case symbol >= 256:
			code, count = symbol-256, 7
		case symbol >= 144:
			code, count = 0b110010000+symbol-144, 9
		}
		codes[symbol].bits = bits.Reverse16(uint16(code)) >> (16 - count)
		codes[symbol].count = uint8(count)
	}
	return codes
}()
