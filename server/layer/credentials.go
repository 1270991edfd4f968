package layer

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// ConstantTimeEqual says whether two secrets are equal. How long it takes depends on their
// lengths, and not on where they differ.
func ConstantTimeEqual(given, expected string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(expected))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// credentials returns what follows the scheme in an Authorization field, and whether it has
// that scheme (RFC 9110, section 11.4). Schemes are compared without regard to case.
func credentials(authorization, scheme string) (rest string, found bool) {
	name, rest, found := strings.Cut(authorization, " ")
	if !found || !strings.EqualFold(name, scheme) {
		return "", false
	}
	return strings.TrimLeft(rest, " "), true
}

// basicCredentials takes an Authorization field apart (RFC 7617, section 2).
func basicCredentials(authorization string) (user, password string, found bool) {
	encoded, found := credentials(authorization, "Basic")
	if !found {
		return "", "", false
	}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	user, password, found = strings.Cut(string(decoded), ":")
	if !found || hasControl(user) || hasControl(password) {
		return "", "", false
	}
	return user, password, true
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

// quoted writes s as a quoted-string (RFC 9110, section 5.6.4).
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// afterVerdict answers with next when the source says true, with refusal when it says
// false, and with the error that it ends with.
func afterVerdict(r *server.Request, verdict pipeline.Source[bool], next server.Handler, refusal server.Response) server.Response {
	return server.Later(pipeline.Map(verdict, func(granted bool) (server.Response, error) {
		if !granted {
			return refusal, nil
		}
		return next(r), nil
	}))
}
