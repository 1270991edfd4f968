package service

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRoutesAreThoseOfTheRoutersTests(t *testing.T) {
	routes, err := ReadRoutes("../../../server/testdata/github-routes.txt")
	if err != nil {
		t.Fatalf("the routes are not read: %v", err)
	}
	if len(routes) < 500 {
		t.Errorf("there are %d routes, expected at least 500", len(routes))
	}
	commit := Route{"GET", "/repos/{owner}/{repo}/git/commits/{commit_sha}"}
	for _, route := range routes {
		if route == commit {
			return
		}
	}
	t.Errorf("there is no %v among the routes, which a scenario asks for", commit)
}

func TestRoutesThatAreNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "routes")
	for _, text := range []string{"", "GET", "GET path", "GET /{$}"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if routes, err := ReadRoutes(file); err == nil {
			t.Errorf("%q gives the routes %v, expected an error", text, routes)
		}
	}
	if _, err := ReadRoutes(file + "-missing"); err == nil {
		t.Error("a file that is not there gives no error, expected one")
	}
}

func TestPathsInOtherSyntaxes(t *testing.T) {
	route := Route{"GET", "/repos/{owner}/contents/{path...}"}
	if path := route.PathWith(":NAME", "*NAME"); path != "/repos/:owner/contents/*path" {
		t.Errorf("the path is %s, expected /repos/:owner/contents/*path", path)
	}
	if name := route.LastName(); name != "path" {
		t.Errorf("the last wildcard is %q, expected path", name)
	}
	if name := (Route{"GET", "/emojis"}).LastName(); name != "" {
		t.Errorf("the last wildcard of a path without any is %q, expected none", name)
	}
}
