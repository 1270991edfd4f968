package service

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// A Route is a method and a path as the ServeMux of net/http and Penstock's router write it:
// {name} stands for one segment, {name...} for all that is left.
type Route struct{ Method, Path string }

var wildcards = regexp.MustCompile(`\{([^}.]*)(\.\.\.)?\}`)

// ReadRoutes reads a file with a path and its methods in each line, as
// "GET,DELETE /gists/{gist_id}". "/{$}" is left out: GET / is the service's own.
func ReadRoutes(file string) ([]Route, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the routes cannot be read: %w", err)
	}
	var routes []Route
	for line := range strings.Lines(string(text)) {
		methods, path, found := strings.Cut(strings.TrimSpace(line), " ")
		if !found || !strings.HasPrefix(path, "/") {
			return nil, fmt.Errorf("%s has the line %q, expected methods, a space and a path", file, line)
		}
		if path == "/{$}" {
			continue
		}
		for method := range strings.SplitSeq(methods, ",") {
			routes = append(routes, Route{method, path})
		}
	}
	if len(routes) == 0 {
		return nil, fmt.Errorf("%s has no routes, expected some", file)
	}
	return routes, nil
}

// LastName returns the name of the path's last wildcard, whose value is what the route is
// answered with; "" when there is none, and the answer is empty.
func (r Route) LastName() string {
	all := wildcards.FindAllStringSubmatch(r.Path, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

// PathWith returns the path with each {name} written as one, and each {name...} as rest, in
// which NAME stands for the name.
func (r Route) PathWith(one, rest string) string {
	return wildcards.ReplaceAllStringFunc(r.Path, func(wildcard string) string {
		name, isRest := strings.CutSuffix(strings.Trim(wildcard, "{}"), "...")
		form := one
		if isRest {
			form = rest
		}
		return strings.ReplaceAll(form, "NAME", name)
	})
}
