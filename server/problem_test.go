package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

func TestProblemIsSentAsTheStandardSays(t *testing.T) {
	for _, c := range []struct {
		why     string
		problem server.Problem
		status  int
		want    string
	}{
		{"only a status", server.Problem{Code: 404}, 404, `{"title":"Not Found","status":404}`},
		{"no status is the server's fault", server.Problem{}, 500, `{"title":"Internal Server Error","status":500}`},
		{"a status that is no error's", server.Problem{Code: 200}, 500, `{"title":"Internal Server Error","status":500}`},
		{"a status without a phrase", server.Problem{Code: 499}, 499, `{"title":"Error","status":499}`},
		{"about:blank has the status's title", server.Problem{Type: "about:blank", Code: 403}, 403,
			`{"type":"about:blank","title":"Forbidden","status":403}`},
		{"a type of one's own has no title but its own", server.Problem{Type: "/funds", Code: 403}, 403, `{"type":"/funds","status":403}`},
		{"everything", server.Problem{
			Type: "/funds", Title: "Too poor", Code: 403, Detail: `It costs "50".`, Instance: "/sales/1",
			Errors:     []server.FieldError{{Pointer: "#/price", Detail: "is too high"}, {Detail: "is late"}},
			Extensions: map[string]any{"balance": 30, "accounts": []string{"/1"}},
		}, 403, `{"type":"/funds","title":"Too poor","status":403,"detail":"It costs \"50\".","instance":"/sales/1",` +
			`"errors":[{"pointer":"#/price","detail":"is too high"},{"detail":"is late"}],"accounts":["/1"],"balance":30}`},
		{"members that cannot be encoded, or have a name that is taken, are left out", server.Problem{
			Code: 400, Extensions: map[string]any{
				"a": math.NaN(), "b": make(chan int), "status": 200, "d": json.RawMessage("{"), "title": 1, "e": 1},
		}, 400, `{"title":"Bad Request","status":400,"e":1}`},
	} {
		body, complete := c.problem.Response().Complete()
		if contentType, _ := c.problem.Response().Field("content-type"); !complete || contentType != "application/problem+json" {
			t.Errorf("%s: the response should be complete and application/problem+json, and is %v and %q", c.why, complete, contentType)
		}
		if status := c.problem.Response().Status(); string(body) != c.want || status != c.status || c.problem.Status() != c.status {
			t.Errorf("%s: the answer is %d and %s; it should be %d and %s", c.why, status, body, c.status, c.want)
		}
	}
}

func TestProblemIsAnError(t *testing.T) {
	for _, c := range []struct {
		problem       server.Problem
		error, public string
	}{
		{server.Problem{Code: 404}, "Not Found", "Not Found"},
		{server.Problem{Code: 404, Detail: "There is no such thing."}, "Not Found: There is no such thing.", "There is no such thing."},
		{server.Problem{Code: 404, Title: "Gone fishing"}, "Gone fishing", "Gone fishing"},
		{server.Problem{Code: 404, Type: "/fish"}, "/fish", "/fish"},
	} {
		if e, p := c.problem.Error(), c.problem.Public(); e != c.error || p != c.public {
			t.Errorf("the problem says %q, and %q to clients; it should say %q and %q", e, p, c.error, c.public)
		}
	}
	if err := error(&server.Problem{Cause: io.ErrUnexpectedEOF}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("errors.Is should find the cause of a problem, and does not")
	}
	if got := errors.Join(server.FieldError{Pointer: "#/a", Detail: "is late"}, server.FieldError{Detail: "is early"}).Error(); got != "#/a: is late\nis early" {
		t.Errorf("two errors of fields were joined to %q", got)
	}
}

// A problem that any source of an exchange ends with, wrapped or not, is what the client gets.
func TestProblemAnswersForItself(t *testing.T) {
	problem := &server.Problem{Code: 409, Detail: "It was changed meanwhile."}
	answers := map[string]server.Response{
		"/fail":   server.Fail(fmt.Errorf("while saving: %w", problem)),
		"/later":  server.Later(pipeline.Fail[server.Response](problem)),
		"/stream": server.Stream(200, "text/plain", pipeline.Fail[[]byte](problem)),
	}
	_, address := start(t, "tcp", "127.0.0.1:0", func(r *server.Request) server.Response { return answers[r.Path()] }, server.Options{})
	c := dial(t, "tcp", address)
	for path := range answers {
		resp, body := ask(t, c, strings.Replace(rootRequest, "/", path, 1))
		const want = `{"title":"Conflict","status":409,"detail":"It was changed meanwhile."}`
		if resp.StatusCode != 409 || body != want || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s was answered with %d, %v and %s; the problem was expected", path, resp.StatusCode, resp.Header, body)
		}
	}
}

// FuzzProblem: whatever is in a problem, its body is a JSON object with the right status.
func FuzzProblem(f *testing.F) {
	f.Add("/type", "title", 404, "detail", "/1", "#/a", "name", "value")
	f.Add("", "", 0, "\xff\u2028\"\\", "", "", "status", "{")
	f.Fuzz(func(t *testing.T, kind, title string, code int, detail, instance, pointer, name, value string) {
		value = value[:min(len(value), 10_000)] // encoding/json reads nothing more than 10,000 deep, and in the body it is one deeper
		p := &server.Problem{
			Type: kind, Title: title, Code: code, Detail: detail, Instance: instance,
			Errors:     []server.FieldError{{Pointer: pointer, Detail: detail}},
			Extensions: map[string]any{name: json.RawMessage(value), value: name},
		}
		body, _ := p.Response().Complete()
		var got struct {
			Status int                 `json:"status"`
			Errors []server.FieldError `json:"errors"`
		}
		if err := json.Unmarshal(body, &got); err != nil && !errors.As(err, new(*json.UnmarshalTypeError)) {
			t.Fatalf("the body of %+v is %q, which is not JSON: %v", p, body, err)
		}
		if got.Status < 400 && !strings.EqualFold(name, "status") && !strings.EqualFold(value, "status") {
			t.Errorf("the body of %+v is %q, which has not the status of an error", p, body)
		}
	})
}

// A handler that refuses says why, so that a program can act on it.
func ExampleProblem() {
	pay := func(r *server.Request) server.Response {
		return server.Fail(&server.Problem{
			Type:       "https://example.org/problems/funds",
			Title:      "There is not enough on the account",
			Code:       403,
			Detail:     "The account has 30, and 50 are needed.",
			Extensions: map[string]any{"balance": 30},
		})
	}
	_ = server.Handler(pay)
}

// The fields of a problem are those of its answer, however it comes to be sent.
func TestProblemHasFields(t *testing.T) {
	refused := &server.Problem{Code: 415, Fields: []server.Field{{Name: "Accept", Value: "text/csv"}, {Name: "Accept-Patch", Value: "a/b"}}}
	for name, answer := range map[string]server.Response{
		"Fail":  server.Fail(refused),
		"Later": server.Later(pipeline.Fail[server.Response](refused)),
	} {
		result := servertest.Answer(t, func(*server.Request) server.Response { return answer }, servertest.Get("/"))
		got := [...]string{result.Field("Content-Type"), result.Field("Accept"), result.Field("Accept-Patch")}
		if want := [...]string{"application/problem+json", "text/csv", "a/b"}; result.Status != 415 || got != want {
			t.Errorf("the answer through %s is %d with %q; it should be 415 with %q", name, result.Status, got, want)
		}
	}
}
