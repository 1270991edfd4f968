package parser

import (
	"net/netip"
	"strconv"
	"strings"
)

// targetAuthority reports whether target has a form that method allows (RFC 9112,
// section 3.2), and returns its authority: "" for the origin-form and for *.
func targetAuthority(method, target string) (authority string, ok bool) {
	if target[0] == '/' && method != "CONNECT" {
		return "", true
	}
	return otherAuthority(method, target)
}

// otherAuthority is targetAuthority for all but the origin-form.
func otherAuthority(method, target string) (authority string, ok bool) {
	if method == "CONNECT" {
		colon := strings.LastIndexByte(target, ':')
		port, err := strconv.ParseUint(target[colon+1:], 10, 16)
		return target, colon > 0 && err == nil && port > 0 && validHost(target)
	}
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

// A knownHost remembers the last host that was found valid, since a connection sends the
// same one with nearly every request. It holds a copy and refers to nothing.
type knownHost struct {
	length uint8
	bytes  [39]byte
}

// valid is validHost.
func (k *knownHost) valid(host string) bool {
	if host == string(k.bytes[:k.length]) {
		return true
	}
	if !validHost(host) {
		return false
	}
	if len(host) <= len(k.bytes) {
		k.length = uint8(copy(k.bytes[:], host))
	}
	return true
}

// validHost reports whether s is a host with an optional port (RFC 9110, section 7.2):
// a registered name or an IPv4 address, or an IPv6 address in brackets. An empty s is
// valid, a port without a host is not. The future addresses and zones of RFC 3986 and
// RFC 6874 are refused.
func validHost(s string) bool {
	i := hostNameEnd(s, 0)
	for i+2 < len(s) && s[i] == '%' && isHexadecimal(s[i+1]) && isHexadecimal(s[i+2]) {
		i = hostNameEnd(s, i+3)
	}
	switch {
	case i == len(s):
		return true
	case s[i] == ':':
		return i > 0 && validPort(s[i:])
	}
	return s[0] == '[' && validAddress(s)
}

// hostNameEnd returns the index of the first byte at or after i that a registered name
// has only percent-encoded, or len(s).
func hostNameEnd(s string, i int) int {
	for i < len(s) && classes[s[i]]&classHost != 0 {
		i++
	}
	return i
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
