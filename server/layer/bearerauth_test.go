package layer

import (
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

func TestBearerAuthLetsInWhoIsGranted(t *testing.T) {
	isOurs := func(token string) bool { return ConstantTimeEqual(token, "mF_9.B5f-4.1JqM~+/==") }
	later := func(r *server.Request, token string) pipeline.Source[bool] { return inTwoSteps(r, isOurs(token)) }
	for name, auth := range map[string]server.Layer{"BearerAuth": BearerAuth("test", isOurs), "BearerAuthLater": BearerAuthLater("test", later)} {
		for _, c := range []struct {
			why       string
			fields    []string
			status    int
			challenge string
		}{
			{"granted", []string{"Authorization: Bearer mF_9.B5f-4.1JqM~+/=="}, 200, ""},
			{"the scheme in another case", []string{"Authorization: bearer mF_9.B5f-4.1JqM~+/=="}, 200, ""},
			{"not granted", []string{"Authorization: Bearer x"}, 401, `Bearer realm="test", error="invalid_token"`},
			{"no token", nil, 401, `Bearer realm="test"`},
			{"another scheme", []string{vera}, 401, `Bearer realm="test"`},
			{"the scheme alone", []string{"Authorization: Bearer"}, 400, `Bearer realm="test", error="invalid_request"`},
			{"two words", []string{"Authorization: Bearer x y"}, 400, `Bearer realm="test", error="invalid_request"`},
			{"no token68", []string{"Authorization: Bearer x=y"}, 400, `Bearer realm="test", error="invalid_request"`},
			{"nothing but padding", []string{"Authorization: Bearer =="}, 400, `Bearer realm="test", error="invalid_request"`},
			{"twice", []string{"Authorization: Bearer x", "Authorization: Bearer x"}, 400, `Bearer realm="test", error="invalid_request"`},
		} {
			response, _ := ask(t, auth(greet), request("GET", c.fields...))
			if got := response.Header.Get("WWW-Authenticate"); response.StatusCode != c.status || got != c.challenge {
				t.Errorf("%s, %s: the answer should be %d with the challenge %q, and is %d with %q", name, c.why, c.status, c.challenge, response.StatusCode, got)
			}
		}
	}
}
