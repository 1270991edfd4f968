package parser

import (
	"strings"
	"testing"
)

// The steps of eight bytes must stop at the same byte as the tables do, for every byte
// at every place and behind every kind of neighbour.
func TestWordStepsAgreeWithClasses(t *testing.T) {
	ends := []struct {
		name  string
		end   func([]byte, int) int
		class uint8
		fill  string
	}{
		{"textEnd", textEnd, classText, "a \t~\xff\x80"},
		{"targetEnd", targetEnd, classTarget, "a!~"},
		{"tokenEnd", tokenEnd, classToken, "a-~"},
	}
	for _, e := range ends {
		for _, fill := range []byte(e.fill) {
			for place := range 20 {
				for c := range 256 {
					b := []byte(strings.Repeat(string([]byte{fill}), 20))
					b[place] = byte(c)
					want := place
					if classes[c]&e.class != 0 {
						want = 20
					}
					if got := e.end(b[:20:20], 0); got != want {
						t.Fatalf("%s(%q) stops at %d; %d was expected.", e.name, b, got, want)
					}
				}
			}
		}
	}
}

func TestClasses(t *testing.T) {
	const separators = "\"(),/:;<=>?@[\\]{} \t"
	for c := range 256 {
		visible := c > ' ' && c < 0x7f
		if got := classes[c]&classToken != 0; got != (visible && !strings.ContainsRune(separators, rune(c))) {
			t.Errorf("Byte %#02x is a tchar: %v; RFC 9110, section 5.6.2 says otherwise.", c, got)
		}
		if got := classes[c]&classTarget != 0; got != (visible && c != '#') {
			t.Errorf("Byte %#02x is taken in a target: %v; visible ASCII without '#' was expected.", c, got)
		}
		if got := classes[c]&classText != 0; got != (visible || c == ' ' || c == '\t' || c >= 0x80) {
			t.Errorf("Byte %#02x is text: %v; RFC 9110, section 5.5 says otherwise.", c, got)
		}
	}
}

func TestSameName(t *testing.T) {
	for c := range 256 {
		for d := range 256 {
			a, b := string([]byte{'x', byte(c)}), string([]byte{'X', byte(d)})
			want := c == d || c|0x20 == d|0x20 && c|0x20 >= 'a' && c|0x20 <= 'z' && c < 0x80 && d < 0x80
			if got := sameName(a, b); got != want {
				t.Fatalf("The names %q and %q are the same: %v; only the case of ASCII letters makes no difference.", a, b, got)
			}
		}
	}
}

func TestEqualFold(t *testing.T) {
	for c := ' '; c < 0x100; c++ {
		for _, lower := range "abcdefghijklmnopqrstuvwxyz0123456789-" {
			want := c == lower || c >= 'A' && c <= 'Z' && c+'a'-'A' == lower
			if got := equalFold([]byte{'X', byte(c)}, "x"+string(lower)); got != want {
				t.Errorf("equalFold takes byte %#02x for %q: %v.", c, lower, got)
			}
		}
	}
}
