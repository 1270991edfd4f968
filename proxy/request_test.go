package proxy

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// sent returns what the upstream gets of a request, without its Host and the fields that the proxy adds.
func sent(t *testing.T, o Options, request string) string {
	t.Helper()
	o.Forwarded, o.XForwarded, o.Via = Remove, Remove, "-"
	return received(t, o, request)
}

// received returns what the upstream gets of a request, without its Host.
func received(t *testing.T, o Options, request string) string {
	t.Helper()
	u := record(t, emptyAnswer)
	answer := answerTo(t, serve(t, One(u.Upstream), o), request)
	if !strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\n") {
		t.Fatalf("the request %q should be answered, and got %q", request, answer)
	}
	head := u.head(t)
	begin := strings.Index(head, "Host: ")
	return head[:begin] + head[begin+strings.Index(head[begin:], "\r\n")+2:]
}

func TestFieldsOfOneConnectionDoNotPass(t *testing.T) {
	got := sent(t, Options{}, "GET /a?b=%20 HTTP/1.1\r\nHost: h\r\n"+
		"Accept: x\r\nConnection: close, X-Named, Content-Length, host\r\nKeep-Alive: timeout=5\r\n"+
		"Proxy-Connection: keep-alive\r\nProxy-Authenticate: Basic\r\nProxy-Authorization: Basic x\r\n"+
		"TE: trailers, gzip\r\nTrailer: X-Sum\r\nX-Named: 1\r\nConnection: \r\nx-Other: 2\r\nProxy: evil\r\n"+
		"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAA\r\nX-named: 3\r\nX-Last: 4\r\n\r\n")
	want := "GET /a?b=%20 HTTP/1.1\r\nAccept: x\r\nTrailer: X-Sum\r\nx-Other: 2\r\nX-Last: 4\r\n"
	if got != want {
		t.Errorf("the upstream should get only what concerns more than one connection, %q, and got %q", want, got)
	}
}

// HOSTILE 17: a CGI program sees no difference between a hyphen and an underscore.
func TestFieldsThatLookLikeFramingDoNotPass(t *testing.T) {
	got := sent(t, Options{}, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"+
		"Content_Length: 5\r\nTransfer_Encoding: chunked\r\ntransfer-Encoding_: x\r\nX_Forwarded_For: 1.2.3.4\r\nKeep_Alive: 1\r\nX_Mine: 1\r\n\r\n")
	want := "GET / HTTP/1.1\r\ntransfer-Encoding_: x\r\nX_Mine: 1\r\n"
	if got != want {
		t.Errorf("the upstream should get no field that can be taken for framing, but %q, and got %q", want, got)
	}
}

func TestConnectionWithTooManyOptionsIsRefused(t *testing.T) {
	u := record(t, emptyAnswer)
	answer := answerTo(t, serve(t, One(u.Upstream), Options{}), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close"+strings.Repeat(",a", 64)+"\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
		t.Errorf("a Connection field with 65 options should be answered with 400, and got %q", answer)
	}
}

func TestTargetIsSentInOriginForm(t *testing.T) {
	for _, c := range []struct{ method, target, want string }{
		{"GET", "/", "/"},
		{"GET", "/a%2fb/../c//d?e=f?g", "/a%2fb/../c//d?e=f?g"},
		{"GET", "http://other:81/x?y", "/x?y"},
		{"GET", "http://other", "/"},
		{"GET", "http://other?y", "/?y"},
		{"OPTIONS", "*", "*"},
		{"OPTIONS", "http://other", "*"},
		{"OPTIONS", "http://other/", "/"},
		{"X-ODD!", "/", "/"},
	} {
		got := sent(t, Options{}, c.method+" "+c.target+" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if want := c.method + " " + c.want + " HTTP/1.1\r\n"; got != want {
			t.Errorf("%s %s should reach the upstream as %q, and came as %q", c.method, c.target, want, got)
		}
	}
}

func TestHost(t *testing.T) {
	for _, c := range []struct {
		name, target, want string
		o                  Options
	}{
		{"the upstream's own by default", "/", "", Options{}},
		{"the client's when it is kept", "/", "client.example:8080", Options{KeepHost: true}},
		{"that of an absolute target when it is kept", "http://absolute.example/", "absolute.example", Options{KeepHost: true}},
		{"another when there is one", "/", "other.example", Options{Host: "other.example", KeepHost: true}},
	} {
		u := record(t, emptyAnswer)
		answerTo(t, serve(t, One(u.Upstream), c.o), "GET "+c.target+" HTTP/1.1\r\nHost: client.example:8080\r\nConnection: close\r\n\r\n")
		head := u.head(t)
		if c.want == "" && !strings.Contains(head, "\r\nHost: 127.0.0.1:") || !strings.Contains(head, "\r\nHost: "+c.want) || strings.Count(head, "\r\nHost:") != 1 {
			t.Errorf("%s: the Host should be %q, and the upstream got %q", c.name, c.want, head)
		}
	}
}

func TestHostThatCannotBeSent(t *testing.T) {
	u := record(t, emptyAnswer)
	answer := answerTo(t, serve(t, One(u.Upstream), Options{KeepHost: true}), "GET / HTTP/1.1\r\nHost: a,b\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
		t.Errorf("a kept host that upstreams may take for two should be answered with 400, and got %q", answer)
	}
}

func TestMethodsOfTheProxyItself(t *testing.T) {
	u := record(t, emptyAnswer)
	address := serve(t, One(u.Upstream), Options{Forwarded: Remove, XForwarded: Remove, Via: "-"})
	for _, c := range []struct{ request, want string }{
		{"TRACE / HTTP/1.1\r\n", "HTTP/1.1 501 "},
		{"OPTIONS / HTTP/1.1\r\nMax-Forwards: 0\r\n", "HTTP/1.1 204 "},
		{"OPTIONS * HTTP/1.1\r\nMax-Forwards: x\r\n", "HTTP/1.1 400 "},
		{"OPTIONS * HTTP/1.1\r\nMax-Forwards: 3\r\n", "HTTP/1.1 200 "},
		{"GET / HTTP/1.1\r\nMax-Forwards: 0\r\n", "HTTP/1.1 200 "},
	} {
		if answer := answerTo(t, address, c.request+"Host: h\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(answer, c.want) {
			t.Errorf("%q should be answered with %q, and got %q", c.request, c.want, answer)
		}
	}
	if head := u.head(t); !strings.Contains(head, "\r\nMax-Forwards: 2\r\n") {
		t.Errorf("Max-Forwards should be one less at the next server, which got %q", head)
	}
	if head := u.head(t); !strings.Contains(head, "\r\nMax-Forwards: 0\r\n") {
		t.Errorf("Max-Forwards of a GET should be passed on as it is, and the next server got %q", head)
	}
}

func TestRewriteHasTheLastWord(t *testing.T) {
	got := sent(t, Options{Rewrite: func(r *server.Request, out *client.Request) error {
		out.Method, out.Target = "POST", "/v2"+out.Target
		out.Fields = append(out.Fields, parser.Field{Name: "Authorization", Value: "Bearer " + r.Query("token")})
		return nil
	}}, "GET /x?token=t HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if want := "POST /v2/x?token=t HTTP/1.1\r\nAuthorization: Bearer t\r\nContent-Length: 0\r\n"; got != want {
		t.Errorf("the upstream should get what Rewrite has made of the request, %q, and got %q", want, got)
	}
}

func TestRewriteThatFails(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&server.Error{Code: http.StatusForbidden, Message: "Not you."}, "HTTP/1.1 403 Forbidden"},
		{errors.New("secret"), "HTTP/1.1 500 "},
	} {
		u := record(t, emptyAnswer)
		o := Options{Rewrite: func(*server.Request, *client.Request) error { return c.err }}
		answer := answerTo(t, serve(t, One(u.Upstream), o), "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(answer, c.want) || strings.Contains(answer, "secret") {
			t.Errorf("a Rewrite that fails with %q should be answered with %q, and got %q", c.err, c.want, answer)
		}
	}
}

// A body that Rewrite has put around the request's is closed once, whatever becomes of the request.
func TestRewriteOfTheBody(t *testing.T) {
	for _, fails := range []bool{false, true} {
		closed := 0
		u := record(t, emptyAnswer)
		o := Options{Rewrite: func(_ *server.Request, out *client.Request) error {
			out.Body = pipeline.OnClose(out.Body, func() { closed++ })
			if fails {
				return &server.Error{Code: http.StatusForbidden, Message: "Not you."}
			}
			return nil
		}}
		done := make(chan struct{})
		handler := New(One(u.Upstream), o)
		address := servertest.Serve(t, func(r *server.Request) server.Response {
			r.OnFinish(func(int, int64) { close(done) })
			return handler(r)
		}, server.Options{})
		answerTo(t, address, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc")
		if <-done; closed != 1 {
			t.Errorf("the body should be closed once, and was %d times; Rewrite failed: %v", closed, fails)
		}
	}
}

// What a layer has decoded has another length, and no coding any more.
func TestBodyThatWasDecoded(t *testing.T) {
	u := record(t, emptyAnswer)
	o := quiet
	handler := New(One(u.Upstream), o)
	address := servertest.Serve(t, func(r *server.Request) server.Response {
		r.SetDecodedBody(pipeline.Once([]byte("decoded")))
		return handler(r)
	}, server.Options{})
	answerTo(t, address, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")
	if head := u.head(t); strings.Contains(head, "Content-") || !strings.HasSuffix(head, "\r\nTransfer-Encoding: chunked\r\n") {
		t.Errorf("a decoded body should be sent in chunks and without its coding, and the upstream got %q", head)
	}
}
