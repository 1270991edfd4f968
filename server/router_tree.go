package server

import (
	"net/http"
	"strings"
)

// The routes of a router as trees, one for each host, with a level for each segment.
//
// Theory. In a set of patterns without conflicts, of two that match the same path the more
// specific one differs from the other first where it has a literal against a wildcard, or
// either of them against a rest. So the first one that is found when literals are tried
// before wildcards and wildcards before rests is the most specific; of those with the same
// path, the one for the method itself, then GET for HEAD, then the one for any. Going back is
// needed only in a node that has both the literal and a wildcard; a rest matches whatever is
// left, so the last one that was passed is remembered instead.
//
// Rules:
//
//  1. A path that is not clean matches nothing, so that it is redirected.
//  2. A node is looked at once for each way to it, of which a tree has one: what a path can
//     cost is bounded by its length and by the number of nodes, however it is made up.
//  3. A match allocates nothing, and changes nothing: a tree that is not added to any more may be
//     used by any number of loops.
type routeNode struct {
	literals literals
	wildcard *routeNode
	here     *route // the first of those whose patterns end here
	end      *route // of those that end here with {$}
	rest     *route // of those that end here with {name...} or a slash
}

// A route leads to a handler. Those whose patterns have the same path are a list, in the order
// in which a method looks for its own: HEAD before GET, and the one without a method at the end.
type route struct {
	method  string // of the pattern
	next    *route
	handler Handler
	pattern *pattern
	rest    bool // the pattern ends in a rest
}

func newRoute(p *pattern, h Handler) *route {
	return &route{method: p.method, handler: h, pattern: p, rest: p.endsInRest()}
}

// add puts a route where its parts lead.
func (n *routeNode) add(added *route) {
	list := &n.here
	for _, part := range added.pattern.parts {
		switch part.kind {
		case partEnd:
			list = &n.end
		case partRest:
			list = &n.rest
		case partWildcard:
			if n.wildcard == nil {
				n.wildcard = new(routeNode)
			}
			n = n.wildcard
			list = &n.here
		default:
			child := findLiteral(&n.literals, keyOf(part.name), part.name)
			if child == nil {
				child = n.literals.add(part.name)
			}
			n = child
			list = &n.here
		}
	}
	if added.method != http.MethodHead {
		for *list != nil && (*list).method != "" {
			list = &(*list).next
		}
	}
	added.next, *list = *list, added
}

// choose returns the first route of a list that takes the method, or nil.
func (r *route) choose(method string) *route {
	for ; r != nil; r = r.next {
		if r.method == method || r.method == "" || method == http.MethodHead && r.method == http.MethodGet {
			return r
		}
	}
	return nil
}

// A lookup is what a route is looked up by.
type lookup struct {
	method  string
	path    string // as sent; begins with a slash
	encoded bool   // the path has a percent-encoding
	slash   bool   // one more slash is to be thought behind the path
}

// match returns the most specific route for the method and the path, of which n stands at offset
// at; or nil.
func (n *routeNode) match(l *lookup, at int) *route {
	var rest *route
	restAt := 0
	for {
		if at == len(l.path) && !l.slash {
			if found := n.here.choose(l.method); found != nil {
				return found
			}
			break
		}
		if n.rest != nil {
			if found := n.rest.choose(l.method); found != nil {
				rest, restAt = found, at
			}
		}
		start := at + 1
		if start >= len(l.path) {
			if found := n.end.choose(l.method); found != nil {
				return found
			}
			break
		}
		end, key := segmentAt(l.path, start)
		if key <= '.'<<8|'.' && unclean(l.path[start:end]) { // the keys of those are no greater
			return nil
		}
		var child *routeNode
		if l.encoded {
			child = n.literals.findEncoded(l.path[start:end])
		} else if len(n.literals.slots) > 0 {
			if first := n.literals.first(key); first.key == key && len(first.name) == end-start && (end-start < 8 || first.name == l.path[start:end]) {
				child = first.node // most often, and then it has cost no call
			} else if first.node != nil {
				child = findLiteral(&n.literals, key, l.path[start:end])
			}
		}
		if child == nil {
			child = n.wildcard
		} else if n.wildcard != nil {
			if found := child.match(l, end); found != nil {
				return found
			}
			child = n.wildcard
		}
		if child == nil {
			break
		}
		n, at = child, end
	}
	if rest != nil && restAt < len(l.path) && !cleanPath(l.path[restAt:]) {
		return nil
	}
	return rest
}

// matchesAll says whether the route's pattern matches the path with nothing but a slash for its
// rest.
func (r *route) matchesAll(l *lookup) bool {
	if !r.rest {
		return true
	}
	slashes := strings.Count(l.path, "/")
	if l.slash {
		slashes++
	} else if !strings.HasSuffix(l.path, "/") {
		return false
	}
	return slashes == len(r.pattern.parts)
}
