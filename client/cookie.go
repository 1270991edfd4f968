package client

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/penstock-go/penstock/parser"
)

// A jar is called on the loop, so it must not block. That of package net/http/cookiejar holds a lock while it looks
// through a map of one domain's cookies, and does nothing else: it may be shared by the loops.

// withCookies returns fields with the cookies that the jar has for u. All cookies of a request are in one field
// (RFC 6265, section 5.4): those of the jar follow those that fields have already. The fields given are not changed.
func withCookies(fields []parser.Field, jar http.CookieJar, u *url.URL) []parser.Field {
	var pairs []string
	for _, cookie := range jar.Cookies(u) {
		sent := http.Cookie{Name: cookie.Name, Value: cookie.Value, Quoted: cookie.Quoted}
		if pair := sent.String(); pair != "" { // else its name is not a token
			pairs = append(pairs, pair)
		}
	}
	if len(pairs) == 0 {
		return fields
	}
	ofJar := strings.Join(pairs, "; ")
	fields = slices.Clone(fields)
	for i := range fields {
		if f := &fields[i]; strings.EqualFold(f.Name, "Cookie") && f.Value != "" {
			f.Value += "; " + ofJar
			return fields
		}
	}
	return append(fields, parser.Field{Name: "Cookie", Value: ofJar})
}

// keepCookies gives the jar the cookies that a response to a request for u sets. A line that is not a cookie is passed
// over, as RFC 6265, section 5.2, says.
func keepCookies(jar http.CookieJar, u *url.URL, response *parser.Fields) {
	var cookies []*http.Cookie
	for line := range response.Values("Set-Cookie") {
		if cookie, err := http.ParseSetCookie(line); err == nil {
			cookies = append(cookies, cookie)
		}
	}
	if len(cookies) > 0 {
		jar.SetCookies(u, cookies)
	}
}
