package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/penstock-go/penstock/parser"
)

// Rules, of RFC 9110, section 15.4, and those that it leaves to the client:
//
//	301 302 303  ask with GET, or with HEAD if it was that, without a body and the fields that describe one
//	307 308      ask with the same method and body; if the body is a stream, which is gone, the response is the answer
//	others       are the answer, and so is a response without Location
//
// Location may be relative. Only http is followed. What belongs to one origin (host and port) is not taken to another,
// nor back from there. A Referer is not made.

// ErrTooManyRedirects: the response is a redirect, and as many have been followed as Options.MaxRedirects allows.
var ErrTooManyRedirects = newKind(http.StatusBadGateway, "The upstream redirected too often.")

// A redirectable is a request, as far as redirects change it.
type redirectable struct {
	method   string // "" is GET
	url      *url.URL
	host     string         // see Request.Host
	fields   []parser.Field // without the cookies of a jar
	body     bodyKind
	followed int // redirects, to get here
}

// bodyKind says whether a body can be sent again.
type bodyKind uint8

const (
	noBody       bodyKind = iota
	streamedBody          // it is read as it is sent, so it is there once
	keptBody              // it can be sent as often as need be
)

// follow returns the request that a response asks for, or nil when the response is the answer. The error is an *Error,
// of the kind ErrTooManyRedirects when limit redirects have been followed, and ErrUpstream when Location cannot be
// followed. With a limit of 0 every response is the answer. r and what it refers to are not changed.
func (r *redirectable) follow(status int, fields *parser.Fields, limit int) (*redirectable, error) {
	if !isRedirect(status) || limit <= 0 {
		return nil, nil
	}
	location, err := onlyLocation(fields)
	if err != nil {
		return nil, r.failure(ErrUpstream, err)
	}
	keepsMethod := status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
	if location == "" || keepsMethod && r.body == streamedBody {
		return nil, nil
	}
	if r.followed >= limit {
		return nil, r.failure(ErrTooManyRedirects, fmt.Errorf("%d redirects have been followed, and now comes one to %.200q", limit, location))
	}
	target, relative, err := resolveLocation(r.url, location)
	if err != nil {
		return nil, r.failure(ErrUpstream, fmt.Errorf("it redirects to %.200q: %w", location, err))
	}
	next := &redirectable{method: r.method, url: target, body: r.body, followed: r.followed + 1}
	if relative {
		next.host = r.host
	}
	if !keepsMethod {
		next.body = noBody
		if r.method != "HEAD" {
			next.method = "GET"
		}
	}
	next.fields = redirectedFields(r.fields, sameOrigin(r.url, target), keepsMethod)
	return next, nil
}

func (r *redirectable) failure(kind, cause error) error {
	return &Error{Kind: kind, Upstream: r.url.Host, Cause: cause}
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// onlyLocation returns the value of Location, "" when there is none. Two that differ are nobody's wish.
func onlyLocation(fields *parser.Fields) (location string, err error) {
	for value := range fields.Values("Location") {
		if location != "" && value != location {
			return "", fmt.Errorf("the response has the Location %.200q and another, %.200q; at most one was expected", location, value)
		}
		location = value
	}
	return location, nil
}

// resolveLocation returns what Location refers to, whose RequestURI can be sent as it is, and whether the reference
// names no host (RFC 3986, section 5.2). Without a fragment of its own it keeps that of base (RFC 9110, section 10.2.2).
func resolveLocation(base *url.URL, location string) (target *url.URL, relative bool, err error) {
	reference, err := url.Parse(location)
	if err != nil {
		return nil, false, fmt.Errorf("it is not a URI reference: %w", errors.Unwrap(err)) // err itself repeats all of it
	}
	if reference.User != nil { // RFC 9110, section 4.2.4
		return nil, false, fmt.Errorf("it has user information in front of the host")
	}
	relative = reference.Scheme == "" && !strings.HasPrefix(location, "//")
	target = base.ResolveReference(reference)
	if target.Scheme != "http" {
		return nil, false, fmt.Errorf("its scheme is %.200q, and only http can be followed", target.Scheme)
	}
	if !relative && reference.Host == "" || !validAuthority(target) { // package url takes // for nothing
		return nil, false, fmt.Errorf("its host and port are not those of an http URI")
	}
	target.Fragment, target.RawFragment = base.Fragment, base.RawFragment
	if strings.Contains(location, "#") {
		target.Fragment, target.RawFragment = reference.Fragment, reference.RawFragment
	}
	target.RawQuery = escapeQuery(target.RawQuery)
	if !parser.ValidTarget(target.RequestURI()) {
		return nil, false, fmt.Errorf("it makes the request-target %.200q, which has a character that may not be sent", target.RequestURI())
	}
	return target, relative, nil
}

// validAuthority reports whether u has a host, and a port from 1 to 65535 if it has one: what can be the value of Host.
func validAuthority(u *url.URL) bool {
	host, port := u.Hostname(), u.Port()
	if u.Opaque != "" || host == "" || strings.HasSuffix(u.Host, ":") {
		return false
	}
	if number, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || number == 0 || len(port) > len("65535")) {
		return false
	}
	if strings.HasPrefix(u.Host, "[") {
		address, err := netip.ParseAddr(host)
		return err == nil && address.Is6() && address.Zone() == ""
	}
	for i := range len(host) {
		if c := host[i]; !isAlphanumeric(c) && !strings.ContainsRune("-._~!$&'()*+,;=", rune(c)) {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return c-'0' <= 9 || c|0x20-'a' <= 'z'-'a'
}

// escapeQuery percent-encodes what a request-target must not have, which package url lets pass in a query.
func escapeQuery(query string) string {
	var text strings.Builder
	for i := range len(query) {
		if c := query[i]; c > ' ' && c < 0x7f {
			text.WriteByte(c)
		} else {
			fmt.Fprintf(&text, "%%%02X", c)
		}
	}
	return text.String()
}

func sameOrigin(a, b *url.URL) bool {
	return strings.EqualFold(a.Hostname(), b.Hostname()) && portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if port := strings.TrimLeft(u.Port(), "0"); port != "" {
		return port
	}
	return "80"
}

// redirectedFields returns those of the fields that the next request may have.
func redirectedFields(fields []parser.Field, sameOrigin, keepsBody bool) []parser.Field {
	var kept []parser.Field
	for _, f := range fields {
		if (keepsBody || !describesBody(f.Name)) && (sameOrigin || !isCredential(f.Name)) {
			kept = append(kept, f)
		}
	}
	return kept
}

// isCredential reports whether a field was meant for one origin only.
func isCredential(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie", "cookie2":
		return true
	}
	return hasPrefixFold(name, "WWW-")
}

// describesBody reports whether a field is about the content.
func describesBody(name string) bool {
	switch strings.ToLower(name) {
	case "digest", "repr-digest", "last-modified", "trailer":
		return true
	}
	return hasPrefixFold(name, "Content-")
}

func hasPrefixFold(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}
