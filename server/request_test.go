package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

func TestRequestSaysWhatWasSent(t *testing.T) {
	const request = "POST /a%20b/c?x=1&y=%41+b&x=2&bad=%zz&flag HTTP/1.1\r\nHost: test:80\r\n" +
		"X-Case: One\r\nx-case: two\r\nContent-Type: text/x\r\nContent-Length: 3\r\n\r\nabc"
	want := map[string]string{
		"method": "POST", "target": "/a%20b/c?x=1&y=%41+b&x=2&bad=%zz&flag", "path": "/a b/c",
		"raw query": "x=1&y=%41+b&x=2&bad=%zz&flag", "x": "1", "y": "A b", "bad": "", "none": "",
		"parameters": "x=1 y=A b x=2 flag= ", "host": "test:80", "field": "One", "fields": "X-Case One x-case two ",
		"type": "text/x", "length": "3", "minor": "1",
	}
	got := map[string]string{}
	answer(t, request, func(r *Request) Response {
		got["method"], got["target"], got["path"], got["raw query"] = r.Method(), r.Target(), r.Path(), r.RawQuery()
		got["x"], got["y"], got["bad"], got["none"] = r.Query("x"), r.Query("y"), r.Query("bad"), r.Query("none")
		for n, v := range r.QueryParameters() {
			got["parameters"] += n + "=" + v + " "
		}
		for n, v := range r.Fields().All() {
			if strings.EqualFold(n, "x-case") {
				got["fields"] += n + " " + v + " "
			}
		}
		got["host"], got["field"], got["type"] = r.Host(), r.Field("X-CASE"), r.Type()
		got["length"], got["minor"] = fmt.Sprint(r.Length()), itoa(r.Minor())
		return Empty(200)
	}, Options{})
	for what, w := range want {
		if got[what] != w {
			t.Errorf("the request's %s should be %q, and is %q", what, w, got[what])
		}
	}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct{ target, path, query string }{
		{"/", "/", ""},
		{"/?", "/", ""},
		{"/a?b?c", "/a", "b?c"},
		{"/%2e%2e/%2F", "/..//", ""},
		{"http://other/x?y", "/x", "y"},
		{"http://other", "/", ""},
		{"http://other?y", "/", "y"},
		{"*", "*", ""},
	} {
		path, query, err := splitTarget(c.target)
		if path != c.path || query != c.query || err != nil {
			t.Errorf("the target %q should have path %q and query %q, and has %q and %q, error %v", c.target, c.path, c.query, path, query, err)
		}
	}
}

func TestTrailersComeWithTheEndOfTheBody(t *testing.T) {
	const request = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: abc\r\nContent-Length: 9\r\n\r\n"
	before, after := -1, ""
	answer(t, request, func(r *Request) Response {
		before = r.Trailers().Len()
		return Later(pipeline.Map(pipeline.Collect(r.Body, 10), func([]byte) (Response, error) {
			for n, v := range r.Trailers().All() {
				after += n + "=" + v + " "
			}
			return Empty(200), nil
		}))
	}, Options{})
	if before != 0 || after != "X-Sum=abc " {
		t.Errorf("there should be no trailers before the end of the body and X-Sum=abc after; there were %d and %q", before, after)
	}
}

func TestBodyLimits(t *testing.T) {
	chunked := "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nfghij\r\n0\r\n\r\n"
	fixed := "Content-Length: 10\r\n\r\nabcdefghij"
	collect := func(limit int64) Handler {
		return func(r *Request) Response {
			if limit != 0 {
				r.SetBodyLimit(limit)
			}
			return Later(pipeline.Map(pipeline.Collect(r.Body, 100), func(b []byte) (Response, error) { return Text(200, string(b)), nil }))
		}
	}
	for _, c := range []struct {
		why, framing string
		limit        int64 // of the handler
		status       string
	}{
		{"chunked, over the server's limit", chunked, 0, "413"},
		{"declared, over the server's limit", fixed, 0, "413"},
		{"chunked, under the handler's limit", chunked, 10, "200"},
		{"declared, under the handler's limit", fixed, 10, "200"},
		{"no limit", chunked, -1, "200"},
		{"over the handler's limit", fixed, 9, "413"},
	} {
		got, _, _ := answer(t, "POST / HTTP/1.1\r\nHost: test\r\n"+c.framing, collect(c.limit), Options{BodyLimit: 8})
		if !strings.HasPrefix(got, "HTTP/1.1 "+c.status) {
			t.Errorf("%s: the status should be %s:\n%s", c.why, c.status, got)
		}
	}
}

// HOSTILE 22.
func TestExpectContinue(t *testing.T) {
	const request = "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
	const interim = "HTTP/1.1 100 Continue\r\n\r\n"
	echo := func(r *Request) Response { return Stream(200, "", r.Body) }
	if got, _, _ := answer(t, request, echo, Options{}); !strings.HasPrefix(got, interim+"HTTP/1.1 200 ") {
		t.Errorf("100 Continue should go out when the body is asked for, before the head:\n%q", got)
	}
	if got, _, _ := answer(t, request+"abc", echo, Options{}); strings.Contains(got, interim) || !strings.HasSuffix(got, "3\r\nabc\r\n0\r\n\r\n") {
		t.Errorf("100 Continue is not needed when the body is there already:\n%q", got)
	}
	got, _, end := answer(t, request, hello, Options{})
	if strings.Contains(got, interim) || !strings.Contains(got, "Connection: close\r\n") || end == nil {
		t.Errorf("an answer without demand for the body sends no 100 and ends the connection, whose body may or may not come:\n%q", got)
	}
	got, _, _ = answer(t, request, func(r *Request) Response { r.SetBodyLimit(2); return echo(r) }, Options{})
	if !strings.HasPrefix(got, "HTTP/1.1 413 ") {
		t.Errorf("a body that is declared too large should be refused before it is sent:\n%q", got)
	}
	got, _, _ = answer(t, strings.Replace(request, "100-continue", "200-ok", 1), hello, Options{})
	if !strings.HasPrefix(got, "HTTP/1.1 417 ") {
		t.Errorf("any other expectation should be answered with 417:\n%q", got)
	}
}

func TestContextEndsWithTheExchange(t *testing.T) {
	var ctx context.Context
	answer(t, getRequest, func(r *Request) Response {
		ctx = r.Context()
		if ctx != r.Context() || ctx.Err() != nil {
			t.Error("the context should be one and live while the handler runs")
		}
		return Empty(200)
	}, Options{})
	if ctx.Err() == nil || !errors.Is(context.Cause(ctx), errAnswered) {
		t.Errorf("after the response the context should be cancelled because of it, and has %v", context.Cause(ctx))
	}
	answer(t, getRequest, func(r *Request) Response {
		ctx = r.Context()
		return Later(pipeline.NewQueue[Response](r.Loop(), 1, pipeline.Refuse))
	}, Options{})
	if !errors.Is(context.Cause(ctx), ErrClientGone) {
		t.Errorf("with the client gone the context should say so, and has %v", context.Cause(ctx))
	}
}

// HOSTILE 41.
func TestRequestUsedTooLate(t *testing.T) {
	for _, strict := range []bool{false, true} {
		var kept *Request
		var path string
		var body pipeline.Source[[]byte]
		answer(t, "POST /first HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc"+getRequest, func(r *Request) Response {
			switch {
			case kept == nil:
				kept, path, body = r, r.Path(), r.Body
			case strict:
				mustPanic(t, func() { kept.Method() })
				mustPanic(t, func() { kept.RemoteAddr() })
			}
			return Empty(200)
		}, Options{Strict: strict})
		mustPanic(t, func() { kept.Path() })
		if path != "/first" {
			t.Errorf("a string of the first request has changed to %q", path)
		}
		if _, err := body.Poll(nil); err != ErrExchangeEnded {
			t.Errorf("a body polled after its exchange should give ErrExchangeEnded, and gave %v", err)
		}
	}
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("using a Request after its response should panic")
		}
	}()
	f()
}

func TestMethodsThatTheCoreRefuses(t *testing.T) {
	got, _, _ := answer(t, "CONNECT test:80 HTTP/1.1\r\nHost: test:80\r\n\r\n", hello, Options{})
	if !strings.HasPrefix(got, "HTTP/1.1 501 Not Implemented\r\n") {
		t.Errorf("CONNECT should be answered with 501:\n%s", got)
	}
}
