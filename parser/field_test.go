package parser

import "testing"

func TestValidity(t *testing.T) {
	cases := []struct {
		what  string
		valid func(string) bool
		yes   []string
		no    []string
	}{
		{"token", ValidToken, []string{"GET", "X-A_b.c~1", "!#$%&'*+-.^_`|~"}, []string{"", "a b", "a:", "ä", "a\x00", "a\x7f", "(", "a\r"}},
		{"field value", ValidValue, []string{"", "a b\tc", "\xe4\xff", "~"}, []string{"a\r", "a\nb", "\x00", "\x7f", "\x1f"}},
		{"request-target", ValidTarget, []string{"/a?b=c", "*", "http://h/", "/\"<>"}, []string{"", "/a b", "/#", "/ä", "/\r", "/\x7f"}},
	}
	for _, c := range cases {
		for _, s := range c.yes {
			if !c.valid(s) {
				t.Errorf("%q is refused as a %s.", s, c.what)
			}
		}
		for _, s := range c.no {
			if c.valid(s) {
				t.Errorf("%q is taken for a %s.", s, c.what)
			}
		}
	}
}
