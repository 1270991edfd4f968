package layer

import (
	"regexp"
	"slices"
	"testing"
)

// entityTag is the grammar of RFC 9110, section 8.8.3.
var entityTag = regexp.MustCompile(`\A(?:W/)?"[^\x00-\x20"\x7f]*"`)

// A list of entity-tags is read as the grammar says.
func FuzzEntityTags(f *testing.F) {
	for _, seed := range []string{`"x"`, `W/"x", "y"`, `*`, ` , "a" ,,"b,c"	,`, `"x" "y"`, `"a b"`, `"x`, `W/`, `w/"x"`, "\"\x7f\"", "\"\xff\"", `*,"x"`, ``} {
		f.Add(seed, `"x"`)
	}
	f.Fuzz(func(t *testing.T, list, tag string) {
		if cut, rest := cutTag(list); cut != entityTag.FindString(list) || cut+rest != list {
			t.Errorf("of %q the tag %q was cut, leaving %q; the grammar has %q there", list, cut, rest, entityTag.FindString(list))
		}
		matched, wellFormed := anyTagMatches(slices.Values([]string{list}), tag, weakly)
		if wellFormed && entityTag.FindString(list) == list && matched != (tag != "" && weakly(list, tag)) {
			t.Errorf("the one tag %q was compared with %q: %t", list, tag, matched)
		}
	})
}
