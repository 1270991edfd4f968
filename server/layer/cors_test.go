package layer

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/server"
)

// corsFields are the fields of an answer that CORS sets, as one text.
func corsFields(response *http.Response) string {
	var all []string
	for _, name := range []string{"Origin", "Credentials", "Methods", "Headers"} {
		for _, value := range response.Header.Values("Access-Control-Allow-" + name) {
			all = append(all, name+": "+value)
		}
	}
	for _, name := range []string{"Access-Control-Expose-Headers", "Access-Control-Max-Age", "Vary"} {
		for _, value := range response.Header.Values(name) {
			all = append(all, strings.TrimPrefix(name, "Access-Control-")+": "+value)
		}
	}
	return strings.Join(all, "; ")
}

func TestCORSLetsAnswersBeRead(t *testing.T) {
	listed := CORSOptions{Origins: []string{"https://a.test", "null"}, Exposed: []string{"X-A", "X-B"}}
	asked := CORSOptions{AllowOrigin: func(o string) bool { return strings.HasSuffix(o, ".a.test") }, Credentials: true}
	open := CORSOptions{Origins: []string{"*"}, Exposed: []string{"*"}}
	for _, c := range []struct {
		why     string
		options CORSOptions
		fields  []string
		want    string
	}{
		{"no origin", listed, nil, "Vary: Origin"},
		{"an origin that is listed", listed, []string{"Origin: https://a.test"}, "Origin: https://a.test; Expose-Headers: X-A, X-B; Vary: Origin"},
		{"the null origin, listed", listed, []string{"Origin: null"}, "Origin: null; Expose-Headers: X-A, X-B; Vary: Origin"},
		{"the null origin, not listed", asked, []string{"Origin: null"}, "Vary: Origin"},
		{"another port", listed, []string{"Origin: https://a.test:444"}, "Vary: Origin"},
		{"another scheme", listed, []string{"Origin: http://a.test"}, "Vary: Origin"},
		{"a longer name", listed, []string{"Origin: https://a.test.evil.test"}, "Vary: Origin"},
		{"two origins", listed, []string{"Origin: https://a.test", "Origin: https://a.test"}, "Vary: Origin"},
		{"the word for every origin", listed, []string{"Origin: *"}, "Vary: Origin"},
		{"an origin that is asked for", asked, []string{"Origin: https://b.a.test"}, "Origin: https://b.a.test; Credentials: true; Vary: Origin"},
		{"an origin that is asked for in vain", asked, []string{"Origin: https://a.test"}, "Vary: Origin"},
		{"every origin", open, []string{"Origin: https://a.test"}, "Origin: *; Expose-Headers: *"},
		{"every origin, and none is there", open, nil, "Origin: *; Expose-Headers: *"},
		{"none", CORSOptions{}, []string{"Origin: https://a.test"}, "Vary: Origin"},
	} {
		response, body := ask(t, CORS(c.options)(greet), request("GET", c.fields...))
		if got := corsFields(response); got != c.want || body != "hello" {
			t.Errorf("%s: the answer should be the handler's with %q, and is %q with %q", c.why, c.want, body, got)
		}
	}
}

func TestCORSKeepsTheHandlersVary(t *testing.T) {
	h := answering(server.Empty(204).With("Vary", "Accept").With("Access-Control-Allow-Origin", "*"))
	response, _ := ask(t, CORS(CORSOptions{Origins: []string{"http://a.test"}})(h), request("GET", "Origin: http://a.test"))
	if got := corsFields(response); got != "Origin: http://a.test; Vary: Accept; Vary: Origin" {
		t.Errorf("the layer's origin should replace the handler's, and its Vary be added; the fields are %q", got)
	}
}

const preflightVary = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

func TestCORSAnswersPreflights(t *testing.T) {
	o := CORSOptions{
		Origins: []string{"https://a.test"}, Methods: []string{"PUT", "patch"},
		Fields: []string{"Content-Type", "X-Token"}, Credentials: true, MaxAge: 90 * time.Second,
	}
	granted := "Origin: https://a.test; Credentials: true; Methods: PUT, patch; Headers: Content-Type, X-Token; Max-Age: 90; " + preflightVary
	refused := "Origin: https://a.test; Credentials: true; " + preflightVary
	for _, c := range []struct {
		why    string
		fields []string
		status int
		want   string
	}{
		{"a method that is listed", []string{"Origin: https://a.test", "Access-Control-Request-Method: PUT"}, 204, granted},
		{"a method that always is", []string{"Origin: https://a.test", "Access-Control-Request-Method: POST"}, 204, granted},
		{"a method in another case", []string{"Origin: https://a.test", "Access-Control-Request-Method: PATCH"}, 403, refused},
		{"a method that is not listed", []string{"Origin: https://a.test", "Access-Control-Request-Method: DELETE"}, 403, refused},
		{"fields", []string{"Origin: https://a.test", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: content-type,\tX-TOKEN ,"}, 204, granted},
		{"a field too many", []string{"Origin: https://a.test", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: content-type, x-other"}, 403, refused},
		{"a field too many, in a line of its own", []string{"Origin: https://a.test", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: content-type", "Access-Control-Request-Headers: x-other"}, 403, refused},
		{"another origin", []string{"Origin: https://b.test", "Access-Control-Request-Method: GET"}, 403, preflightVary},
	} {
		response, _ := ask(t, CORS(o)(func(*server.Request) server.Response {
			t.Errorf("%s: a preflight should not reach the handler", c.why)
			return server.Empty(200)
		}), request("OPTIONS", c.fields...))
		if got := corsFields(response); got != c.want || response.StatusCode != c.status {
			t.Errorf("%s: the answer should be %d with\n%s; it is %d with\n%s", c.why, c.status, c.want, response.StatusCode, got)
		}
	}
}

func TestCORSWildcardsInPreflights(t *testing.T) {
	o := CORSOptions{Origins: []string{"*"}, Methods: []string{"*"}, Fields: []string{"*"}, MaxAge: -time.Minute}
	for field, status := range map[string]int{"x-any": 204, "authorization": 403} {
		response, _ := ask(t, CORS(o)(greet), request("OPTIONS", "Origin: https://a.test", "Access-Control-Request-Method: DELETE", "Access-Control-Request-Headers: "+field))
		if response.StatusCode != status {
			t.Errorf("the field %s should be answered with %d when every one is allowed (* is not Authorization), and was with %d", field, status, response.StatusCode)
		}
		if got := response.Header.Get("Access-Control-Max-Age"); status == 204 && got != "0" {
			t.Errorf("a negative MaxAge should be sent as 0, and is %q", got)
		}
	}
	o.Fields = append(o.Fields, "Authorization")
	response, _ := ask(t, CORS(o)(greet), request("OPTIONS", "Origin: https://a.test", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization"))
	if response.StatusCode != 204 {
		t.Errorf("Authorization is listed, and was answered with %d", response.StatusCode)
	}
}

func TestCORSLeavesOtherOptionsRequestsAlone(t *testing.T) {
	for why, fields := range map[string][]string{
		"no method asked for": {"Origin: https://a.test"},
		"no origin":           {"Access-Control-Request-Method: GET"},
	} {
		if _, body := ask(t, CORS(CORSOptions{})(greet), request("OPTIONS", fields...)); body != "hello" {
			t.Errorf("%s: this is no preflight, and should reach the handler; the answer is %q", why, body)
		}
	}
}

func TestCORSRefusesWhatCannotBeMeant(t *testing.T) {
	all := []string{"*"}
	for why, o := range map[string]CORSOptions{
		"every origin with credentials":     {Origins: all, Credentials: true},
		"every method with credentials":     {Methods: all, Credentials: true},
		"every field with credentials":      {Fields: all, Credentials: true},
		"everything exposed to credentials": {Exposed: all, Credentials: true},
		"every origin, and those asked for": {Origins: all, AllowOrigin: func(string) bool { return true }},
		"an origin with a slash behind it":  {Origins: []string{"https://a.test/"}},
		"an origin without a scheme":        {Origins: []string{"a.test"}},
		"an origin in upper case":           {Origins: []string{"https://A.test"}},
		"an empty origin":                   {Origins: []string{""}},
		"a method that is no token":         {Methods: []string{"PUT, DELETE"}},
		"a name that is no token":           {Fields: []string{"X-A\r\nX-B"}},
		"an empty name":                     {Exposed: []string{""}},
	} {
		func() {
			defer func() {
				if _, isError := recover().(error); !isError {
					t.Errorf("%s: the options should be refused with an error", why)
				}
			}()
			CORS(o)
		}()
	}
}
