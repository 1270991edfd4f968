package client

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

func TestDoAsksTheServerOfTheURL(t *testing.T) {
	w := newWeb(t, Options{}, redirecting)
	w.do(&Request{Target: "HTTP://10.0.0.1:81/a%20b?c#d"})
	w.wants("http://10.0.0.1:81/a%20b?c", "http://10.0.0.1:81/a%20b?c#d", io.EOF)
	if got := w.asked(); got != "10.0.0.1:81 GET /a%20b?c" {
		t.Errorf("The server was asked for %q.", got)
	}
	if _, err := w.source.Poll(&w.waker); err != io.EOF {
		t.Errorf("Behind its response the source ends with %v; io.EOF was expected.", err)
	}
}

// TestHostIsThatOfTheURL, although the upstream is known by another spelling.
func TestHostIsThatOfTheURL(t *testing.T) {
	w := newWeb(t, Options{}, redirecting)
	w.do(&Request{Target: "http://10.0.0.1/"})
	w.do(&Request{Target: "http://10.0.0.1:80/"})
	if got := w.asked(); got != "10.0.0.1 GET /, 10.0.0.1:80 GET /" || len(w.scripts) != 1 {
		t.Errorf("The server was asked for %q over %d connections.", got, len(w.scripts))
	}
}

func TestDoRefusesTargets(t *testing.T) {
	for target, reason := range map[string]string{
		"":                          "http://",
		"/path":                     "http://",
		"10.0.0.1":                  "http://",
		"https://10.0.0.1/":         "TLS",
		"ftp://10.0.0.1/":           "http://",
		"unix:/run/socket":          "http://",
		"http://":                   "host and port",
		"http://:80/":               "host and port",
		"http://10.0.0.1:0/":        "host and port",
		"http://u:secret@10.0.0.1/": "user information",
		"http://10.0.0.1/%zz":       "URI reference",
	} {
		body := allOf(t, "ab")
		w := newWeb(t, Options{}, redirecting)
		w.do(&Request{Method: "POST", Target: target, Body: body, Length: 2})
		if !errors.Is(w.end, ErrRequest) || !strings.Contains(w.end.Error(), reason) || strings.Contains(w.end.Error(), "secret") {
			t.Errorf("The target %q ends with %v; ErrRequest because of %q, and without a password, was expected.", target, w.end, reason)
		}
		if body.closes != 1 || len(w.scripts) != 0 {
			t.Errorf("The target %q closes the body %d times, and opens %d connections.", target, body.closes, len(w.scripts))
		}
	}
}

func TestRedirectsAreFollowed(t *testing.T) {
	for _, c := range []struct{ method, target, asked string }{
		{"GET", "/301//y", "10.0.0.1 GET /301//y, 10.0.0.1 GET /y"},
		{"GET", "/302/y", "10.0.0.1 GET /302/y, 10.0.0.1 GET /302/y, 10.0.0.1 GET /302/y"},
		{"GET", "/302/?z", "10.0.0.1 GET /302/?z, 10.0.0.1 GET /302/?z, 10.0.0.1 GET /302/?z"},
		{"POST", "/303//y?z", "10.0.0.1 POST /303//y?z, 10.0.0.1 GET /y?z"},
		{"HEAD", "/303//y", "10.0.0.1 HEAD /303//y, 10.0.0.1 HEAD /y"},
		{"DELETE", "/307//y", "10.0.0.1 DELETE /307//y, 10.0.0.1 DELETE /y"},
		{"GET", "/308/http://10.0.0.2:81/301//z", "10.0.0.1 GET /308/http://10.0.0.2:81/301//z, 10.0.0.2:81 GET /301//z, 10.0.0.2:81 GET /z"},
		{"GET", "/300//y", "10.0.0.1 GET /300//y"},
		{"GET", "/304//y", "10.0.0.1 GET /304//y"},
	} {
		w := newWeb(t, Options{MaxRedirects: 2}, redirecting)
		w.do(&Request{Method: c.method, Target: "http://10.0.0.1" + c.target})
		if got := w.asked(); got != c.asked {
			t.Errorf("%s %s should be asked for as %q, and is as %q.", c.method, c.target, c.asked, got)
		}
		if loops := strings.Count(c.asked, "302") == 3; w.end != io.EOF && !(loops && errors.Is(w.end, ErrTooManyRedirects)) {
			t.Errorf("%s %s ends with %v.", c.method, c.target, w.end)
		}
	}
}

// TestRedirectKeepsTheConnection: what a redirect says behind its head does not cost a connection, unless it is long.
func TestRedirectKeepsTheConnection(t *testing.T) {
	for _, c := range []struct {
		what, rest  string
		connections int
	}{
		{"a short body", "Content-Length: 4\r\n\r\nmore", 1},
		{"a body that comes later", "Content-Length: 4\r\n\r\n\x00mo\x00re", 1},
		{"a chunked body", "Transfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n", 1},
		{"a long body", fmt.Sprintf("Content-Length: %d\r\n\r\nmore", maxDrained+1), 2},
		{"an endless body", "Transfer-Encoding: chunked\r\n\r\n2000\r\n" + strings.Repeat("x", maxDrained), 2},
		{"a connection that is closed", "Connection: close\r\nContent-Length: 4\r\n\r\nmo", 2},
	} {
		w := newWeb(t, Options{MaxRedirects: 1}, func(server, head string) string {
			if strings.HasPrefix(head, "GET /x ") {
				return "HTTP/1.1 302 Found\r\nLocation: /y\r\n" + c.rest
			}
			return redirecting(server, head)
		})
		w.do(&Request{Target: "http://10.0.0.1/x"})
		w.wants("http://10.0.0.1/y", "http://10.0.0.1/y", io.EOF)
		if len(w.scripts) != c.connections {
			t.Errorf("With %s the redirect was followed over %d connections; %d were expected.", c.what, len(w.scripts), c.connections)
		}
	}
}

// TestRedirectOfAStream: it is there only once.
func TestRedirectOfAStream(t *testing.T) {
	for status, follows := range map[int]bool{302: true, 303: true, 307: false, 308: false} {
		body := allOf(t, "ab")
		w := newWeb(t, Options{MaxRedirects: 5}, redirecting)
		w.do(&Request{Method: "POST", Target: fmt.Sprintf("http://10.0.0.1/%d//y", status), Body: body, Length: 2, ExpectContinue: status == 308,
			Fields: []parser.Field{{Name: "Content-Type", Value: "text/plain"}}})
		if follows {
			w.wants("http://10.0.0.1/y", "http://10.0.0.1/y", io.EOF)
			if last := w.heads[len(w.heads)-1]; strings.Contains(last, "Content-") {
				t.Errorf("Behind a %d the request is %q, and should say nothing of a body.", status, last)
			}
		} else {
			w.wants("more", fmt.Sprintf("http://10.0.0.1/%d//y", status), io.EOF)
		}
		if body.closes != 1 {
			t.Errorf("Behind a %d the body was closed %d times.", status, body.closes)
		}
	}
}

func TestTooManyRedirects(t *testing.T) {
	again := func(string, string) string {
		return "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"
	}
	w := newWeb(t, Options{MaxRedirects: 3}, again)
	w.do(&Request{Target: "http://10.0.0.1/"})
	if !errors.Is(w.end, ErrTooManyRedirects) || len(w.heads) != 4 {
		t.Errorf("A loop ends with %v behind %d requests; ErrTooManyRedirects behind 4 was expected.", w.end, len(w.heads))
	}
	w = newWeb(t, Options{}, again)
	w.do(&Request{Target: "http://10.0.0.1/"})
	if w.end != io.EOF || w.response.URL().Path != "/" {
		t.Errorf("When none are to be followed, a redirect ends with %v; it should be the answer.", w.end)
	}
}

func TestCredentialsAcrossHosts(t *testing.T) {
	w := newWeb(t, Options{MaxRedirects: 5}, redirecting)
	w.do(&Request{Target: "http://10.0.0.1/302//302/http://10.0.0.2/y", Host: "virtual.test", Fields: []parser.Field{
		{Name: "Authorization", Value: "Basic eA=="}, {Name: "Accept", Value: "*/*"}}})
	w.wants("http://10.0.0.2/y", "http://10.0.0.2/y", io.EOF)
	for i, want := range []string{"virtual.test Basic eA== */*", "virtual.test Basic eA== */*", "10.0.0.2  */*"} {
		head := w.heads[i]
		if got := hostField(head) + " " + fieldOf(head, "Authorization") + " " + fieldOf(head, "Accept"); got != want {
			t.Errorf("Request %d has %q; %q was expected.", i+1, got, want)
		}
	}
}

// TestCookiesOfRedirects: one that is set on the way is sent from then on, and the caller's own fields stay as they were.
func TestCookiesOfRedirects(t *testing.T) {
	jar := new(listJar)
	w := newWeb(t, Options{MaxRedirects: 5, Jar: jar}, func(server, head string) string {
		answer := redirecting(server, head)
		return strings.Replace(answer, "Content-Length", fmt.Sprintf("Set-Cookie: n%d=v; Path=/\r\nContent-Length", len(answer)), 1)
	})
	fields := []parser.Field{{Name: "Cookie", Value: "own=1"}}
	w.do(&Request{Target: "http://10.0.0.1/302//302//y", Fields: fields})
	w.wants("http://10.0.0.1/y", "http://10.0.0.1/y", io.EOF)
	for i, head := range w.heads {
		if got := strings.Count(fieldOf(head, "Cookie"), ";"); got != i || !strings.Contains(head, "Cookie: own=1") {
			t.Errorf("Request %d has the cookies %q; own=1 and %d of the jar were expected.", i+1, fieldOf(head, "Cookie"), i)
		}
	}
	if len(jar.told) != 3 || fields[0].Value != "own=1" {
		t.Errorf("The jar was told of %q, and the caller's cookies are %q.", jar.told, fields[0].Value)
	}
}

// TestTotalCoversAllHops: a server that goes on redirecting, a second each time, is given up.
func TestTotalCoversAllHops(t *testing.T) {
	for _, ofRequest := range []bool{true, false} {
		var w *web
		o, r := Options{MaxRedirects: 100}, &Request{Target: "http://10.0.0.1/"}
		if o.Timeouts.Total = 5 * time.Second; ofRequest {
			r.Timeouts, o.Timeouts.Total = &Timeouts{Total: 5 * time.Second}, 0
		}
		w = newWeb(t, o, func(string, string) string {
			w.loop.Advance(time.Second)
			return "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 1\r\n\r\nx"
		})
		w.do(r)
		if !errors.Is(w.end, ErrTotalTimeout) || len(w.heads) != 5 {
			t.Errorf("A total of 5 seconds ends with %v behind %d requests of a second each.", w.end, len(w.heads))
		}
	}
}

// TestCloseAnywhere: at each step of a request with redirects and a body, from outside and from within the jar and the
// hooks.
func TestCloseAnywhere(t *testing.T) {
	for within := range 4 {
		for at := range 16 {
			jar := new(listJar)
			body := allOf(t, "ab")
			calls := 0
			var w *web
			leave := func() {
				if calls++; calls == at+1 {
					w.source.Close()
				}
			}
			o := Options{MaxRedirects: 5, Jar: jar}
			r := &Request{Method: "POST", Target: "http://10.0.0.1/302//302/http://10.0.0.2/y", Body: body, Length: 2}
			switch within {
			case 1:
				jar.inCall = leave
			case 2:
				o.Hooks.Released = func(ConnectionInfo) { leave() }
			case 3:
				r.Informed = func(*parser.Head) { leave() }
			}
			w = newWeb(t, o, func(server, head string) string {
				answer := redirecting(server, head)
				return "HTTP/1.1 103 Early Hints\r\n\r\n" + strings.Replace(answer, "Content-Length", "Set-Cookie: a=b\r\nContent-Length", 1)
			})
			w.begin(r)
			for step := 0; (within > 0 || step < at) && w.step(); step++ {
			}
			if within == 0 {
				w.source.Close()
			}
			if w.end != nil && w.end != io.EOF && w.end != pipeline.ErrClosed {
				t.Errorf("Closed at %d within %d, the exchange ends with %v.", at, within, w.end)
			}
			if within > 0 && at == 15 && calls < 3 {
				t.Errorf("Of three requests %d calls within %d were made; each was expected to make one.", calls, within)
			}
			if within == 1 && calls > at && w.response != nil {
				t.Errorf("Closed by its jar at %d, the exchange has given a response all the same.", at)
			}
			if w.finish(); body.closes != 1 {
				t.Errorf("Closed at %d within %d, the body was closed %d times.", at, within, body.closes)
			}
		}
	}
}

func TestClosedClientDoesNotAsk(t *testing.T) {
	w := newWeb(t, Options{}, redirecting)
	w.client.Close()
	if w.do(&Request{Target: "http://10.0.0.1/"}); !errors.Is(w.end, ErrClientClosed) {
		t.Errorf("A request of a client that was closed ends with %v.", w.end)
	}
}
