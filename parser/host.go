package parser

import (
	"net/netip"
	"strconv"
	"strings"
)

// targetAuthority reports whether target has a form that method allows (RFC 9112,
// section 3.2), and returns its authority: "" for the origin-form and for *.
func targetAuthority(method, target string) (authority string, ok bool) {
	if method == "CONNECT" {
		colon := strings.LastIndexByte(target, ':')
		port, err := strconv.ParseUint(target[colon+1:], 10, 16)
		return target, colon > 0 && err == nil && port > 0 && validHost(target)
	}
	if target[0] == '/' {
		return "", true
	}
	return uriAuthority(method, target)
}

// uriAuthority is targetAuthority for the targets that are seldom seen.
func uriAuthority(method, target string) (authority string, ok bool) {
	if target == "*" {
		return "", method == "OPTIONS"
	}
	scheme, rest, found := strings.Cut(target, "://")
	if !found || !equalFold(scheme, "http") && !equalFold(scheme, "https") {
		return "", false
	}
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		rest = rest[:end]
	}
	return rest, rest != "" && validHost(rest)
}

// validHost reports whether s is a host with an optional port (RFC 9110, section 7.2):
// a registered name or an IPv4 address, or an IPv6 address in brackets. An empty s is
// valid, a port without a host is not. The future addresses and zones of RFC 3986 and
// RFC 6874 are refused.
func validHost(s string) bool {
	i := 0
	for i < len(s) {
		if classes[s[i]]&classHost != 0 {
			i++
		} else if s[i] == '%' && i+2 < len(s) && isHexadecimal(s[i+1]) && isHexadecimal(s[i+2]) {
			i += 3
		} else {
			break
		}
	}
	switch {
	case i == len(s):
		return true
	case s[i] == ':':
		return i > 0 && validPort(s[i:])
	}
	return i == 0 && s[0] == '[' && validAddress(s)
}

// validAddress reports whether s, which begins with a bracket, is an IPv6 address in
// brackets with an optional port.
func validAddress(s string) bool {
	end := strings.IndexByte(s, ']')
	if end < 0 || strings.IndexByte(s[:end], '%') >= 0 {
		return false
	}
	address, err := netip.ParseAddr(s[1:end])
	return err == nil && address.Is6() && validPort(s[end+1:])
}

// validPort reports whether s is empty, or a colon and a port that may be empty
// (RFC 3986, section 3.2.3).
func validPort(s string) bool {
	if s == "" || s == ":" {
		return true
	}
	if s[0] != ':' || len(s) > len(":65535") {
		return false
	}
	number := 0
	for _, c := range []byte(s[1:]) {
		if !isDigit(c) {
			return false
		}
		number = number*10 + int(c-'0')
	}
	return number <= 65535
}

func isHexadecimal(c byte) bool {
	_, ok := hexadecimal(c)
	return ok
}

// hexadecimal returns the value of a hexadecimal digit.
func hexadecimal(c byte) (value byte, ok bool) {
	switch {
	case c-'0' <= 9:
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
