package client

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/parser"
)

// FuzzRedirect holds the resolution of Location against a model, which is RFC 3986, section 5.2, to the letter, and the
// request that comes of it against a parser. Whatever an upstream says, what is sent is one request.
func FuzzRedirect(f *testing.F) {
	for i, location := range []string{
		"/y", "y?z#f", "?z", "#f", "", ".", "..", "../..", "../../../y", "./y/.", "y/..", "//b.test", "//b.test:81/y?z",
		"http://a.test/", "HTTP://A.test:80", "http:y", "http:///y", "https://a.test/", "http://u@a.test/", "//a.test:70000",
		"/a b\tc", "/\xc3\xa4?\xff", "/%2e%2e/%zz", "http://[::1]:81/", "http://[fe80::1%25e]/", "a:b", ":b", "/.//b", "\\\\b", "//", "?",
	} {
		f.Add(location, uint8(i))
	}
	f.Fuzz(func(t *testing.T, location string, choice uint8) {
		fields, ok := responseFields("Location: " + location + "\r\n")
		if !ok || fields.Len() != 2 {
			return
		}
		location = fields.Get("Location")
		base := fuzzedBases[int(choice)%len(fuzzedBases)]
		next, err := requestTo(t, "GET", base).follow(302, fields, 10)
		reference := splitReference(location)
		if reference.path == "%2A" {
			reference.path = "*" // package url never encodes a path that is one star, the target of OPTIONS
		}
		model := resolveReference(splitReference(base), reference)
		switch {
		case location == "":
			if next != nil || err != nil {
				t.Fatalf("without a Location the response should be the answer, and it gives %v, %v", next, err)
			}
			return
		case err != nil:
			if plain(location, model) {
				t.Fatalf("from %q, %q should lead to %+v, and is refused: %v", base, location, model, err)
			}
			return
		}
		if !model.plainlyHTTP() {
			t.Fatalf("from %q, %q should not be followed, and leads to %s", base, location, next.url)
		}
		checkSent(t, next)
		if plain(location, model) && (next.url.Host != model.authority || next.url.RequestURI() != model.target()) {
			t.Fatalf("from %q, %q should lead to %s and %s, and leads to %s and %s", base, location, model.authority, model.target(), next.url.Host, next.url.RequestURI())
		}
		keeps := strings.Contains(namesOf(next.fields), "Cookie")
		if same := model.origin() == splitReference(base).origin(); keeps != same {
			t.Fatalf("from %q, %q leads to the same origin is %v, and credentials are taken along is %v", base, location, same, keeps)
		}
	})
}

var fuzzedBases = []string{"http://a.test", "http://a.test/b/c/d?e#f", "http://a.test:8080/b/", "http://[::1]/b"}

// checkSent checks that a parser finds in what is sent what was meant, and nothing behind it.
func checkSent(t *testing.T, r *redirectable) {
	t.Helper()
	target := r.url.RequestURI()
	p := new(parser.Parser)
	p.Init(parser.Request, &parser.Limits{Target: 1 << 20, Head: 1 << 21})
	p.Feed([]byte("GET " + target + " HTTP/1.1\r\nHost: " + r.url.Host + "\r\n\r\n"))
	event, err := p.Next()
	if err != nil || event != parser.HeadReady || p.Head().Target != target || p.Head().Host != r.url.Host || len(p.Rest()) > 0 {
		t.Fatalf("a request to %q with the target %q is read as %v, %v with the target %q and the host %q", r.url.Host, target, event, err, p.Head().Target, p.Head().Host)
	}
	if r.url.Scheme != "http" || target[0] != '/' || r.url.User != nil {
		t.Fatalf("%s should be an http URI with a path and without user information", r.url)
	}
}

// A reference is a URI reference in its parts (RFC 3986, section 3). What is not there is "".
type reference struct {
	scheme, authority, path string
	query                   string // with its question mark
	hasAuthority            bool
}

// referenceParts is the expression of RFC 3986, appendix B.
var referenceParts = regexp.MustCompile(`(?s)^(([^:/?#]+):)?(//([^/?#]*))?([^?#]*)(\?([^#]*))?(#(.*))?`)

func splitReference(s string) reference {
	m := referenceParts.FindStringSubmatch(s)
	return reference{scheme: strings.ToLower(m[2]), authority: m[4], path: m[5], query: m[6], hasAuthority: m[3] != ""}
}

// resolveReference is the algorithm of RFC 3986, section 5.2.2.
func resolveReference(base, r reference) reference {
	switch {
	case r.scheme != "":
		r.path = removeDotSegments(r.path)
		return r
	case r.hasAuthority:
		r.path = removeDotSegments(r.path)
	default:
		r.authority, r.hasAuthority = base.authority, base.hasAuthority
		switch {
		case r.path == "":
			r.path = base.path
			if r.query == "" {
				r.query = base.query
			}
		case r.path[0] == '/':
			r.path = removeDotSegments(r.path)
		case base.path == "":
			r.path = removeDotSegments("/" + r.path)
		default:
			r.path = removeDotSegments(base.path[:strings.LastIndexByte(base.path, '/')+1] + r.path)
		}
	}
	r.scheme = base.scheme
	return r
}

// removeDotSegments is the algorithm of RFC 3986, section 5.2.4.
func removeDotSegments(in string) (out string) {
	for in != "" {
		switch {
		case strings.HasPrefix(in, "../"):
			in = in[3:]
		case strings.HasPrefix(in, "./"), strings.HasPrefix(in, "/./"):
			in = in[2:]
		case in == "/.":
			in = "/"
		case strings.HasPrefix(in, "/../"), in == "/..":
			in = "/" + strings.TrimPrefix(in[3:], "/")
			out = out[:max(0, strings.LastIndexByte(out, '/'))]
		case in == "." || in == "..":
			in = ""
		default:
			end := strings.IndexByte(in[1:], '/') + 1
			if end == 0 {
				end = len(in)
			}
			out += in[:end]
			in = in[end:]
		}
	}
	return out
}

// target is the origin-form of RFC 9112, section 3.2.1.
func (r reference) target() string {
	if r.path == "" {
		return "/" + r.query
	}
	return r.path + r.query
}

// origin is the host and the port.
func (r reference) origin() string {
	host, port := r.authority, "80"
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		number, _ := strconv.Atoi(host[colon+1:])
		host, port = host[:colon], strconv.Itoa(number)
	}
	return strings.ToLower(host) + " " + port
}

// plainlyHTTP reports whether r can be an http URI at all.
func (r reference) plainlyHTTP() bool {
	return r.scheme == "http" && r.authority != "" && !strings.Contains(r.authority, "@")
}

var (
	plainReference = regexp.MustCompile(`^([A-Za-z0-9._~/?#:@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$`)
	plainAuthority = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[::1\])(:[1-9][0-9]{0,3})?$`)
)

// plain reports whether a Location is one that nobody can object to, and that needs no encoding. Package url
// loses one of two slashes that begin a path behind dot segments.
func plain(location string, resolved reference) bool {
	first, _, _ := strings.Cut(location, "/")
	return plainReference.MatchString(location) && resolved.plainlyHTTP() && plainAuthority.MatchString(resolved.authority) &&
		!strings.HasPrefix(first, ":") && (resolved.path == "" || resolved.path[0] == '/') && !strings.HasPrefix(resolved.path, "//")
}
