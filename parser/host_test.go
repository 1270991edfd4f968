package parser

import (
	"strings"
	"testing"
)

func TestValidHost(t *testing.T) {
	for host, want := range map[string]bool{
		"": true, "a": true, "example.org": true, "example.org:": true, "example.org:80": true,
		"EXAMPLE.org.": true, "a_b": true, "a~b!$&'()*+,;=": true, "a%2Fb": true, "%e4%BD%a0:1": true,
		"127.0.0.1": true, "127.0.0.1:8080": true, "999.1.1.1": true, "a:0": true, "a:65535": true,
		"[::]": true, "[::1]:80": true, "[::1]:": true, "[2001:DB8::192.0.2.1]": true,
		":": false, ":80": false, "a:65536": false, "a:99999": false, "a:123456": false, "a:-1": false, "a:8o": false,
		"a:1:1": false, "[": false, "[]": false, "[::1": false, "[::1]x": false, "[::1]80": false, "a[::1]": false,
		"[1.2.3.4]": false, "[v1.a]": false, "[::1%25lo]": false, "[::1%lo]": false, "::1": false,
		"%": false, "%2": false, "%2x": false, "a%": false, "%2f[::1]": false, "a b": false, "a/": false, "a@b": false,
		"a?": false, "a\\": false, "a\"": false, "a<": false, "a\x00": false, "a\x7f": false, "ä": false,
	} {
		if got := validHost(host); got != want {
			t.Errorf("validHost(%q) is %v; RFC 3986, section 3.2 without user, future address and zone says %v.", host, got, want)
		}
	}
}

func TestKnownHost(t *testing.T) {
	long := strings.Repeat("a", 100)
	var k knownHost
	for _, c := range []struct {
		host string
		want bool
	}{
		{"a:80", true}, {"a:80", true}, {"a:8", true}, {"a:80x", false}, {"a:80x", false}, {"a:80", true},
		{long, true}, {long + "/", false}, {long[:40], true}, {long[:39], true}, {long[:38] + "/", false}, {"", true}, {"/", false},
	} {
		if got := k.valid(c.host); got != c.want {
			t.Errorf("After other hosts, %q is valid: %v; what came before must make no difference.", c.host, got)
		}
	}
}
