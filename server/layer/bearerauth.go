package layer

import (
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// BearerAuth has only requests with a token that check grants reach the handler (RFC 6750).
// The token comes in the Authorization field; in a query or a body it is not looked for. The
// answer to any other request has a challenge that names the realm: 401 without a token, 401 with
// error="invalid_token" when check does not grant it, and 400 with error="invalid_request" when it is
// malformed or comes more than once. check runs on the loop and must not block. It compares
// secrets with [ConstantTimeEqual].
func BearerAuth(realm string, check func(token string) bool) server.Layer {
	refusals := newBearerRefusals(realm)
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			token, refusal, found := refusals.token(r)
			switch {
			case !found:
				return refusal
			case !check(token):
				return refusals.invalid
			}
			return next(r)
		}
	}
}

// BearerAuthLater is [BearerAuth] for a check that asks somebody else: the first value of
// the source that it returns is the verdict. An error that the source ends with is answered
// as [server.Fail] answers it; the handler is not called then. r is there for its Loop, which
// sources need, and its Context.
func BearerAuthLater(realm string, check func(r *server.Request, token string) pipeline.Source[bool]) server.Layer {
	refusals := newBearerRefusals(realm)
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			token, refusal, found := refusals.token(r)
			if !found {
				return refusal
			}
			return afterVerdict(r, check(r, token), next, refusals.invalid)
		}
	}
}

// bearerRefusals are the answers to those who do not get in (RFC 6750, section 3.1).
type bearerRefusals struct{ missing, malformed, invalid server.Response }

func newBearerRefusals(realm string) *bearerRefusals {
	challenge := "Bearer realm=" + quoted(realm)
	refuse := func(status int, sentence, parameters string) server.Response {
		return server.Text(status, sentence+"\n").With("WWW-Authenticate", challenge+parameters)
	}
	return &bearerRefusals{
		missing:   refuse(http.StatusUnauthorized, "This needs a token.", ""),
		malformed: refuse(http.StatusBadRequest, "The Authorization field is malformed.", `, error="invalid_request"`),
		invalid:   refuse(http.StatusUnauthorized, "The token is not valid.", `, error="invalid_token"`),
	}
}

// token returns the request's token, or what to answer when there is none.
func (b *bearerRefusals) token(r *server.Request) (token string, refusal server.Response, found bool) {
	if _, sent := r.Fields().Lookup("Authorization"); !sent {
		return "", b.missing, false
	}
	authorization, once := single(r, "Authorization")
	if !once {
		return "", b.malformed, false
	}
	token, found = credentials(authorization, "Bearer")
	switch {
	case found && isToken68(token):
		return token, server.Response{}, true
	case found || strings.EqualFold(authorization, "Bearer"):
		return "", b.malformed, false
	}
	return "", b.missing, false // another scheme
}

// isToken68 says whether s is a token68, which RFC 6750 calls b64token (RFC 9110, section 11.2).
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := 0; i < len(s); i++ {
		c := s[i]
		alphanumeric := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
		if !alphanumeric && strings.IndexByte("-._~+/", c) < 0 {
			return false
		}
	}
	return s != ""
}
