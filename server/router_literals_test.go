package server

import (
	"fmt"
	"net/url"
	"testing"
)

// Names that are alike at their ends are told apart.
func TestLiteralsFindWhatWasAdded(t *testing.T) {
	var l literals
	if findLiteral(&l, keyOf("a"), "a") != nil {
		t.Error("an empty table should find nothing")
	}
	routes := map[string]*route{}
	for i := range 300 {
		name := fmt.Sprintf("a%03d---%03da", i, i)
		if i%3 == 0 {
			name = fmt.Sprint(i)
		}
		if findLiteral(&l, keyOf(name), name) != nil {
			t.Fatalf("%q was found before it was added", name)
		}
		routes[name] = new(route)
		l.add(name).here = routes[name]
		for known, route := range routes {
			if found := findLiteral(&l, keyOf(known), known); found == nil || found.here != route || findLiteral(&l, keyOf(known), []byte(known)) != found {
				t.Fatalf("with %d names, %q was not found", len(routes), known)
			}
		}
	}
	if found := l.findEncoded("%61001---001%61"); found == nil || found.here != routes["a001---001a"] {
		t.Error("a name that is sent with its letters encoded should be found like any other")
	}
}

// However alike the names of many children are, they are spread over the table: what it costs to
// find one does not grow with their number.
func TestAlikeLiteralsAreSpread(t *testing.T) {
	for _, form := range []string{"%d", "%05d", "item-%05d", "%05d-settings-of-the-organization", "v%d.json", "organization-%d-secret"} {
		var l literals
		const children = 4096
		for i := range children {
			l.add(fmt.Sprintf(form, i))
		}
		looked := 0
		for at := range l.slots {
			if slot := &l.slots[at]; slot.node != nil {
				first := int(slot.key * keyMultiplier >> l.shift)
				looked += (at-first)&(len(l.slots)-1) + 1
			}
		}
		if mean := float64(looked) / children; mean > 3 {
			t.Errorf("to find one of %d names like %q, %.1f slots are looked at, and at most 3 should be", children, form, mean)
		}
	}
}

func TestDecodedSegments(t *testing.T) {
	for _, segment := range []string{"", "a", "%41", "a%2fb%2F", "%00", "%ff%C3%a9", "%25", "%2525"} {
		want, err := url.PathUnescape(segment)
		if got := string(appendDecoded(nil, segment)); err != nil || got != want {
			t.Errorf("the segment %q is decoded to %q; url.PathUnescape gives %q, %v", segment, got, want, err)
		}
	}
	for _, broken := range []string{"%", "%4", "%zz", "%4z", "a%", "%%"} {
		if got := string(appendDecoded(nil, broken)); got != broken {
			t.Errorf("the segment %q is not well-formed and should stay; it became %q", broken, got)
		}
	}
}
