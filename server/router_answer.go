package server

import (
	"net/http"
	pathpkg "path"
	"slices"
	"strings"
)

// What a router answers itself.

var (
	errNoRoute  = &Error{http.StatusNotFound, "There is nothing at this path."}
	errNoMethod = &Error{http.StatusMethodNotAllowed, "The method is not allowed at this path; the Allow field lists those that are."}
)

// answerOwn answers a request that [routes.find] has found no route for.
func (s *routes) answerOwn(r *Request) Response {
	path, encoded := r.sentPath(r.Target())
	l := lookup{method: r.Method(), path: path, encoded: encoded}
	if l.path[0] != '/' {
		return s.answerServerWide()
	}
	sent, own := l.path, s.ofHost(r.Host())
	l.path = cleaned(sent)
	if found := s.match(own, &l); (found == nil || !found.matchesAll(&l)) && s.wantsSlash(own, l) {
		l.path += "/"
	}
	if l.path != sent {
		return redirectTo(l.path, r.RawQuery())
	}
	methods := s.methods(own, l)
	switch {
	case len(methods) == 0:
		return Fail(errNoRoute)
	case l.method == http.MethodOptions:
		return Empty(http.StatusNoContent).With("Allow", sortedMethods(methods))
	}
	return Fail(errNoMethod).With("Allow", sortedMethods(methods))
}

// methods returns the methods that have a route for the path, or for the path with a slash behind
// it, to which they are redirected.
func (s *routes) methods(own *hostRoutes, l lookup) []string {
	var methods []string
	for _, slash := range [...]bool{false, true} {
		if slash && strings.HasSuffix(l.path, "/") {
			break
		}
		l.slash = slash
		if own != nil {
			methods = own.appendMethods(methods, l)
		}
		methods = s.anyHost.appendMethods(methods, l)
	}
	return methods
}

// answerServerWide answers OPTIONS *, the only request without a path that the parser lets
// through (RFC 9110, section 9.3.7). A route without a method serves methods that
// cannot be listed: with one, Allow is left out.
func (s *routes) answerServerWide() Response {
	takesAll, methods := s.anyHost.takesAll, slices.Clone(s.anyHost.methods)
	for _, host := range s.hosts {
		takesAll = takesAll || host.takesAll
		methods = append(methods, host.methods...)
	}
	if takesAll {
		return Empty(http.StatusNoContent)
	}
	return Empty(http.StatusNoContent).With("Allow", sortedMethods(methods))
}

// sortedMethods completes a list of methods to the value of an Allow field: who serves GET
// serves HEAD, and OPTIONS is always answered.
func sortedMethods(methods []string) string {
	methods = append(methods, http.MethodOptions)
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return strings.Join(slices.Compact(methods), ", ")
}

// redirectTo sends the client to another path of the same server, with the same method
// (RFC 9110, section 15.4.8).
func redirectTo(path, query string) Response {
	location := escapedForLocation(path)
	if query != "" {
		location += "?" + query
	}
	return Redirect(http.StatusTemporaryRedirect, location)
}

// cleaned returns the path without empty segments, "." and "..", as RFC 3986, section 5.2.4
// resolves them. A slash at its end stays.
func cleaned(path string) string {
	if cleanPath(path) {
		return path
	}
	clean := pathpkg.Clean(path)
	if strings.HasSuffix(path, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// escapedForLocation encodes what a URI does not have in a path (RFC 3986, section 3.3) and
// the parser lets through. Left as it is, a backslash for one would be a slash to some
// clients, and two slashes at the beginning of a location name another server.
func escapedForLocation(path string) string {
	const hexadecimalDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		switch c := path[i]; c {
		case '"', '<', '>', '\\', '^', '`', '{', '|', '}':
			b.WriteByte('%')
			b.WriteByte(hexadecimalDigits[c>>4])
			b.WriteByte(hexadecimalDigits[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
