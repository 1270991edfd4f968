package server

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/parser"
)

// routerRequest returns a request as the core would hand it to a handler, or nil when it would
// refuse it.
func routerRequest(method, host, target string) *Request {
	x := new(exchange)
	x.newRequest()
	x.parser.Init(parser.Request, nil)
	x.parser.Feed([]byte(method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n"))
	if event, err := x.parser.Next(); event != parser.HeadReady || err != nil {
		return nil
	}
	head := x.parser.Head()
	if head.Method != method || head.Target != target || head.Fields.Len() != 1 {
		return nil
	}
	x.request.ended = false
	if x.checkHead(head) != nil {
		return nil
	}
	return x.request
}

// routed is what a router makes of a request.
type routed struct {
	status          int
	pattern         string
	values          string // of the wildcards
	location, allow string
}

// ask has a router answer a request.
func (t *Router) ask(method, host, target string) routed {
	r := routerRequest(method, host, target)
	answer := t.Answer(r)
	got := routed{status: answer.Status(), pattern: r.Pattern()}
	if err, ok := answer.Err().(*Error); ok {
		got.status = err.Code
	}
	got.location, _ = answer.Field("Location")
	got.allow, _ = answer.Field("Allow")
	if r.route != nil {
		for _, part := range r.route.pattern.parts {
			if part.kind != partLiteral && part.name != "" {
				got.values += part.name + "=" + r.PathValue(part.name) + " "
			}
		}
	}
	return got
}

func newRouter(patterns ...string) *Router {
	t := NewRouter()
	for _, p := range patterns {
		t.Handle(p, hello)
	}
	return t
}

func TestRouterChoosesByMethodHostAndPath(t *testing.T) {
	router := newRouter("GET /a", "POST /a", "/b", "GET h.example/a", "h.example/c", "GET /{x}/d/{y...}", "HEAD /e", "GET /e", "/i", "GET /i", "HEAD /i", "GET /f", "/f", "[::1]/g", "::1/g", "GET /{$}")
	for _, c := range []struct {
		method, host, target string
		want                 routed
	}{
		{"GET", "t", "/", routed{status: 200, pattern: "GET /{$}"}},
		{"GET", "t", "/a", routed{status: 200, pattern: "GET /a"}},
		{"GET", "t", "/a?b/c", routed{status: 200, pattern: "GET /a"}},
		{"GET", "t", "/a?", routed{status: 200, pattern: "GET /a"}},
		{"POST", "t", "/a", routed{status: 200, pattern: "POST /a"}},
		{"HEAD", "t", "/a", routed{status: 200, pattern: "GET /a"}},
		{"HEAD", "t", "/e", routed{status: 200, pattern: "HEAD /e"}},
		{"HEAD", "t", "/i", routed{status: 200, pattern: "HEAD /i"}},
		{"GET", "t", "/i", routed{status: 200, pattern: "GET /i"}},
		{"PUT", "t", "/i", routed{status: 200, pattern: "/i"}},
		{"BREW", "t", "/b", routed{status: 200, pattern: "/b"}},
		{"OPTIONS", "t", "/b", routed{status: 200, pattern: "/b"}},
		{"GET", "t", "/f", routed{status: 200, pattern: "GET /f"}},
		{"HEAD", "t", "/f", routed{status: 200, pattern: "GET /f"}},
		{"PUT", "t", "/f", routed{status: 200, pattern: "/f"}},
		{"GET", "h.example", "/a", routed{status: 200, pattern: "GET h.example/a"}},
		{"GET", "h.example:80", "/a", routed{status: 200, pattern: "GET h.example/a"}},
		{"GET", "h.example:", "/a", routed{status: 200, pattern: "GET h.example/a"}},
		{"GET", "H.Example", "/a", routed{status: 200, pattern: "GET h.example/a"}},
		{"POST", "h.example", "/a", routed{status: 200, pattern: "POST /a"}},
		{"GET", "h.example", "/c", routed{status: 200, pattern: "h.example/c"}},
		{"GET", "t", "http://h.example/c", routed{status: 200, pattern: "h.example/c"}},
		{"GET", "h.example", "http://t/c", routed{status: 404}},
		{"GET", "t", "http://t?a", routed{status: 200, pattern: "GET /{$}"}},
		{"GET", "[::1]", "/g", routed{status: 200, pattern: "[::1]/g"}},
		{"GET", "[::1]:80", "/g", routed{status: 200, pattern: "::1/g"}},
		{"GET", "t", "/1%2F2/d/3/4%20", routed{status: 200, pattern: "GET /{x}/d/{y...}", values: "x=1/2 y=3/4  "}},
		{"GET", "t", "/%64/%64/", routed{status: 200, pattern: "GET /{x}/d/{y...}", values: "x=d y= "}},
		{"GET", "t", "http://t/1/d/2?3", routed{status: 200, pattern: "GET /{x}/d/{y...}", values: "x=1 y=2 "}},
	} {
		if got := router.ask(c.method, c.host, c.target); got != c.want {
			t.Errorf("%s %s for %s should be %+v, and is %+v", c.method, c.target, c.host, c.want, got)
		}
	}
}

// What a request has of its route does not pass to the next one on its connection.
func TestRouteEndsWithItsRequest(t *testing.T) {
	router := NewRouter()
	var seen []string
	note := func(r *Request) Response {
		seen = append(seen, r.Pattern()+" "+r.PathValue("x")+r.PathValue("none"))
		return Empty(200)
	}
	router.Handle("/a/{x}", note)
	h := func(r *Request) Response {
		if r.Path() == "/direct" {
			return note(r)
		}
		return router.Answer(r)
	}
	request := "GET %s HTTP/1.1\r\nHost: test\r\n\r\n"
	var input string
	for _, target := range []string{"/a/1", "/direct", "/a/2%203"} {
		input += strings.Replace(request, "%s", target, 1)
	}
	answer(t, input, h, Options{})
	if want := []string{"/a/{x} 1", " ", "/a/{x} 2 3"}; !slices.Equal(seen, want) {
		t.Errorf("the patterns and values of three requests on one connection should be %q, and are %q", want, seen)
	}
}

// tell is a layer that adds its name to a trail.
func tell(trail *[]string, name string) Layer {
	return func(next Handler) Handler {
		return func(r *Request) Response {
			*trail = append(*trail, name)
			return next(r)
		}
	}
}

func TestLayersGoFromTheOutermostIn(t *testing.T) {
	var trail []string
	layer := func(name string) Layer { return tell(&trail, name) }
	router := NewRouter()
	router.Handle("/early", hello)
	group := router.Group("/g", layer("g1"), layer("g2"))
	router.Use(layer("u1"), layer("u2"))
	group.Handle("/a", hello, layer("r1"), layer("r2"))
	inner := group.Group("/{i}/", layer("i1"))
	group.Use(layer("g3"))
	inner.Handle("GET /a", hello)
	inner.Group("", layer("j1")).Handle("PUT h.example/b", hello)
	router.Use(layer("u3"))
	router.Handle("/late", hello)
	group.Use(layer("g4")) // for no route, and not for the router's own answers
	for _, c := range []struct{ method, target, pattern, trail string }{
		{"GET", "/early", "/early", ""},
		{"GET", "/g/a", "/g/a", "u1 u2 g1 g2 r1 r2"},
		{"GET", "/g/1/a", "GET /g/{i}/a", "u1 u2 g1 g2 g3 i1"},
		{"PUT", "/g/1/b", "PUT h.example/g/{i}/b", "u1 u2 g1 g2 g3 i1 j1"},
		{"GET", "/late", "/late", "u1 u2 u3"},
		{"GET", "/g/none/none", "", "u1 u2 u3"},
		{"PUT", "/g/1/a", "", "u1 u2 u3"},
		{"GET", "/g//a", "", "u1 u2 u3"},
		{"OPTIONS", "/g/1/a", "", "u1 u2 u3"},
	} {
		trail = nil
		got := router.ask(c.method, "h.example", c.target)
		if got.pattern != c.pattern || strings.Join(trail, " ") != c.trail {
			t.Errorf("%s %s should be answered by %q behind the layers %q; it was by %q behind %q", c.method, c.target, c.pattern, c.trail, got.pattern, trail)
		}
		if again := inner.ask(c.method, "h.example", c.target); again != got {
			t.Errorf("a group answers %s %s with %+v, and its router with %+v", c.method, c.target, again, got)
		}
	}
}

func TestGroupsWithHosts(t *testing.T) {
	router := NewRouter()
	router.Group("h.example/").Group("/a").Handle("GET /b", hello)
	router.Group("/").Handle("/c", hello)
	router.Group("/d").Handle("/", hello)
	for target, want := range map[string]string{"/a/b": "GET h.example/a/b", "/c": "/c", "/d/": "/d/", "/d/e": "/d/"} {
		if got := router.ask("GET", "h.example", target); got.pattern != want {
			t.Errorf("%s should be answered by the pattern %q, and is by %+v", target, want, got)
		}
	}
}

func TestRegistrationsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		register func(*Router)
		why      string
	}{
		"malformed":                {func(t *Router) { t.Handle("GET /{x", hello) }, `the pattern "GET /{x" is malformed at offset 5`},
		"conflict":                 {func(t *Router) { t.Handle("/{x}", hello); t.Handle("/{y}", hello) }, `the patterns "/{y}" and "/{x}" conflict: they match the same requests`},
		"conflict across groups":   {func(t *Router) { t.Handle("/a/b", hello); t.Group("/a").Handle("/b", hello) }, `the patterns "/a/b" and "/a/b" conflict`},
		"nil handler":              {func(t *Router) { t.Handle("/a", nil) }, `no handler for the pattern "/a"`},
		"layer without handler":    {func(t *Router) { t.Handle("/a", hello, func(Handler) Handler { return nil }) }, "a layer has made no handler"},
		"prefix with method":       {func(t *Router) { t.Group("GET /a") }, `the prefix "GET /a" of a group has a method or a space`},
		"prefix that ends in rest": {func(t *Router) { t.Group("/a/{x...}") }, `the pattern "/a/{x...}/" is malformed at offset 3: nothing can follow {x...}`},
		"prefix without a path":    {func(t *Router) { t.Group("a") }, "a path that begins with a slash was expected"},
		"host in host":             {func(t *Router) { t.Group("a/").Group("b/c") }, `the pattern "b/c/" has a host, in a group that has the host "a"`},
		"pattern of a group":       {func(t *Router) { t.Group("/a").Handle("b", hello) }, `the pattern "b" is malformed`},
		"name twice":               {func(t *Router) { t.Group("/{x}").Handle("/{x}", hello) }, `the pattern "/{x}/{x}" is malformed at offset 5: there are two wildcards`},
	} {
		router := NewRouter()
		err := registered(func() { c.register(router) })
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: the error should say %q, and is %v", name, c.why, err)
		}
	}
}

// A pattern that was refused has left nothing behind.
func TestRefusedPatternMatchesNothing(t *testing.T) {
	router := newRouter("GET /a")
	if registered(func() { router.Handle("GET /%61", greetOther) }) == nil {
		t.Fatal("a pattern for the same requests should be refused")
	}
	if got := router.Answer(routerRequest("GET", "t", "/a")); got.text != hello(nil).text {
		t.Errorf("a refused registration should change nothing, and the answer is %q", got.text)
	}
}

func greetOther(*Request) Response { return Text(200, "other") }

// HOSTILE 45.
func TestPanicInARouteIsAnswered(t *testing.T) {
	router := NewRouter()
	router.Handle("/a", func(*Request) Response { panic("on purpose") })
	got, _, _ := answer(t, strings.Replace(getRequest, "/", "/a", 1)+getRequest, router.Answer, Options{})
	if !strings.HasPrefix(got, "HTTP/1.1 500 ") || !strings.Contains(got, "HTTP/1.1 404 ") {
		t.Errorf("a route that panics should be answered with 500, and the next request as ever:\n%s", got)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	router := NewRouter()
	empty := func(*Request) Response { return Empty(http.StatusNoContent) }
	for _, p := range []string{"GET /", "GET /a/{x}/b", "GET /a/b/c", "GET /a/{r...}", "h.example/{x}"} {
		router.Handle(p, empty)
	}
	for target, want := range map[string]string{"/": "GET /", "/z/z": "GET /", "/a/1/b": "GET /a/{x}/b", "/a/b/b": "GET /a/{x}/b", "/a/%62/%63": "GET /a/b/c", "/a/b/d": "GET /a/{r...}", "/x": "h.example/{x}"} {
		r := routerRequest("GET", "h.example:80", target)
		if n := testing.AllocsPerRun(100, func() { router.Answer(r) }); n != 0 || r.Pattern() != want {
			t.Errorf("%s should be matched by %s without an allocation; it is by %s, with %v", target, want, r.Pattern(), n)
		}
		if n := testing.AllocsPerRun(100, func() { _ = r.PathValue("x") }); n != 0 {
			t.Errorf("the value of a wildcard in %s that is not encoded should cost no allocation, and costs %v", target, n)
		}
	}
}

// What a match costs is bounded by the routes, however a client makes up its paths.
func TestPathsWithManySegments(t *testing.T) {
	router := newRouter("/{a}/b/{c}/d", "/a/{b}/c/e", "/{a}/{r...}")
	for _, target := range []string{strings.Repeat("/a/b/c/d", 100), strings.Repeat("/a", 400), "/%61" + strings.Repeat("/%62", 400)} {
		if got := router.ask("GET", "t", target); got.pattern != "/{a}/{r...}" {
			t.Errorf("%.20s... should be matched by the last pattern, and is by %+v", target, got)
		}
	}
	if got := router.ask("GET", "t", strings.Repeat("/", 800)); got != (routed{status: 307, location: "/"}) {
		t.Errorf("800 slashes should be redirected to one, and the answer is %+v", got)
	}
}
