package parser

import "math/bits"

// The character classes of RFC 9110, section 5.6 and RFC 3986, section 2, a bit each.
const (
	classToken  uint8 = 1 << iota // tchar
	classTarget                   // what this parser takes in a request-target
	classText                     // HTAB, SP, VCHAR and obs-text: a field value
	classHost                     // unreserved and sub-delims: a registered name without its %XX
)

// classes is read only.
var classes = makeClasses()

func makeClasses() (table [256]uint8) {
	const (
		alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		tchar        = alphanumeric + "!#$%&'*+-.^_`|~"
		hostBytes    = alphanumeric + "-._~" + "!$&'()*+,;="
	)
	for i := range table {
		if i > ' ' && i < 0x7f && i != '#' {
			table[i] |= classTarget
		}
		if i == '\t' || i >= ' ' && i != 0x7f {
			table[i] |= classText
		}
	}
	for _, c := range []byte(tchar) {
		table[c] |= classToken
	}
	for _, c := range []byte(hostBytes) {
		table[c] |= classHost
	}
	return table
}

// Eight bytes are looked at in one step: for a value v below 0x80, x - v*everyByte has
// the high bit set in each byte of x that is below v, and also in bytes of 0x80 + v and
// more, which & ^x takes away again. A borrow can spoil only bytes above one that was
// found, and only the lowest is used.
const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// word returns the eight bytes from i on as a little-endian number. Written like this
// it compiles to one load, and where i is known to lie in b, to nothing else.
func word(b []byte, i int) uint64 {
	return uint64(b[i]) | uint64(b[i+1])<<8 | uint64(b[i+2])<<16 | uint64(b[i+3])<<24 |
		uint64(b[i+4])<<32 | uint64(b[i+5])<<40 | uint64(b[i+6])<<48 | uint64(b[i+7])<<56
}

// textEnd returns the index of the first byte at or after i that is not text (HTAB, SP,
// VCHAR, obs-text), or len(b).
func textEnd(b []byte, i int) int {
	for i >= 0 && i < len(b)-7 {
		x := word(b, i)
		control := x - ' '*everyByte
		del := (x ^ 0x7f*everyByte) - everyByte
		stop := (control | del) & ^x & highBits
		if stop == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(stop) / 8
		if b[i] != '\t' {
			return i
		}
		i++
	}
	for i < len(b) && classes[b[i]]&classText != 0 {
		i++
	}
	return i
}

// targetEnd returns the index of the first byte at or after i that a request-target
// must not have, or len(b).
func targetEnd(b []byte, i int) int {
	for i >= 0 && i < len(b)-7 {
		x := word(b, i)
		control := x - '!'*everyByte
		del := (x ^ 0x7f*everyByte) - everyByte
		fragment := (x ^ '#'*everyByte) - everyByte
		stop := ((control|del|fragment)&^x | x) & highBits
		if stop != 0 {
			return i + bits.TrailingZeros64(stop)/8
		}
		i += 8
	}
	for i < len(b) && classes[b[i]]&classTarget != 0 {
		i++
	}
	return i
}

// tokenEnd returns the index of the first byte at or after i that is not a tchar,
// or len(b).
func tokenEnd(b []byte, i int) int {
	for i < len(b) && classes[b[i]]&classToken != 0 {
		i++
	}
	return i
}

// equalFold reports whether s is lower when the ASCII letters of s are made lower case.
// s must have no control characters, and lower only letters, digits and '-': setting the
// bit for lower case then changes none but letters.
func equalFold[S ~string | ~[]byte](s S, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		if s[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// sameName reports whether two field names are the same, which are compared without
// regard to the case of ASCII letters (RFC 9110, section 5.1).
func sameName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if c, d := a[i], b[i]; c != d {
			if c|0x20 != d|0x20 || c|0x20 < 'a' || c|0x20 > 'z' {
				return false
			}
		}
	}
	return true
}

func isOWS(c byte) bool { return c == ' ' || c == '\t' }

func isDigit(c byte) bool { return c-'0' <= 9 }

// listElement takes the first element off a comma-separated list (RFC 9110, section
// 5.6.1) and returns it without the white space around it.
func listElement(list []byte) (element, rest []byte) {
	end := 0
	for end < len(list) && list[end] != ',' {
		end++
	}
	element = list[:end]
	if end < len(list) {
		rest = list[end+1:]
	}
	for len(element) > 0 && isOWS(element[0]) {
		element = element[1:]
	}
	for len(element) > 0 && isOWS(element[len(element)-1]) {
		element = element[:len(element)-1]
	}
	return element, rest
}
