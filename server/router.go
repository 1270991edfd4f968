package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Layer makes a handler of a handler, and does something before it, after it, or in its
// place. See [Response.Map] for how it looks at an answer.
type Layer = func(Handler) Handler

// A Router answers a request with the handler whose pattern matches it best. Its method
// Answer is the handler for [New].
//
// # Patterns
//
// A pattern is "[METHOD ][HOST]/[PATH]", as for the ServeMux of net/http. A method matches
// itself, and GET also HEAD; without one, every method. A host matches itself, whatever the
// port; without one, every host. A path matches segment by segment, where a segment of the
// pattern is
//
//   - a literal, which matches the segment that is the same once both are decoded,
//   - {name}, which matches any one segment,
//   - {name...}, at the end, which matches all that is left, also nothing,
//   - {$}, at the end, which matches a slash with nothing behind it.
//
// A slash at the end is like {name...} without a name. A name is a Go identifier. Segments
// are those of the path as it was sent: an encoded slash does not end one.
//
// Of the patterns that match a request, those with its host go before those without. Then
// the more specific one is chosen, whatever the order in which they were registered: the
// one that matches only requests that the other matches too. Two patterns of which neither
// is more specific, although there are requests that both match, conflict and cannot both
// be registered.
//
// # The router's own answers
//
//   - 307 to the clean path, where the path has empty segments, "." or "..",
//   - 307 to the path with a slash behind it, where that has a route and the path has none, or
//     only one that matches because it ends in a slash or {name...},
//   - 405 where there are routes, but none for the method, with their methods in Allow,
//   - 204 to OPTIONS there, with Allow, and to OPTIONS * with the methods of all routes,
//   - 404 for the rest.
//
// 404 and 405 are answered through [Fail] with an [*Error]; layers can find it with
// [Response.Err].
//
// # Differences from ServeMux
//
// A pattern that could never match is refused: one that is not clean also when it has no
// method, and one for CONNECT, which the server does not serve. A host that was sent with
// capital letters also matches a pattern with small ones (RFC 9110, section 4.2.3). A segment
// that is nothing but an encoded slash is a segment like any other, where ServeMux takes it
// for {$}. Redirects keep the percent-encoding that was sent, where ServeMux encodes it
// again or loses it. OPTIONS is answered, and listed in Allow.
//
// # Use
//
// A Router is set up first, on one goroutine; once it serves, nothing may be registered any
// more, and any number of loops use it at once. What a match costs does not grow with the
// number of routes, and it allocates nothing.
type Router struct {
	routes *routes
	parent *Router // of a group
	host   string  // of the routes of a group, or ""
	prefix string  // of the paths of the routes of a group, without a slash at the end
	layers []Layer
}

// NewRouter returns a router without routes.
func NewRouter() *Router {
	t := &Router{routes: new(routes)}
	t.routes.own = t.routes.answerOwn
	return t
}

// Handle registers a handler for a pattern. The request first passes the layers of the
// router and of the groups around, from the outermost on, each in their order, then these
// layers in theirs, and then comes to the handler.
//
// Registering is programming: Handle panics with an error when the pattern is malformed,
// conflicts with one that was registered before, or when h is nil. The error is a sentence
// that says which pattern, and where or why.
func (t *Router) Handle(pattern string, h Handler, layers ...Layer) {
	if h == nil {
		panic(fmt.Errorf("server: there is no handler for the pattern %q", pattern))
	}
	text, err := t.prefixed(pattern)
	if err != nil {
		panic(err)
	}
	p, err := parsePattern(text)
	if err != nil {
		panic(err)
	}
	added := newRoute(p, t.layered(wrap(h, layers)))
	if err := t.routes.host(p.host).add(added); err != nil {
		panic(err)
	}
}

// Group returns a router whose routes are registered with this one: their paths begin with
// prefix, and their requests pass layers, behind those of this router. The prefix is
// "[HOST]/[PATH]" with segments as in a pattern, or "" to share nothing but layers; whether its
// path ends in a slash makes no difference. So "GET /items/{id}" in the group "/shops/{shop}" is
// "GET /shops/{shop}/items/{id}". Group panics with an error when the prefix is malformed.
//
// What a group answers is what the whole router answers; its layers are not asked for the
// router's own answers.
func (t *Router) Group(prefix string, layers ...Layer) *Router {
	group := &Router{routes: t.routes, parent: t, host: t.host, prefix: t.prefix, layers: slices.Clone(layers)}
	if prefix == "" {
		return group
	}
	if strings.ContainsAny(prefix, " \t") {
		panic(fmt.Errorf("server: the prefix %q of a group has a method or a space; methods belong to its routes", prefix))
	}
	if strings.Contains(prefix, "/") && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	text, err := t.prefixed(prefix)
	if err != nil {
		panic(err)
	}
	p, err := parsePattern(text)
	if err != nil {
		panic(err)
	}
	group.host, group.prefix = p.host, text[len(p.host):len(text)-1]
	return group
}

// prefixed returns a pattern with the host and the prefix of the router's groups.
func (t *Router) prefixed(pattern string) (string, error) {
	if t.host == "" && t.prefix == "" {
		return pattern, nil
	}
	method, host, path, err := splitPattern(pattern)
	if err != nil {
		return "", err
	}
	if host != "" && t.host != "" {
		return "", fmt.Errorf("server: the pattern %q has a host, in a group that has the host %q", pattern, t.host)
	}
	if method != "" {
		method += " "
	}
	return method + host + t.host + t.prefix + path, nil
}

// Use adds layers, behind those that the router has. They are for the routes that are registered
// from now on, with the router or with a group of it, and, unless the router is a group, for
// all of the router's own answers; [Request.Pattern] is "" there.
func (t *Router) Use(layers ...Layer) {
	t.layers = append(t.layers, layers...)
	if t.parent == nil {
		t.routes.own = t.layered(t.routes.answerOwn)
	}
}

// layered puts the layers of the router and of the groups around in front of h.
func (t *Router) layered(h Handler) Handler {
	for ; t != nil; t = t.parent {
		h = wrap(h, t.layers)
	}
	return h
}

// wrap puts layers in front of h; the first is the outermost.
func wrap(h Handler, layers []Layer) Handler {
	for _, layer := range slices.Backward(layers) {
		if h = layer(h); h == nil {
			panic(errors.New("server: a layer has made no handler"))
		}
	}
	return h
}

// Answer is the router as a [Handler].
func (t *Router) Answer(r *Request) Response {
	head := r.head()
	path, encoded := r.sentPath(head.Target)
	r.route = t.routes.find(head.Host, &lookup{method: head.Method, path: path, encoded: encoded})
	if r.route == nil {
		return t.routes.own(r)
	}
	return r.route.handler(r)
}
