package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Which of two patterns is more specific.
//
// Theory. A pattern stands for the set of all pairs of a method and a path that it
// matches. A relation says of two such sets whether they have nothing in common, and else
// which of them has something that the other has not. Sets are products of a set of methods
// and one set of segments for each place, so their relation is that of these parts, added
// up: the product has more wherever a part has more, and nothing in common if one part has
// nothing in common.
//
// Rules:
//
//  1. A pattern with a host goes before one without. Different hosts have nothing in common.
//  2. Of two patterns that match the same request, the one that has less goes first.
//  3. So two patterns conflict if they have something in common and each has more than the
//     other, or neither has: no order between them would be right.
type relation uint8

const (
	equivalent    relation = 0
	firstHasMore  relation = 1 << 0
	secondHasMore relation = 1 << 1
	overlapping            = firstHasMore | secondHasMore
	disjoint      relation = 1 << 2
)

func (r relation) conflicts() bool { return r == equivalent || r == overlapping }

// and adds the relation of another part.
func (r relation) and(other relation) relation {
	if (r|other)&disjoint != 0 {
		return disjoint
	}
	return r | other
}

func relateMethods(first, second string) relation {
	switch {
	case first == second:
		return equivalent
	case first == "", first == http.MethodGet && second == http.MethodHead:
		return firstHasMore
	case second == "", second == http.MethodGet && first == http.MethodHead:
		return secondHasMore
	}
	return disjoint
}

func relatePaths(first, second []patternPart) relation {
	sum := equivalent
	for i := range max(len(first), len(second)) {
		if i == len(first) || i == len(second) {
			return disjoint // the shorter one has no rest
		}
		sum = sum.and(relateParts(first[i], second[i]))
		if sum == disjoint || first[i].kind == partRest || second[i].kind == partRest {
			break
		}
	}
	return sum
}

func relateParts(first, second patternPart) relation {
	switch {
	case first.kind == second.kind && (first.kind != partLiteral || first.name == second.name):
		return equivalent
	case first.kind == partRest, first.kind == partWildcard && second.kind == partLiteral:
		return firstHasMore
	case second.kind == partRest, second.kind == partWildcard && first.kind == partLiteral:
		return secondHasMore
	}
	return disjoint
}

// conflict returns a sentence that says why two patterns for the same host cannot both be
// registered, or nil when they can.
func conflict(first, second *pattern) error {
	methods := relateMethods(first.method, second.method)
	if methods == disjoint {
		return nil
	}
	paths := relatePaths(first.parts, second.parts)
	both := methods.and(paths)
	if !both.conflicts() {
		return nil
	}
	var why string
	switch {
	case both == equivalent:
		why = "they match the same requests"
	case paths == overlapping:
		why = fmt.Sprintf("both match the path %s, the first alone %s, the second alone %s, so that neither is more specific",
			commonPath(first.parts, second.parts), ownPath(first.parts, second.parts), ownPath(second.parts, first.parts))
	case paths == firstHasMore:
		why = "the first matches fewer methods but more paths, so that neither is more specific"
	default:
		why = "the first matches more methods but fewer paths, so that neither is more specific"
	}
	return fmt.Errorf("server: the patterns %q and %q conflict: %s", first.text, second.text, why)
}

// commonPath returns a path that two patterns match which are not disjoint.
func commonPath(first, second []patternPart) string {
	var path strings.Builder
	for i := range max(len(first), len(second)) {
		part := patternPart{kind: partRest}
		if i < len(first) {
			part = first[i]
		}
		if i < len(second) && (part.kind == partRest || part.kind == partWildcard && second[i].kind == partLiteral) {
			part = second[i]
		}
		path.WriteString(part.example())
	}
	return path.String()
}

// ownPath returns a path that the pattern with these parts matches, and the other one does not
// although they have paths in common: wherever it has more, that is made use of.
func ownPath(parts, other []patternPart) string {
	var path strings.Builder
	for i, part := range parts {
		facing := patternPart{kind: partRest}
		if i < len(other) {
			facing = other[i]
		}
		switch {
		case part.kind == partWildcard && facing.kind == partLiteral && facing.name == part.name:
			part.name += "x"
		case part.kind == partRest && facing.kind == partEnd:
			part = patternPart{partLiteral, "x"}
		}
		path.WriteString(part.example())
	}
	return path.String()
}

// example returns a part of a path that the part of a pattern matches.
func (part patternPart) example() string {
	if part.kind == partLiteral || part.kind == partWildcard {
		return "/" + url.PathEscape(part.name)
	}
	return "/"
}
