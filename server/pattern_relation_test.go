package server

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestPatternRelations(t *testing.T) {
	for _, c := range []struct {
		first, second string
		want          string // in the sentence, or "" for no conflict
	}{
		{"/a", "/a", "the same requests"},
		{"/{x}", "/{y}", "the same requests"},
		{"/a/", "/a/{x...}", "the same requests"},
		{"GET /a/{$}", "GET /a/{$}", "the same requests"},
		{"/%61", "/a", "the same requests"},
		{"/a", "/b", ""},
		{"/a", "/a/", ""},
		{"/a", "/a/b", ""},
		{"/{x}", "/{x}/{y}", ""},
		{"/a/{$}", "/a/{x}", ""},
		{"/a/{$}", "/a/%2F", ""},
		{"/a/{$}", "/a/", ""},
		{"/a", "/{x}", ""},
		{"/a/{x}", "/a/", ""},
		{"/a/b/c", "/a/{x...}", ""},
		{"/a/b/", "/a/", ""},
		{"GET /a", "POST /a", ""},
		{"GET /a", "/a", ""},
		{"HEAD /a", "GET /a", ""},
		{"GET /a", "/", ""},
		{"/a/{x}", "/{x}/b", "both match the path /a/b, the first alone /a/x, the second alone /x/b,"},
		{"/{a}/b", "/a/{b}", "both match the path /a/b, the first alone /ax/b, the second alone /a/bx,"},
		{"GET /a/{x}", "/{x}/b", "both match the path /a/b,"},
		{"/{x}/{$}", "/a/", "both match the path /a/, the first alone /x/, the second alone /a/x,"},
		{"/{x}/b", "/a/{y...}", "both match the path /a/b, the first alone /x/b, the second alone /a/,"},
		{"/{x}/b", "/a/b/", ""},
		{"GET /", "/a", "fewer methods but more paths"},
		{"/a", "GET /{x}", "more methods but fewer paths"},
		{"HEAD /{x}", "GET /a", "fewer methods but more paths"},
		{"GET /{x}/b", "POST /a/{x}", ""},
	} {
		first, err := parsePattern(c.first)
		second, err2 := parsePattern(c.second)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		err = conflict(first, second)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("the patterns %q and %q should have the conflict %q, and have %v", c.first, c.second, c.want, err)
		}
		if err != nil && !strings.Contains(err.Error(), `the patterns "`+c.first+`" and "`+c.second+`" conflict`) {
			t.Errorf("a conflict should name both patterns, and says: %v", err)
		}
		if reverse := conflict(second, first); (reverse == nil) != (err == nil) {
			t.Errorf("the patterns %q and %q conflict in one order and not in the other: %v, %v", c.first, c.second, err, reverse)
		}
	}
}

var pathsOfConflict = regexp.MustCompile(`both match the path (\S+), the first alone (\S+), the second alone (\S+), so`)

// The paths with which a conflict is explained bear it out.
func TestConflictsAreExplainedWithTruePaths(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) // seed 1, 2
	explained := 0
	for range 20_000 {
		first, err := parsePattern(randomPattern(random))
		second, err2 := parsePattern(randomPattern(random))
		if err != nil || err2 != nil {
			continue
		}
		err = conflict(first, second)
		if err == nil {
			continue
		}
		paths := pathsOfConflict.FindStringSubmatch(err.Error())
		if paths == nil {
			continue
		}
		explained++
		for i, want := range [][2]bool{{true, true}, {true, false}, {false, true}} {
			if got := [2]bool{first.matches(paths[i+1]), second.matches(paths[i+1])}; got != want {
				t.Errorf("%v\nthat the patterns match %s should be %v, and is %v", err, paths[i+1], want, got)
			}
		}
	}
	if explained < 100 {
		t.Errorf("at least 100 of the pairs of patterns should have had conflicting paths, and %d had", explained)
	}
}

// matches says whether a pattern matches a path, which may be unclean.
func (p *pattern) matches(path string) bool {
	var root routeNode
	root.add(newRoute(p, hello))
	return root.match(&lookup{method: p.method, path: path, encoded: true}, 0) != nil
}

// randomPattern returns a pattern of few different parts, so that two of them often have
// requests in common. Not all of them are well-formed.
func randomPattern(random *rand.Rand) string {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	text := pick("", "", "GET ", "GET ", "POST ", "HEAD ", "OPTIONS ") + pick("", "", "", "", "h", "h.example")
	names := []string{"x", "y", "z", "a"}
	for i := range 1 + random.IntN(4) {
		text += "/" + pick("a", "b", "a", "c", "{"+names[i]+"}", "{"+names[i]+"}", "%61", "a%2Fb", "d.e")
	}
	return text + pick("", "", "", "/", "/{$}", "/{r...}")
}
