package layer

import (
	"encoding/base64"
	"testing"
)

func TestConstantTimeEqual(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"secret", "secret", true}, {"secret", "Secret", false}, {"secret", "secre", false}, {"", "x", false},
	} {
		if got := ConstantTimeEqual(c.a, c.b); got != c.want {
			t.Errorf("whether %q equals %q should be %t", c.a, c.b, c.want)
		}
	}
}

func TestBasicCredentialsAreTakenApart(t *testing.T) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, c := range []struct {
		why, field, user, password string
		found                      bool
	}{
		{"as in RFC 7617", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame", true},
		{"the scheme in another case", "bAsIc " + encode("a:b"), "a", "b", true},
		{"more spaces", "Basic   " + encode("a:b"), "a", "b", true},
		{"a colon in the password", "Basic " + encode("a:b:c"), "a", "b:c", true},
		{"both empty", "Basic " + encode(":"), "", "", true},
		{"UTF-8", "Basic dGVzdDoxMjPCow==", "test", "123£", true},
		{"no colon", "Basic " + encode("ab"), "", "", false},
		{"no padding", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", "", "", false},
		{"not base64", "Basic ?", "", "", false},
		{"a control character in the user", "Basic " + encode("a\n:b"), "", "", false},
		{"a control character in the password", "Basic " + encode("a:b\x7f"), "", "", false},
		{"another scheme", "Bearer " + encode("a:b"), "", "", false},
		{"the scheme alone", "Basic", "", "", false},
		{"the scheme and more letters", "Basics " + encode("a:b"), "", "", false},
		{"nothing", "", "", "", false},
	} {
		user, password, found := basicCredentials(c.field)
		if user != c.user || password != c.password || found != c.found {
			t.Errorf("%s: %q gives %q, %q and %t; it should be %q, %q and %t", c.why, c.field, user, password, found, c.user, c.password, c.found)
		}
	}
}
