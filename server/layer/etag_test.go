package layer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

func tagOf(t *testing.T, h server.Handler, method string) string {
	t.Helper()
	response, _ := ask(t, ETag()(h), request(method))
	return response.Header.Get("ETag")
}

func TestETagIsMadeOfTheBody(t *testing.T) {
	hello := tagOf(t, greet, "GET")
	if tag, rest := cutTag(hello); tag == "" || rest != "" || strings.HasPrefix(tag, "W/") {
		t.Errorf("a complete answer should have a strong entity-tag, and has %q", hello)
	}
	if again := tagOf(t, answering(server.Bytes(200, "", []byte("hello"))), "HEAD"); again != hello {
		t.Errorf("the same body should have the same tag, for HEAD too: %q and %q", hello, again)
	}
	if other := tagOf(t, answering(server.Text(200, "hellO")), "GET"); other == hello {
		t.Errorf("another body should have another tag, and has %q too", other)
	}
	if own := tagOf(t, answering(server.Text(200, "hello").With("ETag", `W/"own"`)), "GET"); own != `W/"own"` {
		t.Errorf("the handler's own tag should stay, and became %q", own)
	}
	for why, h := range map[string]server.Handler{
		"another status": answering(server.Text(201, "hello")),
		"a failure":      answering(server.Fail(&server.Error{Code: 404, Message: "No."})),
		"a huge body":    answering(server.Bytes(200, "", make([]byte, maxHashed+1))),
		"a stream":       kinds(t)[2].answer,
	} {
		if tag := tagOf(t, h, "GET"); tag != "" {
			t.Errorf("%s should be given no tag, and has %q", why, tag)
		}
	}
	if tag := tagOf(t, greet, "POST"); tag != "" {
		t.Errorf("the answer to a POST should be given no tag, and has %q", tag)
	}
}

const (
	before = "Sat, 07 Mar 2026 13:05:08 GMT"
	then   = "Sat, 07 Mar 2026 13:05:09 GMT"
	after  = "Sat, 07 Mar 2026 13:05:10 GMT"
)

func TestConditionalRequests(t *testing.T) {
	strong := server.Text(200, "hello").With("ETag", `"x"`).With("Last-Modified", then)
	weak := server.Text(200, "hello").With("ETag", `W/"x"`)
	dated := server.Text(200, "hello").With("Last-Modified", then)
	bare := server.Text(206, "hello")
	for _, c := range []struct {
		why      string
		response server.Response
		fields   []string
		status   int
	}{
		{"no condition", strong, nil, 200},
		{"the tag is there", strong, []string{`If-None-Match: "x"`}, 304},
		{"the tag is in a list", strong, []string{`If-None-Match: "y", , W/"x" ,"z,"`}, 304},
		{"the tag is in another line", strong, []string{`If-None-Match: "y"`, `If-None-Match: "x"`}, 304},
		{"another tag", strong, []string{`If-None-Match: "y"`}, 200},
		{"any tag", strong, []string{"If-None-Match: *"}, 304},
		{"any tag, without one", bare, []string{"If-None-Match: *"}, 304},
		{"a tag, without one", bare, []string{`If-None-Match: ""`}, 206},
		{"weakly the same", weak, []string{`If-None-Match: "x"`}, 304},
		{"a tag without quotes", strong, []string{"If-None-Match: x"}, 200},
		{"a list that is malformed at its end", strong, []string{`If-None-Match: "x" "y"`}, 200},
		{"any tag and one more", strong, []string{`If-None-Match: *, "x"`}, 200},
		{"an empty list", strong, []string{"If-None-Match: ,"}, 200},
		{"not modified", dated, []string{"If-Modified-Since: " + then}, 304},
		{"not modified, asked of a later time", dated, []string{"If-Modified-Since: " + after}, 304},
		{"not modified, in another form", dated, []string{"If-Modified-Since: Sat Mar  7 13:05:09 2026"}, 304},
		{"modified", dated, []string{"If-Modified-Since: " + before}, 200},
		{"no date", dated, []string{"If-Modified-Since: yesterday"}, 200},
		{"two dates", dated, []string{"If-Modified-Since: " + then, "If-Modified-Since: " + then}, 200},
		{"a date, without one", bare, []string{"If-Modified-Since: " + then}, 206},
		{"a tag goes before a date", strong, []string{`If-None-Match: "y"`, "If-Modified-Since: " + after}, 200},
		{"also if it is malformed", strong, []string{"If-None-Match: y", "If-Modified-Since: " + after}, 200},
		{"it must match, and does", strong, []string{`If-Match: "y", "x"`}, 200},
		{"it must match, and does not", strong, []string{`If-Match: "y"`}, 412},
		{"it must match strongly", weak, []string{`If-Match: W/"x"`}, 412},
		{"it must match anything", bare, []string{"If-Match: *"}, 206},
		{"it must match, without a tag", bare, []string{`If-Match: "x"`}, 412},
		{"it must match something malformed", strong, []string{"If-Match: y"}, 200},
		{"it must match nothing", strong, []string{"If-Match: ,"}, 200},
		{"it must match before it must not", strong, []string{`If-Match: "y"`, `If-None-Match: "x"`}, 412},
		{"it must match, and must not", strong, []string{`If-Match: "x"`, `If-None-Match: "x"`}, 304},
		{"unmodified", dated, []string{"If-Unmodified-Since: " + then}, 200},
		{"unmodified, and is not", dated, []string{"If-Unmodified-Since: " + before}, 412},
		{"unmodified, no date", dated, []string{"If-Unmodified-Since: yesterday"}, 200},
		{"a match goes before a date", strong, []string{`If-Match: "x"`, "If-Unmodified-Since: " + before}, 200},
		{"not a success", server.Text(404, "No.").With("ETag", `"x"`), []string{`If-None-Match: "x"`}, 404},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if response, _ := ask(t, ETag()(answering(c.response)), request(method, c.fields...)); response.StatusCode != c.status {
				t.Errorf("%s %s: the answer should be %d, and is %d", method, c.why, c.status, response.StatusCode)
			}
		}
		if response, _ := ask(t, ETag()(answering(c.response)), request("PUT", c.fields...)); response.StatusCode != c.response.Status() {
			t.Errorf("PUT %s: the conditions are the handler's, and the answer is %d", c.why, response.StatusCode)
		}
	}
}

func TestNotModifiedHasTheFieldsThatCachesNeed(t *testing.T) {
	full := server.Text(200, "hello").With("ETag", `"x"`).With("Last-Modified", then).
		Add("Vary", "Accept").Add("Vary", "Origin").With("Cache-Control", "no-cache").With("Expires", after).
		With("Content-Location", "/there").With("Content-Language", "en").With("Content-Encoding", "x-test").With("X-Request-ID", "1")
	response, body := ask(t, ETag()(answering(full)), request("GET", `If-None-Match: "x"`))
	if response.StatusCode != 304 || body != "" {
		t.Fatalf("the answer should be 304 without a body, and is %d with %q", response.StatusCode, body)
	}
	for name, want := range map[string]string{
		"ETag": `"x"`, "Vary": "Accept, Origin", "Cache-Control": "no-cache", "Expires": after, "Content-Location": "/there", "X-Request-Id": "1",
		"Content-Type": "", "Content-Language": "", "Content-Encoding": "", "Last-Modified": "",
	} {
		if got := strings.Join(response.Header.Values(name), ", "); got != want {
			t.Errorf("the field %s of a 304 should be %q, and is %q", name, want, got)
		}
	}
	dated := server.Text(200, "hello").With("Last-Modified", then).With("ETag", "")
	response, _ = ask(t, ETag()(answering(dated)), request("GET", "If-Modified-Since: "+then))
	if got := response.Header.Get("Last-Modified"); response.StatusCode != 304 || got != then {
		t.Errorf("without an ETag a 304 should have the Last-Modified, and is %d with %q", response.StatusCode, got)
	}
}

// What is not sent is closed.
func TestConditionsCloseWhatTheyReplace(t *testing.T) {
	closed := 0
	stream := func(*server.Request) server.Response {
		return server.Stream(200, "", pipeline.OnClose(pipeline.Once([]byte("hello")), func() { closed++ })).With("ETag", `"x"`)
	}
	for condition, status := range map[string]int{`If-None-Match: "x"`: 304, `If-Match: "y"`: 412} {
		closed = 0
		if response, _ := ask(t, ETag()(stream), request("GET", condition)); response.StatusCode != status || closed != 1 {
			t.Errorf("%s: a stream should be closed once and answered with %d, and was closed %d times and answered with %d", condition, status, closed, response.StatusCode)
		}
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	response, _ := ask(t, ETag()(func(*server.Request) server.Response {
		return server.File(200, "", file, 0, 5).With("Last-Modified", then)
	}), request("GET", "If-Modified-Since: "+then))
	if err := file.Close(); response.StatusCode != 304 || err == nil {
		t.Errorf("a file should be closed and answered with 304, and was answered with %d; closing it again gave %v", response.StatusCode, err)
	}
}
