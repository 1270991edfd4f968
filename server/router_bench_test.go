package server

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// githubPatterns returns the routes of GitHub's API, a real one and a large one.
func githubPatterns(t testing.TB) (patterns []string) {
	routes, err := os.ReadFile("testdata/github-routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(routes)) {
		methods, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		for method := range strings.SplitSeq(methods, ",") {
			patterns = append(patterns, method+" "+path)
		}
	}
	return patterns
}

type methodAndTarget struct{ method, target string }

var braces = regexp.MustCompile(`\{[^}]*\}`)

// githubRequests returns a request for each of the patterns.
func githubRequests(patterns []string) (requests []methodAndTarget) {
	for _, pattern := range patterns {
		method, path, _ := strings.Cut(pattern, " ")
		target := braces.ReplaceAllStringFunc(path, func(wildcard string) string {
			switch wildcard {
			case "{$}":
				return ""
			case "{owner}", "{org}", "{username}":
				return "octocat"
			case "{repo}":
				return "hello-world"
			case "{path...}", "{ref...}":
				return "heads/main"
			}
			return "1347"
		})
		requests = append(requests, methodAndTarget{method, target})
	}
	return requests
}

// BenchmarkRouter cycles through a request for each of the routes of GitHub's shape. Match is
// the look-up alone, answer all that the router does for a request, and ServeMux the same of
// net/http. The memory of the request is used again each time, as the server does it.
func BenchmarkRouter(b *testing.B) {
	patterns := githubPatterns(b)
	requests := githubRequests(patterns)
	router := NewRouter()
	for _, pattern := range patterns {
		router.Handle(pattern, func(*Request) Response { return Response{} })
	}
	r := routerRequest(http.MethodGet, "api.example", "/")
	take := func(i int) {
		head, request := r.head(), &requests[i%len(requests)]
		head.Method, head.Target, r.path = request.method, request.target, request.target
	}
	b.Run("match", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			take(i)
			if router.routes.find("api.example", &lookup{method: r.head().Method, path: r.path}) == nil {
				b.Fatalf("%s should have a route", r.Target())
			}
		}
	})
	b.Run("answer", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			take(i)
			router.Answer(r)
		}
	})
	b.Run("ServeMux", func(b *testing.B) {
		mux := http.NewServeMux()
		for _, pattern := range patterns {
			mux.HandleFunc(pattern, func(http.ResponseWriter, *http.Request) {})
		}
		r, err := http.NewRequest(http.MethodGet, "http://api.example/", nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			request := &requests[i%len(requests)]
			r.Method, r.URL.Path = request.method, request.target
			mux.ServeHTTP(nil, r)
		}
	})
}
