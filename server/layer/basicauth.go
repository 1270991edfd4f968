package layer

import (
	"net/http"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// BasicAuth has only requests with a user-id and a password that check grants reach the
// handler (RFC 7617). Any other, also one whose credentials are malformed or come more than
// once, is answered with 401 and a challenge that names the realm. check gets them in UTF-8
// if the client keeps to the challenge; it runs on the loop and must not block. It
// compares secrets with [ConstantTimeEqual].
func BasicAuth(realm string, check func(user, password string) bool) server.Layer {
	refusal := basicRefusal(realm)
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			user, password, found := BasicCredentials(r)
			if !found || !check(user, password) {
				return refusal
			}
			return next(r)
		}
	}
}

// BasicAuthLater is [BasicAuth] for a check that asks somebody else, or that computes for
// long: the first value of the source that it returns is the verdict. An error that the
// source ends with is answered as [server.Fail] answers it; the handler is not called
// then. r is there for its Loop, which sources need, and its Context.
func BasicAuthLater(realm string, check func(r *server.Request, user, password string) pipeline.Source[bool]) server.Layer {
	refusal := basicRefusal(realm)
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			user, password, found := BasicCredentials(r)
			if !found {
				return refusal
			}
			return afterVerdict(r, check(r, user, password), next, refusal)
		}
	}
}

// BasicCredentials returns the user-id and the password of the request (RFC 7617), and
// whether it has any. They are what the client says; within [BasicAuth] they have been
// checked.
func BasicCredentials(r *server.Request) (user, password string, found bool) {
	authorization, found := single(r, "Authorization")
	if !found {
		return "", "", false
	}
	return basicCredentials(authorization)
}

func basicRefusal(realm string) server.Response {
	return server.Text(http.StatusUnauthorized, "This needs a name and a password.\n").
		With("WWW-Authenticate", "Basic realm="+quoted(realm)+`, charset="UTF-8"`)
}
