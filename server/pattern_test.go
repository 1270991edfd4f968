package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// describe writes the parts of a pattern so that they can be told apart.
func (p *pattern) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", p.method, p.host)
	for _, part := range p.parts {
		fmt.Fprintf(&b, " %s:%s", [...]string{"literal", "wildcard", "rest", "end"}[part.kind], part.name)
	}
	return b.String()
}

func TestPatternParts(t *testing.T) {
	for text, want := range map[string]string{
		"/":                       "  rest:",
		"/{$}":                    "  end:",
		"/a":                      "  literal:a",
		"/a/":                     "  literal:a rest:",
		"/a/{$}":                  "  literal:a end:",
		"/{x}":                    "  wildcard:x",
		"/{x}/":                   "  wildcard:x rest:",
		"/a/{x}/b/{_y2...}":       "  literal:a wildcard:x literal:b rest:_y2",
		"/{äöü}":                  "  wildcard:äöü",
		"/a%20b/%41%2f/}":         "  literal:a b literal:A/ literal:}",
		"/100%":                   "  literal:100%",
		"/...":                    "  literal:...",
		"GET /a":                  "GET  literal:a",
		"x!y \t h/a b":            "x!y h literal:a b",
		" /a":                     "  literal:a",
		"example.org/":            " example.org rest:",
		"DELETE example.org:80/a": "DELETE example.org:80 literal:a",
	} {
		p, err := parsePattern(text)
		if err != nil {
			t.Errorf("the pattern %q is well-formed, and is refused: %v", text, err)
		} else if got := p.describe(); got != want || p.text != text {
			t.Errorf("the pattern %q has the parts %q; they should be %q", text, got, want)
		}
	}
}

func TestMalformedPatterns(t *testing.T) {
	for _, c := range []struct {
		text string
		at   int
		why  string
	}{
		{"", 0, "slash was expected"},
		{"GET", 0, "slash was expected"},
		{"GET ", 4, "slash was expected"},
		{"GET  example.org", 5, "slash was expected"},
		{"G(T /", 0, "not a token"},
		{"h{x}/", 1, "no wildcards"},
		{"GET {x}/a", 4, "no wildcards"},
		{"/a{x}", 1, "whole segment"},
		{"/a/{x}b", 3, "whole segment"},
		{"/{", 1, "whole segment"},
		{"/{}", 1, "Go identifier"},
		{"/{...}", 1, "Go identifier"},
		{"/{1a}", 1, "Go identifier"},
		{"/{a-b}", 1, "Go identifier"},
		{"/{$...}", 1, "Go identifier"},
		{"/{a}b}", 1, "Go identifier"},
		{"/a/{$}/b", 3, "nothing can follow {$}"},
		{"/{$}/", 1, "nothing can follow {$}"},
		{"/{x...}/b", 1, "nothing can follow {x...}"},
		{"GET /{x}/{x}", 9, "two wildcards"},
		{"/{x}/{x...}", 5, "two wildcards"},
		{"//", 0, "never match"},
		{"/a//b", 0, "never match"},
		{"GET h/a/./b", 5, "never match"},
		{"/a/..", 0, "never match"},
		{"CONNECT /a", 0, "never match"},
	} {
		_, err := parsePattern(c.text)
		at := fmt.Sprintf("%q is malformed at offset %d: ", c.text, c.at)
		if err == nil || !strings.Contains(err.Error(), at) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("the pattern %q should be refused at offset %d with a sentence that says %q; the error is %v", c.text, c.at, c.why, err)
		}
	}
}

func TestValuesOfWildcards(t *testing.T) {
	const text = "/{a}/b/{c}/{rest...}"
	p, err := parsePattern(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, a, c, rest string }{
		{"/1/b/2/3", "1", "2", "3"},
		{"/1/b/2/", "1", "2", ""},
		{"/%2F/b/a%20%62/c%2Fd/e/", "/", "a b", "c/d/e/"},
		{"/%/b/%zz/%1", "%", "%zz", "%1"},
	} {
		if a, v, rest := p.value(c.path, "a"), p.value(c.path, "c"), p.value(c.path, "rest"); a != c.a || v != c.c || rest != c.rest {
			t.Errorf("in %s the wildcards of %s should be %q, %q and %q, and are %q, %q and %q", c.path, text, c.a, c.c, c.rest, a, v, rest)
		}
		if none := p.value(c.path, "b") + p.value(c.path, ""); none != "" {
			t.Errorf("%s has no wildcards b and \"\", whose values should be empty and are %q", text, none)
		}
	}
}

func TestCleanPaths(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/a": true, "/a/": true, "/a/b": true, "/.a/..b/...": true, "/a/%2e%2e/": true,
		"//": false, "/.": false, "/..": false, "/a//": false, "/a//b": false, "/./a": false, "/a/../b": false, "/a/.": false, "/a/..": false, "/a/./": false,
	} {
		if got := cleanPath(path); got != want {
			t.Errorf("that the path %s is clean should be %v, and is %v", path, want, got)
		}
		if got := cleaned(path) == path; got != want {
			t.Errorf("the path %s becomes %s when it is cleaned; that it stays should be %v", path, cleaned(path), want)
		}
	}
}

// neverMatches says whether a pattern that ServeMux takes is refused here, because it could
// never match.
func neverMatches(text string) bool {
	method, _, path, err := splitPattern(text)
	return err == nil && (method == http.MethodConnect || !cleanPath(path))
}

func FuzzParsePattern(f *testing.F) {
	for _, text := range []string{"/", "GET h/{x}/a%2Fb/{y...}", "POST /{$}", "a /{b}c", "/a//b", "{", "CONNECT /a/../", "GET\t /%zz/{ä}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePattern(text)
		muxErr := registered(func() { http.NewServeMux().Handle(text, http.NotFoundHandler()) })
		if (err == nil) != (muxErr == nil) && !neverMatches(text) {
			t.Fatalf("for the pattern %q the error is %v, and ServeMux's is %v", text, err, muxErr)
		}
		if err != nil {
			return
		}
		router := NewRouter()
		router.Handle(text, hello)
		path := commonPath(p.parts, p.parts)
		if !cleanPath(path) {
			return // a literal that is encoded as no clean path can have it
		}
		if found := router.routes.host(p.host).tree.match(&lookup{method: p.method, path: path, encoded: strings.Contains(path, "%")}, 0); found == nil {
			t.Fatalf("the pattern %q does not match %s, which is made of its own parts", text, path)
		}
	})
}

// registered returns what register panics with, or nil.
func registered(register func()) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = value.(error)
		}
	}()
	register()
	return nil
}
