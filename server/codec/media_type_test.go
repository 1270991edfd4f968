package codec

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// named is what the handlers of these tests read.
type named struct {
	Name string `json:"name"`
}

func (n named) response() server.Response { return server.Text(200, n.Name) }

func TestJSONOfARequest(t *testing.T) {
	strict := serve(t, func(r *server.Request) server.Response { return WithJSON(r, named.response, MaxBytes(20)) })
	lenient := serve(t, func(r *server.Request) server.Response {
		return WithJSON(r, named.response, MaxBytes(20), AllowMissingType())
	})
	const body = `{"name":"A"}`
	for _, c := range []struct {
		why, fields, body string
		asked             asker
		status            int
		want              string
	}{
		{"JSON", "Content-Type: application/json\r\n", body, strict, 200, "A"},
		{"JSON in UTF-8", "Content-Type: Application/JSON; Charset=\"utf-8\"\r\n", body, strict, 200, "A"},
		{"a type that is JSON too", "Content-Type: application/vnd.api+json\r\n", body, strict, 200, "A"},
		{"JSON in another charset", "Content-Type: application/json; charset=utf-16\r\n", body, strict, 415, `The charset is \"utf-16\"; UTF-8 was expected.`},
		{"text", "Content-Type: text/plain\r\n", body, strict, 415, `The Content-Type is \"text/plain\"; application/json was expected.`},
		{"a type that only ends alike", "Content-Type: application/notjson\r\n", body, strict, 415, "application/json was expected"},
		{"a type that is long", "Content-Type: a/" + strings.Repeat("x", 1000) + "\r\n", body, strict, 415, `xxx…\"; application/json`},
		{"a malformed type", "Content-Type: application/json; =\r\n", body, strict, 415, "The Content-Type is malformed"},
		{"no type", "", body, strict, 415, "The request says no Content-Type; application/json was expected."},
		{"no type, allowed", "", body, lenient, 200, "A"},
		{"text, where no type is allowed", "Content-Type: text/plain\r\n", body, lenient, 415, "application/json was expected"},
		{"too long, which shows before it is sent", "Content-Type: application/json\r\nContent-Length: 21\r\nExpect: 100-continue\r\n", "", strict, 413, "longer than the 20 bytes"},
		{"too long without a type", "Content-Length: 21\r\nExpect: 100-continue\r\n", "", lenient, 413, "longer than the 20 bytes"},
		{"nothing", "Content-Type: application/json\r\n", "", strict, 400, "The content is empty; JSON was expected."},
		{"a syntax error", "Content-Type: application/json\r\n", "{", strict, 400, "line 1, column 2 (byte 2)"},
		{"a wrong type", "Content-Type: application/json\r\n", `{"name":1}`, strict, 422, `"errors":[{"pointer":"#/name","detail":"is a number; a string was expected"}]`},
	} {
		status, contentType, content := c.asked.post(c.fields, c.body)
		if status != c.status || !strings.Contains(content, c.want) {
			t.Errorf("%s: the answer is %d, %q; it should be %d, with %q", c.why, status, content, c.status, c.want)
		}
		if (status == 415 || status == 422) && contentType != "application/problem+json" {
			t.Errorf("%s: the answer is of type %q; a problem was expected", c.why, contentType)
		}
	}
}

// A chunked request does not say how long it is.
func TestJSONThatComesInChunksIsCapped(t *testing.T) {
	a := serve(t, func(r *server.Request) server.Response { return WithJSON(r, named.response, MaxBytes(20)) })
	const fields = "Content-Type: application/json\r\n"
	if status, content := a.postChunked(fields, `{"name":`, `"A"}`); status != 200 || content != "A" {
		t.Errorf("JSON in two chunks was answered with %d, %q; 200, \"A\" was expected", status, content)
	}
	if status, content := a.postChunked(fields, `{"name":`, `"0123456789ABC"}`); status != 413 {
		t.Errorf("24 bytes of JSON were answered with %d, %q; 413 was expected", status, content)
	}
}

// What WithJSON calls may have something to wait for in its turn.
func TestAnswerToJSONMayBeStillToCome(t *testing.T) {
	a := serve(t, func(r *server.Request) server.Response {
		return WithJSON(r, func(n named) server.Response {
			return server.Later(pipeline.Map(r.After(time.Nanosecond), func(time.Duration) (server.Response, error) {
				return n.response(), nil
			}))
		})
	})
	if status, _, content := a.post("Content-Type: application/json\r\n", `{"name":"A"}`); status != 200 || content != "A" {
		t.Errorf("the answer is %d, %q; 200, \"A\" was expected", status, content)
	}
}

// A panic in Validate is the fault of the server, and of this exchange alone.
func TestPanicInValidateIsAFailureOfItsExchange(t *testing.T) {
	a := serve(t, func(r *server.Request) server.Response {
		return WithJSON(r, func(bomb) server.Response { return server.Empty(204) })
	})
	for range 2 {
		if status, _, content := a.post("Content-Type: application/json\r\n", "{}"); status != 500 || strings.Contains(content, "bang") {
			t.Errorf("a panic was answered with %d, %q; 500 without its text was expected", status, content)
		}
	}
}

type bomb struct{}

func (bomb) Validate() error { panic("bang") }

// RFC 9110, section 15.5.16: who is refused for the type of the content is told which one to send.
func TestRefusedTypesSayWhatIsAccepted(t *testing.T) {
	json := serve(t, func(r *server.Request) server.Response { return WithJSON(r, named.response) })
	form := serve(t, func(r *server.Request) server.Response {
		return WithForm(r, func(v Values) server.Response { return server.Text(200, v.Get("name")) }, FormLimits{})
	})
	for _, c := range []struct {
		asked  asker
		fields string
		status int
		accept string
	}{
		{json, "", 415, "application/json"},
		{json, "Content-Type: text/plain\r\n", 415, "application/json"},
		{json, "Content-Type: ;\r\n", 415, "application/json"},
		{json, "Content-Type: application/json; charset=latin1\r\n", 415, "application/json"},
		{json, "Content-Type: application/json\r\n", 400, ""},
		{form, "Content-Type: application/json\r\n", 415, "application/x-www-form-urlencoded"},
		{form, "Content-Type: application/x-www-form-urlencoded\r\n", 200, ""},
	} {
		resp, content := c.asked.send(c.fields + "Content-Length: 1\r\n\r\n!")
		if got := strings.Join(resp.Header.Values("Accept"), ", "); resp.StatusCode != c.status || got != c.accept {
			t.Errorf("to %q the answer is %d, %q, with Accept: %q; it should be %d, with %q", c.fields, resp.StatusCode, content, got, c.status, c.accept)
		}
	}
}

// TestCodedContentIsRefused: what is coded is not read as if it were not, unless a layer decodes it.
func TestCodedContentIsRefused(t *testing.T) {
	json := func(r *server.Request) server.Response { return WithJSON(r, named.response) }
	form := func(r *server.Request) server.Response {
		return WithForm(r, func(v Values) server.Response { return server.Text(200, v.Get("name")) }, FormLimits{})
	}
	decoded := func(r *server.Request) server.Response {
		r.SetDecodedBody(r.Body)
		return json(r)
	}
	for _, c := range []struct {
		h            server.Handler
		fields, body string
		status       int
		accept       string
	}{
		{json, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "{}", 415, "identity"},
		{json, "Content-Type: application/json\r\nContent-Encoding: identity, br\r\n", "{}", 415, "identity"},
		{json, "Content-Type: application/json\r\nContent-Encoding: Identity\r\n", "{}", 200, ""},
		{json, "Content-Type: application/json\r\nContent-Encoding: \r\n", "{}", 200, ""},
		{decoded, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "{}", 200, ""},
		{form, "Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: zstd\r\n", "name=a", 415, "identity"},
		{form, "Content-Type: application/x-www-form-urlencoded\r\nContent-Encoding: zstd\r\n", "", 200, ""},
	} {
		asked := serve(t, c.h)
		resp, content := asked.send(c.fields + "Content-Length: " + strconv.Itoa(len(c.body)) + "\r\n\r\n" + c.body)
		if accept := resp.Header.Get("Accept-Encoding"); resp.StatusCode != c.status || accept != c.accept {
			t.Errorf("to %q the answer is %d, %q, with Accept-Encoding: %q; it should be %d, with %q",
				c.fields, resp.StatusCode, content, accept, c.status, c.accept)
		}
	}
}
