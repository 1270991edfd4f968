package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/penstock-go/penstock/parser"
)

// A pattern is what a route is registered with, taken apart. Every part stands for one
// segment of a path, but for partRest, which stands for all that are left; so the value
// of a wildcard is found by its place, and a match need not keep it.
type pattern struct {
	text   string // as registered, behind the prefixes of its groups
	method string // "" is any
	host   string // "" is any
	parts  []patternPart
}

type patternPart struct {
	kind patternKind
	name string // of a literal, what it is once decoded; of a wildcard, its name
}

type patternKind uint8

const (
	partLiteral  patternKind = iota // the segment with this name
	partWildcard                    // {name}: any one segment
	partRest                        // {name...}, or a trailing slash without a name: what is left, if anything
	partEnd                         // {$}: a slash, and nothing behind it
)

// parsePattern takes a pattern apart. The error is a sentence that says where it is
// malformed and what was expected there.
func parsePattern(text string) (*pattern, error) {
	method, host, path, err := splitPattern(text)
	if err != nil {
		return nil, err
	}
	p := &pattern{text: text, method: method, host: host}
	if method == http.MethodConnect {
		return nil, malformed(text, 0, "it can never match, because the server does not serve CONNECT")
	}
	if !cleanPath(path) {
		return nil, malformed(text, len(text)-len(path), "it can never match, because requests for a path with empty segments, . or .. are redirected")
	}
	for rest := path; rest != ""; {
		at := len(text) - len(rest) + 1
		segment, after, more := strings.Cut(rest[1:], "/")
		part, err := parsePart(segment, more)
		if err != nil {
			return nil, malformed(text, at, err.Error())
		}
		if part.kind != partLiteral && part.name != "" && p.wildcard(part.name) >= 0 {
			return nil, malformed(text, at, fmt.Sprintf("there are two wildcards with the name %q", part.name))
		}
		p.parts = append(p.parts, part)
		if !more {
			break
		}
		rest = "/" + after
	}
	return p, nil
}

// splitPattern cuts a pattern into its method, its host, and a path that begins with a slash.
func splitPattern(text string) (method, host, path string, err error) {
	rest := text
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		method, rest = text[:i], strings.TrimLeft(text[i:], " \t")
		if method != "" && !parser.ValidToken(method) {
			return "", "", "", malformed(text, 0, fmt.Sprintf("the method %q is not a token (RFC 9110, section 9.1)", method))
		}
	}
	at := len(text) - len(rest)
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return "", "", "", malformed(text, at, "a path that begins with a slash was expected, behind an optional method and an optional host")
	}
	if brace := strings.IndexByte(rest[:slash], '{'); brace >= 0 {
		return "", "", "", malformed(text, at+brace, "a host has no wildcards; a path begins with a slash")
	}
	return method, rest[:slash], rest[slash:], nil
}

// parsePart returns what one segment of a pattern stands for; more says that another one
// follows.
func parsePart(segment string, more bool) (patternPart, error) {
	brace := strings.IndexByte(segment, '{')
	switch {
	case segment == "":
		return patternPart{kind: partRest}, nil // a trailing slash: elsewhere the path would not be clean
	case brace < 0:
		name, err := url.PathUnescape(segment)
		if err != nil {
			name = segment
		}
		return patternPart{partLiteral, name}, nil
	case brace > 0 || !strings.HasSuffix(segment, "}"):
		return patternPart{}, fmt.Errorf("a wildcard is a whole segment in braces, which %q is not", segment)
	}
	name := segment[1 : len(segment)-1]
	kind := partWildcard
	if name == "$" {
		kind, name = partEnd, ""
	} else if before, found := strings.CutSuffix(name, "..."); found {
		kind, name = partRest, before
	}
	switch {
	case kind != partWildcard && more:
		return patternPart{}, fmt.Errorf("nothing can follow %s", segment)
	case kind != partEnd && !validWildcardName(name):
		return patternPart{}, fmt.Errorf("the name of a wildcard is a Go identifier, which %q is not", name)
	}
	return patternPart{kind, name}, nil
}

func validWildcardName(name string) bool {
	for i, c := range name {
		if c != '_' && !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
			return false
		}
	}
	return name != ""
}

func malformed(text string, at int, why string) error {
	return fmt.Errorf("server: the pattern %q is malformed at offset %d: %s", text, at, why)
}

// endsInRest says whether the pattern matches paths of any length.
func (p *pattern) endsInRest() bool { return p.parts[len(p.parts)-1].kind == partRest }

// wildcard returns the place of the wildcard with this name, or -1.
func (p *pattern) wildcard(name string) int {
	for i := range p.parts {
		if part := &p.parts[i]; part.kind != partLiteral && part.name == name && name != "" {
			return i
		}
	}
	return -1
}

// value returns what the wildcard with this name stands for in a path that the pattern
// matches, decoded, or "".
func (p *pattern) value(path, name string) string {
	place := p.wildcard(name)
	if place < 0 {
		return ""
	}
	for range place {
		path = path[1:]
		path = path[strings.IndexByte(path, '/'):]
	}
	value := path[1:]
	if p.parts[place].kind == partWildcard {
		value, _, _ = strings.Cut(value, "/")
	}
	if decoded, err := url.PathUnescape(value); err == nil {
		return decoded
	}
	return value
}

// cleanPath says whether a path has no segment that is "." or "..", and none that is empty
// but the last.
func cleanPath(path string) bool {
	for rest := path[1:]; rest != ""; {
		segment, after, _ := strings.Cut(rest, "/")
		if unclean(segment) {
			return false
		}
		rest = after
	}
	return true
}

func unclean(segment string) bool { return segment == "" || segment == "." || segment == ".." }
