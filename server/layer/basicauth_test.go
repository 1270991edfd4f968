package layer

import (
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

const vera = "Authorization: Basic dmVyYTpzZWNyZXQ=" // vera:secret

func isVera(user, password string) bool {
	return user == "vera" && ConstantTimeEqual(password, "secret")
}

// inTwoSteps gives a verdict that was not there at first.
func inTwoSteps(r *server.Request, verdict bool) pipeline.Source[bool] {
	return pipeline.Map(r.After(1), func(time.Duration) (bool, error) { return verdict, nil })
}

func TestBasicAuthLetsInWhoIsGranted(t *testing.T) {
	now := BasicAuth(`the "inner" room`, isVera)
	later := BasicAuthLater(`the "inner" room`, func(r *server.Request, user, password string) pipeline.Source[bool] {
		return inTwoSteps(r, isVera(user, password))
	})
	for name, auth := range map[string]server.Layer{"BasicAuth": now, "BasicAuthLater": later} {
		for _, c := range []struct {
			why    string
			fields []string
			status int
		}{
			{"granted", []string{vera}, 200},
			{"not granted", []string{"Authorization: Basic dmVyYTp3cm9uZw=="}, 401},
			{"no credentials", nil, 401},
			{"malformed", []string{"Authorization: Basic ?"}, 401},
			{"twice", []string{vera, vera}, 401},
		} {
			response, body := ask(t, auth(greet), request("GET", c.fields...))
			challenge := response.Header.Get("WWW-Authenticate")
			if response.StatusCode != c.status {
				t.Errorf("%s, %s: the answer should be %d, and is %d", name, c.why, c.status, response.StatusCode)
			}
			if c.status == 200 && (challenge != "" || body != "hello") {
				t.Errorf("%s, %s: the answer should be the handler's alone, and is %q with the challenge %q", name, c.why, body, challenge)
			}
			if c.status == 401 && challenge != `Basic realm="the \"inner\" room", charset="UTF-8"` {
				t.Errorf("%s, %s: the challenge should name the realm, and is %q", name, c.why, challenge)
			}
		}
	}
}

// Without a verdict nobody gets in.
func TestAuthLaterWithoutAVerdict(t *testing.T) {
	unreachable := func(*server.Request) server.Response {
		t.Error("the handler was called without a verdict")
		return server.Empty(200)
	}
	for status, source := range map[int]pipeline.Source[bool]{
		500: pipeline.Empty[bool](),
		504: pipeline.Fail[bool](&server.Error{Code: 504, Message: "The directory is silent."}),
	} {
		basic := BasicAuthLater("test", func(*server.Request, string, string) pipeline.Source[bool] { return source })
		bearer := BearerAuthLater("test", func(*server.Request, string) pipeline.Source[bool] { return source })
		for _, answer := range []struct {
			auth  server.Layer
			field string
		}{{basic, vera}, {bearer, "Authorization: Bearer x"}} {
			if response, _ := ask(t, answer.auth(unreachable), request("GET", answer.field)); response.StatusCode != status {
				t.Errorf("a check that ends without a verdict should be answered with %d, and was with %d", status, response.StatusCode)
			}
		}
	}
}

func TestAuthLaterClosesTheCheck(t *testing.T) {
	closed := 0
	auth := BearerAuthLater("test", func(*server.Request, string) pipeline.Source[bool] {
		return pipeline.OnClose(pipeline.Once(true), func() { closed++ })
	})
	if ask(t, auth(greet), request("GET", "Authorization: Bearer x")); closed != 1 {
		t.Errorf("the source of the verdict should be closed once, and was closed %d times", closed)
	}
}

// The handler may read the body that came while the check was on.
func TestAuthLaterLeavesTheBody(t *testing.T) {
	auth := BasicAuthLater("test", func(r *server.Request, _, _ string) pipeline.Source[bool] { return inTwoSteps(r, true) })
	echo := func(r *server.Request) server.Response { return server.Stream(200, "text/plain", r.Body) }
	_, body := ask(t, auth(echo), "POST / HTTP/1.1\r\nHost: test\r\n"+vera+"\r\nContent-Length: 5\r\n\r\nhello")
	if body != "hello" {
		t.Errorf("the handler should read the body, and answered %q", body)
	}
}
