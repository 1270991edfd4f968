package server

import (
	"strings"
	"testing"
)

func TestSegmentEnds(t *testing.T) {
	for length := range 40 {
		for _, filler := range []string{"a", ".", "0", "\x00", "\xaf", "\xff", "/"} {
			for at := range length + 1 {
				for slash := at; slash <= length; slash++ {
					path := strings.Repeat(filler, slash) + "/" + strings.Repeat("b", length-slash)
					path = path[:length] // without the slash when that is at the end
					want := length
					if i := strings.IndexByte(path[at:], '/'); i >= 0 {
						want = at + i
					}
					got, key := segmentAt(path, at)
					if got != want {
						t.Fatalf("the segment at %d of %q ends at %d, and not at %d", at, path, want, got)
					}
					if want := keyOf(path[at:want]); key != want {
						t.Fatalf("the key of the segment at %d of %q is %#x, and alone it is %#x", at, path, key, want)
					}
				}
			}
		}
	}
}

// A name is a segment wherever it stands in a path, and its key is that of no other here.
func TestKeysTellNamesApart(t *testing.T) {
	known := map[uint64]string{}
	for length := range 30 {
		for _, with := range []string{"a", "b", "\x00", "."} {
			for place := range max(length, 1) {
				name := []byte(strings.Repeat("a", length))
				if place < length {
					name[place] = with[0]
				}
				key := keyOf(name)
				if other, found := known[key]; found && other != string(name) && len(other) == length {
					t.Fatalf("%q and %q have the same key", name, other)
				}
				known[key] = string(name)
				for before := range 12 {
					path := strings.Repeat("x", before) + "/" + string(name) + "/" + strings.Repeat("y", before%5)
					if end, got := segmentAt(path, before+1); got != key || end != before+1+length {
						t.Fatalf("the segment %q has the key %#x and %d bytes; in %q it has %#x and ends at %d", name, key, length, path, got, end)
					}
				}
			}
		}
	}
}
