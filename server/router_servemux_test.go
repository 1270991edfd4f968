package server

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// The router against the ServeMux of net/http: both take and refuse the same patterns, choose the
// same one, find the same values in a path, and answer with the same status and to the same place
// where there is none. What differs on purpose is listed at Router.

// muxPair is a router and a ServeMux with the same routes.
type muxPair struct {
	router *Router
	mux    *http.ServeMux
	names  map[string][]string // of the wildcards of each pattern

	refused error // the last pattern, or nil
}

func newMuxPair(t testing.TB, patterns []string) *muxPair {
	m := &muxPair{router: NewRouter(), mux: http.NewServeMux(), names: map[string][]string{}}
	for _, text := range patterns {
		if neverMatches(text) || takesSlashForEnd(text) {
			continue
		}
		err := registered(func() { m.router.Handle(text, hello) })
		muxErr := registered(func() { m.mux.HandleFunc(text, m.tell) })
		if (err == nil) != (muxErr == nil) {
			t.Fatalf("of %q, the pattern %q gives %v, and for ServeMux %v", patterns, text, err, muxErr)
		}
		if err == nil {
			m.names[text] = wildcardNames(text)
		} else {
			m.refused = err
		}
	}
	return m
}

// takesSlashForEnd says whether ServeMux takes a segment of the path for {$} that is nothing
// but an encoded slash.
func takesSlashForEnd(text string) bool {
	return strings.Contains(strings.ToLower(text)+"/", "/%2f/")
}

func wildcardNames(text string) (names []string) {
	p, err := parsePattern(text)
	if err != nil {
		return nil
	}
	for _, part := range p.parts {
		if part.kind != partLiteral && part.name != "" {
			names = append(names, part.name)
		}
	}
	return names
}

// tell is the handler of all of the ServeMux's routes.
func (m *muxPair) tell(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Pattern", r.Pattern)
	var values string
	for _, name := range m.names[r.Pattern] {
		values += name + "=" + r.PathValue(name) + " "
	}
	w.Header().Set("Values", values)
}

// compare has both answer a request. It says false for one that either would refuse before.
func (m *muxPair) compare(t testing.TB, method, host, target string) bool {
	u, err := url.ParseRequestURI(target)
	request := routerRequest(method, host, target)
	if err != nil || request == nil || takesSlashForEnd(withoutQuery(target)) || u.EscapedPath() != withoutQuery(target) {
		return false
	}
	if request.Host() != host { // the parser has taken white space, or the end of the head, from it; ServeMux takes all of it
		return false
	}
	if target[0] != '/' || strings.ToLower(host) != host || method == http.MethodConnect {
		return false
	}
	recorder := httptest.NewRecorder()
	m.mux.ServeHTTP(recorder, &http.Request{Method: method, URL: u, Host: host, RequestURI: target, ProtoMajor: 1, ProtoMinor: 1})
	header := recorder.Header()
	want := routed{status: recorder.Code, pattern: header.Get("Pattern"), values: header.Get("Values"), allow: header.Get("Allow"), location: header.Get("Location")}
	got := m.router.ask(method, host, target)
	if want.status == http.StatusMethodNotAllowed {
		want.allow = sortedMethods(strings.Split(want.allow, ", "))
		if method == http.MethodOptions {
			want.status = http.StatusNoContent
		}
	}
	if want.location != "" && sameLocation(got.location, want.location, target) {
		want.location = got.location
	}
	if got != want {
		t.Errorf("with the patterns %q, %s %s for %q gives %+v, and with ServeMux %+v", m.patterns(), method, target, host, got, want)
	}
	return true
}

func (m *muxPair) patterns() (texts []string) {
	for text := range m.names {
		texts = append(texts, text)
	}
	return texts
}

func withoutQuery(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path
}

// sameLocation compares two locations but for the percent-encoding: ServeMux encodes that once
// more, or has decoded it before.
func sameLocation(got, mux, target string) bool {
	if encoded := strings.ToLower(withoutQuery(target)); strings.Contains(encoded, "%2f") || strings.Contains(encoded, "%2e") {
		return got != ""
	}
	gotPath, gotQuery, _ := strings.Cut(got, "?")
	muxPath, muxQuery, _ := strings.Cut(mux, "?")
	decoded, err := url.PathUnescape(gotPath)
	muxDecoded, muxErr := url.PathUnescape(muxPath)
	return err == nil && muxErr == nil && gotQuery == muxQuery && (muxDecoded == gotPath || muxDecoded == decoded)
}

func TestRouterAgainstServeMux(t *testing.T) {
	const seed = 20261122
	random := rand.New(rand.NewPCG(seed, 1))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	answers := map[bool]int{}
	for round := range 1500 {
		patterns := make([]string, 1+random.IntN(12))
		for i := range patterns {
			patterns[i] = randomPattern(random)
		}
		m := newMuxPair(t, patterns)
		for range 20 {
			target := ""
			for range 1 + random.IntN(5) {
				target += "/" + pick("a", "b", "a", "b", "c", "d.e", "x", "%61", "a%2Fb", "%20", ".", "..", "")
			}
			method := pick("GET", "GET", "POST", "HEAD", "OPTIONS", "PUT", "TRACE")
			answers[m.compare(t, method, pick("t", "h", "h:80", "h.example", ""), target+pick("", "", "/", "?q=/%2F"))]++
		}
		if t.Failed() {
			t.Fatalf("round %d of seed %d", round, seed)
		}
	}
	if answers[true] < 10*answers[false] {
		t.Errorf("most requests should be ones that both answer; there were %d, and %d others", answers[true], answers[false])
	}
}

func FuzzRouterAgainstServeMux(f *testing.F) {
	f.Add("GET /\nPOST /a/{x}\n/a/b", "GET", "h", "/a/b")
	f.Add("/a/\n/a/{$}\nGET /a/{x...}", "HEAD", "h:80", "/a?x=y")
	f.Add("h/{x}/b\n/a/{y}\nOPTIONS /", "OPTIONS", "h", "/a//b/../c")
	f.Add("/{a}/{b}/{c...}\n/x/%61/{d}\nDELETE /x/a/{e}", "DELETE", "", "/x/%61/a%2Fb%20")
	f.Add("GET /a/b/{$}\nPUT /a/\n/{x}", "PUT", "[::1]:1", "/a/b")
	f.Fuzz(func(t *testing.T, patterns, method, host, target string) {
		if len(patterns) > 1000 || len(target) > 1000 {
			return
		}
		newMuxPair(t, strings.Split(patterns, "\n")).compare(t, method, host, target)
	})
}

// The routes of a real interface, all of them and all at once.
func TestGitHubRoutes(t *testing.T) {
	patterns := githubPatterns(t)
	m := newMuxPair(t, patterns)
	if len(m.names) != len(patterns) || len(patterns) < 500 {
		t.Fatalf("all of the %d patterns should be taken, at least 500; %d were: %v", len(patterns), len(m.names), m.refused)
	}
	for _, request := range githubRequests(patterns) {
		for _, method := range []string{request.method, "HEAD", "OPTIONS", "BREW"} {
			for _, target := range []string{request.target, request.target + "/", request.target + "//x", request.target + "?x"} {
				if !m.compare(t, method, "api.example", target) {
					t.Fatalf("%s %s should be answered", method, target)
				}
			}
		}
		if got := m.router.ask(request.method, "api.example", request.target); got.pattern == "" {
			t.Errorf("%s %s should have a route, and is answered with %+v", request.method, request.target, got)
		}
	}
}
