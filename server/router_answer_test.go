package server

import (
	"strings"
	"testing"
)

func TestOwnAnswers(t *testing.T) {
	router := newRouter("GET /a/", "POST /a/{$}", "GET /b", "PUT /b", "/c/d/", "DELETE h.example/b", "GET /e/{x}/{$}", "OPTIONS /f", "GET /f", "GET /g/{x}", "PATCH /g/{x}/")
	for _, c := range []struct {
		method, host, target string
		want                 routed
	}{
		{"GET", "t", "/none", routed{status: 404}},
		{"OPTIONS", "t", "/none", routed{status: 404}},
		{"GET", "t", "/a", routed{status: 307, location: "/a/"}},
		{"GET", "t", "/a?x=/y?", routed{status: 307, location: "/a/?x=/y?"}},
		{"GET", "t", "/%61", routed{status: 307, location: "/%61/"}},
		{"POST", "t", "/a", routed{status: 307, location: "/a/"}},
		{"PUT", "t", "/a", routed{status: 405, allow: "GET, HEAD, OPTIONS, POST"}},
		{"PUT", "t", "/a/", routed{status: 405, allow: "GET, HEAD, OPTIONS, POST"}},
		{"PUT", "t", "/a/b", routed{status: 405, allow: "GET, HEAD, OPTIONS"}},
		{"OPTIONS", "t", "/a", routed{status: 204, allow: "GET, HEAD, OPTIONS, POST"}},
		{"GET", "t", "/e/1", routed{status: 307, location: "/e/1/"}},
		{"GET", "t", "/e/1%2F2", routed{status: 307, location: "/e/1%2F2/"}},
		{"POST", "t", "/b", routed{status: 405, allow: "GET, HEAD, OPTIONS, PUT"}},
		{"POST", "h.example", "/b", routed{status: 405, allow: "DELETE, GET, HEAD, OPTIONS, PUT"}},
		{"OPTIONS", "t", "/b", routed{status: 204, allow: "GET, HEAD, OPTIONS, PUT"}},
		{"get", "t", "/b", routed{status: 405, allow: "GET, HEAD, OPTIONS, PUT"}},
		{"POST", "t", "/f", routed{status: 405, allow: "GET, HEAD, OPTIONS"}},
		{"OPTIONS", "t", "/f", routed{status: 200, pattern: "OPTIONS /f"}},
		{"POST", "t", "/g/1", routed{status: 405, allow: "GET, HEAD, OPTIONS, PATCH"}},
		{"PATCH", "t", "/g/1", routed{status: 307, location: "/g/1/"}},
		{"GET", "t", "/c/d", routed{status: 307, location: "/c/d/"}},
		{"GET", "t", "//b", routed{status: 307, location: "/b"}},
		{"GET", "t", "/x/../b?y", routed{status: 307, location: "/b?y"}},
		{"GET", "t", "/x/..//c/./d", routed{status: 307, location: "/c/d/"}},
		{"GET", "t", "/none/.", routed{status: 307, location: "/none"}},
		{"POST", "t", "/../../b/", routed{status: 307, location: "/b/"}},
		{"GET", "t", "/.", routed{status: 307, location: "/"}},
		{"OPTIONS", "t", "/./b", routed{status: 307, location: "/b"}},
		{"GET", "t", "http://t//b", routed{status: 307, location: "/b"}},
		{"OPTIONS", "t", "*", routed{status: 204}},
	} {
		if got := router.ask(c.method, c.host, c.target); got != c.want {
			t.Errorf("%s %s for %s should be %+v, and is %+v", c.method, c.target, c.host, c.want, got)
		}
	}
}

func TestServerWideOptions(t *testing.T) {
	for want, router := range map[string]*Router{
		"OPTIONS":                         newRouter(),
		"OPTIONS, PUT":                    newRouter("PUT /a", "PUT /b"),
		"DELETE, GET, HEAD, OPTIONS, PUT": newRouter("PUT /a", "GET h/b", "DELETE i/c"),
		"":                                newRouter("PUT /a", "h/b"),
	} {
		if got := router.ask("OPTIONS", "t", "*"); got != (routed{status: 204, allow: want}) {
			t.Errorf("OPTIONS * should be answered with 204 and the methods %q, and is with %+v", want, got)
		}
	}
}

// HOSTILE 46. What a redirect says is never another server, and never decoded.
func TestRedirectsStayOnTheServer(t *testing.T) {
	router := newRouter("/")
	for target, want := range map[string]string{
		"//evil.example":           "/evil.example",
		"//evil.example/%2e%2e":    "/evil.example/%2e%2e",
		"/./\\evil.example":        "/%5Cevil.example",
		"/.//\\\\evil.example":     "/%5C%5Cevil.example",
		"//\"<>^`{|}":              "/%22%3C%3E%5E%60%7B%7C%7D",
		"/..//%2F%2Fevil.example/": "/%2F%2Fevil.example/",
		"//a%0d%0aSet-Cookie:%20b": "/a%0d%0aSet-Cookie:%20b",
		"/x/../..//a!$&'()*+,;=:@": "/a!$&'()*+,;=:@",
	} {
		if got := router.ask("GET", "t", target); got.status != 307 || got.location != want {
			t.Errorf("%s should be redirected to %s, and the answer is %+v", target, want, got)
		}
	}
}

// The answers that the router gives itself, on the wire.
func TestOwnAnswersOnTheWire(t *testing.T) {
	router := newRouter("GET /a", "GET /b/")
	var input string
	for _, line := range []string{"PUT /a", "OPTIONS /a", "OPTIONS *", "GET /b", "HEAD /a", "GET /c"} {
		input += line + " HTTP/1.1\r\nHost: test\r\n\r\n"
	}
	got, _, _ := answer(t, input, router.Answer, Options{})
	for _, want := range []string{
		"HTTP/1.1 405 Method Not Allowed\r\n", "Allow: GET, HEAD, OPTIONS\r\n", "HTTP/1.1 204 No Content\r\n",
		"HTTP/1.1 307 Temporary Redirect\r\n", "Location: /b/\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 404 Not Found\r\n", "There is nothing at this path.\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the answers should have %q:\n%s", want, got)
		}
	}
}
