package server

import (
	"testing"
)

// The most specific pattern is found whatever the order in which they are added.
func TestMostSpecificWins(t *testing.T) {
	patterns := []string{
		"/", "/{$}", "/a", "/a/", "/a/{$}", "/a/{x}", "/a/b", "/a/{x}/c", "/a/b/{y}/d", "/a/{x}/{y}/e", "/{x}/", "/s/{x}/", "/s/{x}/u/v",
	}
	want := map[string]string{
		"/": "/{$}", "/a": "/a", "/b": "/", "/a/": "/a/{$}", "/a/b": "/a/b", "/a/c": "/a/{x}", "/a/b/c": "/a/{x}/c",
		"/a/b/c/d": "/a/b/{y}/d", "/a/b/c/e": "/a/{x}/{y}/e", "/a/b/c/f": "/a/", "/a/b/": "/a/", "/b/": "/{x}/", "/b/c": "/{x}/",
		"/s/t": "/{x}/", "/s/t/": "/s/{x}/", "/s/t/u": "/s/{x}/", "/s/t/u/v": "/s/{x}/u/v", "/s/t/u/v/": "/s/{x}/",
		"/%61": "/a", "/%61/%62": "/a/b", "/a/%2F": "/a/{x}", "/a/b%2Fc": "/a/{x}", "/a%2Fb": "/", "/a/%2e%2e": "/a/{x}",
	}
	for rotation := range patterns {
		var host hostRoutes
		for i := range patterns {
			p, err := parsePattern(patterns[(i+rotation)%len(patterns)])
			if err != nil {
				t.Fatal(err)
			}
			if err := host.add(newRoute(p, hello)); err != nil {
				t.Fatal(err)
			}
		}
		for path, pattern := range want {
			found := host.tree.match(&lookup{method: "GET", path: path, encoded: true}, 0)
			if found == nil || found.pattern.text != pattern {
				t.Errorf("the path %s should be matched by %s; in rotation %d the match is %+v", path, pattern, rotation, found)
			}
		}
		for _, path := range []string{"//", "//a", "/a//", "/a//b", "/./a", "/a/..", "/a/b/../b", "/a/b/c/f/./g", "/s/t/u//", "/s/t/.", "/b/c//d"} {
			if found := host.tree.match(&lookup{method: "GET", path: path}, 0); found != nil {
				t.Errorf("the path %s is not clean, so that nothing should match it; %s does", path, found.pattern.text)
			}
		}
	}
}

func TestMatchWithASlashBehindThePath(t *testing.T) {
	var host hostRoutes
	for _, text := range []string{"/a/", "/a/b/{$}", "/b/c/{r...}", "/{x}/", "/d"} {
		p, err := parsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := host.add(newRoute(p, hello)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		path, want string
		all        bool
	}{
		{"/a", "/a/", true}, {"/a/b", "/a/b/{$}", true}, {"/a/d", "/a/", false}, {"/b/c", "/b/c/{r...}", true},
		{"/b/c/d", "/b/c/{r...}", false}, {"/d", "/{x}/", true}, {"/b", "/{x}/", true}, {"/b/d", "/{x}/", false},
	} {
		path := &lookup{method: "GET", path: c.path, slash: true}
		found := host.tree.match(path, 0)
		switch {
		case found == nil && c.want != "", found != nil && found.pattern.text != c.want:
			t.Errorf("the path %s with a slash behind it should be matched by %q; the match is %+v", c.path, c.want, found)
		case found != nil && found.matchesAll(path) != c.all:
			t.Errorf("that %s matches all of %s/ should be %v", c.want, c.path, c.all)
		}
		if with := host.tree.match(&lookup{method: "GET", path: c.path + "/"}, 0); with != found {
			t.Errorf("a slash that is thought behind %s should match as one that is there, %+v, and matches %+v", c.path, with, found)
		}
	}
}
