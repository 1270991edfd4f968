package parser

import (
	"slices"
	"strings"
	"testing"
)

func TestFields(t *testing.T) {
	p := newParser(Request)
	p.Feed([]byte(get("Accept: x\r\nB:\r\naCCEPT: y\r\n\r\n")))
	want(t, p, HeadReady, "the head is whole")
	f := &p.Head().Fields
	if got := slices.Collect(f.Values("accept")); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("The values of accept are %q; both, in their order, were expected.", got)
	}
	for range f.Values("accept") {
		break // must not go on after it was told to stop
	}
	if got := f.Get("ACCEPT"); got != "x" {
		t.Errorf("Get returns %q; the first value was expected.", got)
	}
	if value, ok := f.Lookup("b"); !ok || value != "" {
		t.Errorf("Lookup of an empty field returns %q, %v; it is there.", value, ok)
	}
	if value, ok := f.Lookup("c"); ok || value != "" || f.Get("c") != "" {
		t.Errorf("Lookup of a missing field returns %q, %v.", value, ok)
	}
	var names []string
	for name, value := range f.All() {
		names = append(names, name+"="+value)
		if name == "aCCEPT" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "Host=a Accept=x B= aCCEPT=y" || f.Len() != 4 {
		t.Errorf("The fields are %q, %d of them; they come in their order and case.", got, f.Len())
	}
	var none Fields
	if none.Len() != 0 || none.Get("a") != "" {
		t.Errorf("The zero value of Fields is not empty.")
	}
}
