package server

import (
	"net/url"
	"strings"
)

// splitTarget takes a request-target apart (RFC 9112, section 3.2): the decoded
// path and the raw query. The parser has checked its form and characters.
func splitTarget(target string) (path, query string, err error) {
	if target == "/" {
		return target, "", nil
	}
	if target == "" || target[0] != '/' {
		target = stripAuthority(target)
	}
	path, query, _ = strings.Cut(target, "?")
	if strings.IndexByte(path, '%') < 0 {
		return path, query, nil
	}
	decoded, err := url.PathUnescape(path)
	if err != nil {
		return "", "", &Error{Code: 400, Message: "The request-target's path has a broken percent-encoding."}
	}
	return decoded, query, nil
}

// stripAuthority makes an origin-form of an absolute-form; "*" stays.
func stripAuthority(target string) string {
	_, rest, absolute := strings.Cut(target, "://")
	if !absolute {
		return target
	}
	end := strings.IndexAny(rest, "/?")
	switch {
	case end < 0:
		return "/"
	case rest[end] == '?':
		return "/" + rest[end:]
	}
	return rest[end:]
}
