package client

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"testing"

	"github.com/penstock-go/penstock/parser"
)

func parsedURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// jarWith returns the jar of net/http after a response from u with the given lines.
func jarWith(t *testing.T, u, lines string) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	fields, ok := responseFields(lines)
	if !ok {
		t.Fatalf("the parser refuses %q", lines)
	}
	keepCookies(jar, parsedURL(t, u), fields)
	return jar
}

func TestCookiesComeBack(t *testing.T) {
	jar := jarWith(t, "http://a.test/x/y", "Set-Cookie: a=1; Path=/\r\nset-cookie: b=\"2\"; Path=/x; HttpOnly\r\nSet-Cookie: c=3; Secure; Path=/\r\n"+
		"Set-Cookie: d=4; Domain=b.test; Path=/\r\nSet-Cookie: no cookie\r\nSet-Cookie: =\r\nSet-Cookie: e=5; Max-Age=0; Path=/\r\n")
	for u, want := range map[string]string{
		"http://a.test/x/z":    "b=\"2\"; a=1",
		"http://a.test/":       "a=1",
		"http://a.test:81/":    "a=1",
		"http://b.test/":       "",
		"http://sub.a.test/":   "",
		"http://a.test.b.test": "",
	} {
		fields := withCookies(nil, jar, parsedURL(t, u))
		var wanted []parser.Field
		if want != "" {
			wanted = []parser.Field{{Name: "Cookie", Value: want}}
		}
		if !slices.Equal(fields, wanted) {
			t.Errorf("a request for %s should have the cookies %v, and has %v", u, wanted, fields)
		}
	}
}

func TestCookiesFollowThoseOfTheRequest(t *testing.T) {
	jar := jarWith(t, "http://a.test/", "Set-Cookie: a=1\r\n")
	for _, c := range []struct{ given, want []parser.Field }{
		{[]parser.Field{{Name: "X", Value: "y"}}, []parser.Field{{Name: "X", Value: "y"}, {Name: "Cookie", Value: "a=1"}}},
		{[]parser.Field{{Name: "cookie", Value: "own=0"}, {Name: "X", Value: "y"}}, []parser.Field{{Name: "cookie", Value: "own=0; a=1"}, {Name: "X", Value: "y"}}},
		{[]parser.Field{{Name: "Cookie"}}, []parser.Field{{Name: "Cookie"}, {Name: "Cookie", Value: "a=1"}}},
	} {
		before := slices.Clone(c.given)
		if got := withCookies(c.given, jar, parsedURL(t, "http://a.test/")); !slices.Equal(got, c.want) {
			t.Errorf("with the jar's cookie, %v should become %v, and becomes %v", before, c.want, got)
		}
		if !slices.Equal(c.given, before) {
			t.Errorf("the fields of the request should not be changed, and are %v in place of %v", c.given, before)
		}
	}
}

// badJar gives cookies that cannot be sent as they are.
type badJar struct{}

func (badJar) SetCookies(*url.URL, []*http.Cookie) {}

func (badJar) Cookies(*url.URL) []*http.Cookie {
	return []*http.Cookie{{Name: "a b", Value: "1"}, {Name: "c", Value: "2\r\nX: y;", Path: "/"}, {Name: ""}}
}

func TestCookiesThatCannotBeSent(t *testing.T) {
	fields := withCookies(nil, badJar{}, parsedURL(t, "http://a.test/"))
	if len(fields) != 1 || fields[0].Value != "c=\"2X: y\"" || !parser.ValidValue(fields[0].Value) {
		t.Errorf("a jar's cookie should be sent as name=value without what no cookie has, and %q is", fields)
	}
}

// countingJar counts the calls of SetCookies.
type countingJar struct {
	badJar
	calls int
}

func (j *countingJar) SetCookies(*url.URL, []*http.Cookie) { j.calls++ }

func TestCookiesAreKeptOnlyWhenThereAreAny(t *testing.T) {
	jar := &countingJar{}
	for lines, want := range map[string]int{"X: y\r\nSet-Cookie: nothing\r\n": 0, "Set-Cookie: a=1\r\n": 1} {
		jar.calls = 0
		fields, _ := responseFields(lines)
		if keepCookies(jar, parsedURL(t, "http://a.test/"), fields); jar.calls != want {
			t.Errorf("behind %q the jar should be called %d times, and was %d times", lines, want, jar.calls)
		}
	}
}
