package server

import (
	"slices"
	"strings"
)

// Which of the routes of a router are asked, and in which order.

// routes are the routes of a router and of all its groups.
type routes struct {
	anyHost hostRoutes
	hosts   map[string]*hostRoutes
	own     Handler // what answers when no route does, in its layers
}

func (s *routes) host(host string) *hostRoutes {
	if host == "" {
		return &s.anyHost
	}
	if s.hosts[host] == nil {
		if s.hosts == nil {
			s.hosts = make(map[string]*hostRoutes)
		}
		s.hosts[host] = new(hostRoutes)
	}
	return s.hosts[host]
}

// find returns the route that is to answer, or nil when none is: also when the request is to be
// redirected.
func (s *routes) find(host string, l *lookup) *route {
	if l.path[0] != '/' {
		return nil // *
	}
	own := s.ofHost(host)
	found := s.match(own, l)
	if found == nil || !found.rest || found.matchesAll(l) || !s.wantsSlash(own, *l) {
		return found
	}
	return nil
}

// match returns the most specific route; own are the routes of the request's host, or nil.
func (s *routes) match(own *hostRoutes, l *lookup) *route {
	if own != nil {
		if found := own.tree.match(l, 0); found != nil {
			return found
		}
	}
	return s.anyHost.tree.match(l, 0)
}

// wantsSlash says whether the path with a slash behind it has a route that matches all of it.
func (s *routes) wantsSlash(own *hostRoutes, l lookup) bool {
	if strings.HasSuffix(l.path, "/") {
		return false
	}
	l.slash = true
	found := s.match(own, &l)
	return found != nil && found.matchesAll(&l)
}

// ofHost returns the routes of a request's host, or nil.
func (s *routes) ofHost(host string) *hostRoutes {
	if len(s.hosts) == 0 {
		return nil
	}
	host = withoutPort(host)
	if own := s.hosts[host]; own != nil {
		return own
	}
	return s.hosts[strings.ToLower(host)]
}

// withoutPort returns the host of an authority that is well-formed. The brackets of an
// IPv6 address go with its port, as they do in patterns.
func withoutPort(authority string) string {
	colon := strings.LastIndexByte(authority, ':')
	switch {
	case colon < 0 || authority[len(authority)-1] == ']':
		return authority
	case authority[0] == '[':
		return authority[1 : colon-1]
	}
	return authority[:colon]
}

// hostRoutes are the routes of one host, or of any.
type hostRoutes struct {
	tree     routeNode
	patterns []*pattern
	methods  []string // that the patterns name
	takesAll bool     // there is a pattern without a method
}

// add registers a route, or returns why that is not possible.
func (h *hostRoutes) add(added *route) error {
	for _, p := range h.patterns {
		if err := conflict(added.pattern, p); err != nil {
			return err
		}
	}
	h.patterns = append(h.patterns, added.pattern)
	if method := added.pattern.method; method == "" {
		h.takesAll = true
	} else if !slices.Contains(h.methods, method) {
		h.methods = append(h.methods, method)
	}
	h.tree.add(added)
	return nil
}

// appendMethods appends the methods for which there is a route that names them.
func (h *hostRoutes) appendMethods(methods []string, l lookup) []string {
	for _, l.method = range h.methods {
		if h.tree.match(&l, 0) != nil {
			methods = append(methods, l.method)
		}
	}
	return methods
}
