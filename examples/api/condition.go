package main

import (
	"slices"
	"strings"

	"github.com/penstock-go/penstock/server"
)

// A condition is what a request that changes an item says of the item that it means to
// change (RFC 9110, sections 13.1.1 and 13.1.2): If-Match, that it is the version which the client has
// got; If-None-Match, that it is not. Those of GET are a layer's.
//
// It keeps the elements of both lists. None of the service's entity-tags has a comma in it, and a
// quote can stand only at their ends, so cutting the lists at every comma finds ours exactly.
type condition struct {
	match, noneMatch         []string
	matchSent, noneMatchSent bool
}

// conditionOf returns the condition of a request, whose strings it keeps.
func conditionOf(r *server.Request) condition {
	var c condition
	c.match, c.matchSent = list(r, "If-Match")
	c.noneMatch, c.noneMatchSent = list(r, "If-None-Match")
	return c
}

// list returns the elements of a field that is a list, of all its lines.
func list(r *server.Request, name string) (elements []string, sent bool) {
	for line := range r.Fields().Values(name) {
		sent = true
		for element := range strings.SplitSeq(line, ",") {
			elements = append(elements, strings.Trim(element, " \t"))
		}
	}
	return elements, sent
}

// needsOne says whether the condition cannot hold when there is no item.
func (c condition) needsOne() bool { return c.matchSent }

// holds says whether the condition holds of the item with this entity-tag, which is strong:
// a weak one of the client matches it in If-None-Match only (RFC 9110, section 8.8.3.2).
func (c condition) holds(tag string) bool {
	if c.matchSent && !slices.ContainsFunc(c.match, func(e string) bool { return e == "*" || e == tag }) {
		return false
	}
	return !c.noneMatchSent || !slices.ContainsFunc(c.noneMatch, func(e string) bool {
		return e == "*" || strings.TrimPrefix(e, "W/") == tag
	})
}
