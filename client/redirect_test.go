package client

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/parser"
)

// responseFields returns the fields of a response, as a parser hands them over. ok is false when it refuses them.
func responseFields(lines string) (fields *parser.Fields, ok bool) {
	p := new(parser.Parser)
	p.Init(parser.Response, nil)
	p.Feed([]byte("HTTP/1.1 300 Multiple Choices\r\n" + lines + "Content-Length: 0\r\n\r\n"))
	event, err := p.Next()
	return &p.Head().Fields, event == parser.HeadReady && err == nil
}

// requestTo is a request with every field that redirects may change.
func requestTo(t testing.TB, method, target string) *redirectable {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return &redirectable{method: method, url: u, host: "virtual.test", body: keptBody, fields: []parser.Field{
		{Name: "Accept", Value: "text/html"}, {Name: "authorization", Value: "Basic eA=="}, {Name: "Proxy-Authorization", Value: "x"},
		{Name: "Cookie", Value: "a=b"}, {Name: "WWW-Token", Value: "x"}, {Name: "content-type", Value: "text/plain"},
		{Name: "Content-Encoding", Value: "gzip"}, {Name: "Trailer", Value: "Digest"}, {Name: "X", Value: "y"},
	}}
}

func namesOf(fields []parser.Field) string {
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	return strings.Join(names, " ")
}

// redirectedTo follows a redirect that must lead somewhere.
func redirectedTo(t *testing.T, r *redirectable, status int, location string) *redirectable {
	t.Helper()
	fields, ok := responseFields("Location: " + location + "\r\n")
	if !ok {
		t.Fatalf("the parser refuses the Location %q", location)
	}
	next, err := r.follow(status, fields, 10)
	if err != nil || next == nil {
		t.Fatalf("status %d with the Location %q should be followed, and gives %v, %v", status, location, next, err)
	}
	return next
}

const (
	ofBody       = " content-type Content-Encoding Trailer"
	ofCredential = " authorization Proxy-Authorization Cookie WWW-Token"
)

func TestRedirectMethodAndBody(t *testing.T) {
	for status, keeps := range map[int]bool{301: false, 302: false, 303: false, 307: true, 308: true} {
		for _, method := range []string{"", "GET", "HEAD", "POST", "PUT", "DELETE"} {
			next := redirectedTo(t, requestTo(t, method, "http://a.test/x"), status, "/y")
			want, body, fields := method, keptBody, "Accept"+ofCredential+ofBody+" X"
			if !keeps {
				body, fields = noBody, "Accept"+ofCredential+" X"
				if method != "HEAD" {
					want = "GET"
				}
			}
			if next.method != want || next.body != body || namesOf(next.fields) != fields {
				t.Errorf("behind %s and %d should come %s with the body %d and %s, and comes %s with %d and %s",
					method, status, want, body, fields, next.method, next.body, namesOf(next.fields))
			}
		}
	}
}

func TestRedirectThatIsTheAnswer(t *testing.T) {
	for _, c := range []struct {
		what   string
		status int
		lines  string
		body   bodyKind
		limit  int
	}{
		{"success", 200, "Location: /y\r\n", noBody, 10},
		{"created", 201, "Location: /y\r\n", noBody, 10},
		{"a choice", 300, "Location: /y\r\n", noBody, 10},
		{"not modified", 304, "Location: /y\r\n", noBody, 10},
		{"305, which is no more", 305, "Location: /y\r\n", noBody, 10},
		{"306, which never was", 306, "Location: /y\r\n", noBody, 10},
		{"no Location", 302, "", noBody, 10},
		{"an empty Location", 302, "Location:\r\n", noBody, 10},
		{"a stream that cannot be sent again", 307, "Location: /y\r\n", streamedBody, 10},
		{"a stream that cannot be sent again, for good", 308, "Location: /y\r\n", streamedBody, 10},
		{"redirects not to be followed", 302, "Location: /y\r\n", noBody, 0},
	} {
		r := requestTo(t, "POST", "http://a.test/x")
		r.body = c.body
		fields, _ := responseFields(c.lines)
		if next, err := r.follow(c.status, fields, c.limit); next != nil || err != nil {
			t.Errorf("%s should be the answer, and gives %v, %v", c.what, next, err)
		}
	}
}

func TestRedirectToGetNeedsNoBody(t *testing.T) {
	r := requestTo(t, "POST", "http://a.test/x")
	r.body = streamedBody
	if next := redirectedTo(t, r, 303, "/y"); next.method != "GET" || next.body != noBody {
		t.Errorf("303 should be followed with GET without a body, and is with %s and %d", next.method, next.body)
	}
}

func TestRedirectResolvesLocation(t *testing.T) {
	const base = "http://a.test:8080/b/c?d=e#f"
	for location, want := range map[string]string{
		"/y":                       "http://a.test:8080/y#f",
		"y?z":                      "http://a.test:8080/b/y?z#f",
		"?z":                       "http://a.test:8080/b/c?z#f",
		"../../y":                  "http://a.test:8080/y#f",
		"#g":                       "http://a.test:8080/b/c?d=e#g",
		"y#":                       "http://a.test:8080/b/y",
		"//b.test":                 "http://b.test#f",
		"HTTP://B.test:81/y?z#g":   "http://B.test:81/y?z#g",
		"http://[::1]:81/":         "http://[::1]:81/#f",
		"/a b?c d":                 "http://a.test:8080/a%20b?c%20d#f",
		"/\xc3\xa4?\xc3\xa4":       "http://a.test:8080/%C3%A4?%C3%A4#f",
		"/%2e%2e/%41?%zz":          "http://a.test:8080/%2e%2e/%41?%zz#f",
		"http://a.test:8080/y?u@v": "http://a.test:8080/y?u@v#f",
	} {
		next := redirectedTo(t, requestTo(t, "GET", base), 302, location)
		if got := next.url.String(); got != want {
			t.Errorf("from %s, the Location %q should lead to %s, and leads to %s", base, location, want, got)
		}
	}
}

func TestRedirectThatCannotBeFollowed(t *testing.T) {
	for location, reason := range map[string]string{
		"https://a.test/":            "only http",
		"ftp://a.test/":              "only http",
		"javascript:alert(1)":        "only http",
		"file:///etc/passwd":         "only http",
		"unix:/run/socket":           "only http",
		"http:y":                     "host and port",
		"http:///y":                  "host and port",
		"http://:80/":                "host and port",
		"http://a.test:0/":           "host and port",
		"http://a.test:/":            "host and port",
		"http://a.test:65536/":       "host and port",
		"http://a.test:99999999999/": "host and port",
		"http://a.test:000080/":      "host and port",
		"http://a.test:x/":           "not a URI reference",
		"http://a_b\"c/":             "host and port",
		"http://\xc3\xa4.test/":      "host and port",
		"http://[fe80::1%25eth0]/":   "host and port",
		"http://[v1.x]/":             "not a URI reference",
		"//":                         "host and port",
		"///y":                       "host and port",
		"//?y":                       "host and port",
		"http://u:p@b.test/":         "user information",
		"//u@b.test/":                "user information",
		"http://@b.test/":            "user information",
		"/%zz":                       "not a URI reference",
		"http://a b/":                "not a URI reference",
	} {
		fields, ok := responseFields("Location: " + location + "\r\n")
		if !ok {
			t.Fatalf("the parser refuses the Location %q", location)
		}
		next, err := requestTo(t, "GET", "http://a.test/x").follow(302, fields, 10)
		var failure *Error
		if next != nil || !errors.Is(err, ErrUpstream) || !errors.As(err, &failure) || failure.Status() != 502 || !strings.Contains(err.Error(), reason) {
			t.Errorf("the Location %q should be refused with 502 because of %q, and gives %v, %v", location, reason, next, err)
		}
	}
}

func TestRedirectWithTwoLocations(t *testing.T) {
	r := requestTo(t, "GET", "http://a.test/x")
	differing, _ := responseFields("Location: /y\r\nLocation: /z\r\n")
	if next, err := r.follow(302, differing, 10); next != nil || !errors.Is(err, ErrUpstream) {
		t.Errorf("two Locations that differ should be refused, and give %v, %v", next, err)
	}
	equal, _ := responseFields("Location: /y\r\nLocation: /y\r\n")
	if next, err := r.follow(302, equal, 10); next == nil || err != nil {
		t.Errorf("a Location that is there twice should be followed, and gives %v", err)
	}
}

func TestRedirectBound(t *testing.T) {
	r := requestTo(t, "GET", "http://a.test/0")
	fields, _ := responseFields("Location: /again\r\n")
	for i := range 3 {
		next, err := r.follow(302, fields, 3)
		if err != nil || next.followed != i+1 {
			t.Fatalf("redirect %d of 3 should be followed, and gives %v, %v", i+1, next, err)
		}
		r = next
	}
	next, err := r.follow(302, fields, 3)
	var failure *Error
	if next != nil || !errors.Is(err, ErrTooManyRedirects) || !errors.As(err, &failure) || failure.Status() != 502 {
		t.Errorf("the fourth redirect should be refused with ErrTooManyRedirects and 502, and gives %v, %v", next, err)
	}
	if next, err := r.follow(200, fields, 3); next != nil || err != nil {
		t.Errorf("an answer behind the last redirect should be the answer, and gives %v, %v", next, err)
	}
}

func TestRedirectCredentials(t *testing.T) {
	for location, same := range map[string]bool{
		"/y":                   true,
		"//A.TEST/y":           true,
		"http://a.test:80/":    true,
		"http://a.test:080/":   true,
		"http://a.test:81/":    false,
		"http://b.test/":       false,
		"http://sub.a.test/":   false,
		"http://a.test./":      false,
		"http://a.test.b.test": false,
	} {
		next := redirectedTo(t, requestTo(t, "GET", "http://a.test/x"), 307, location)
		want := "Accept" + ofCredential + ofBody + " X"
		if !same {
			want = "Accept" + ofBody + " X"
		}
		if got := namesOf(next.fields); got != want {
			t.Errorf("from http://a.test/x to %q the fields should be %s, and are %s", location, want, got)
		}
		if keepsHost := next.host != ""; keepsHost != (location == "/y") {
			t.Errorf("Host should be kept only when the Location %q names no host, and is %q", location, next.host)
		}
	}
}

func TestRedirectDoesNotBringCredentialsBack(t *testing.T) {
	there := redirectedTo(t, requestTo(t, "GET", "http://a.test/x"), 302, "http://b.test/")
	back := redirectedTo(t, there, 302, "http://a.test/x")
	if got := namesOf(back.fields); got != "Accept X" {
		t.Errorf("back from another origin the credentials should be gone, and the fields are %s", got)
	}
}

func TestRedirectChangesNothingOfTheRequest(t *testing.T) {
	r := requestTo(t, "POST", "http://a.test/x#f")
	fields, text := slices.Clone(r.fields), r.url.String()
	redirectedTo(t, r, 302, "http://b.test/?y")
	if !slices.Equal(r.fields, fields) || r.url.String() != text || r.method != "POST" || r.followed != 0 {
		t.Errorf("the request that was redirected should be as it was, and is %v", fmt.Sprint(r))
	}
}
