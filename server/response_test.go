package server

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// answer runs h on one request, with nothing late and nothing cut, and returns all
// that the client would get. The Date is that of the test.
func answer(t *testing.T, request string, h Handler, o Options) (output, log string, end error) {
	t.Helper()
	d := newDriver(t, 1, func(*driver) Handler { return h }, o)
	var lines bytes.Buffer
	d.local.options.Logger = slog.New(slog.NewTextHandler(&lines, nil))
	d.whole, d.input = true, []byte(request)
	d.run()
	d.core.Close()
	return string(d.output), lines.String(), d.end
}

const (
	firstLines = "HTTP/1.1 200 OK\r\nServer: penstock\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\n"
	get10      = "GET / HTTP/1.0\r\n\r\n"
	head11     = "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n"
)

func chunks(parts ...string) pipeline.Source[[]byte] {
	var list [][]byte
	for _, p := range parts {
		list = append(list, []byte(p))
	}
	return pipeline.FromSlice(list)
}

func TestResponsesOnTheWire(t *testing.T) {
	for _, c := range []struct {
		why, request string
		response     Response
		want         string
	}{
		{"a text", getRequest, Text(200, "Hello"),
			firstLines + "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nHello"},
		{"an empty response says that it is empty", getRequest, Empty(200),
			firstLines + "Content-Length: 0\r\n\r\n"},
		{"JSON", getRequest, JSON(200, map[string]int{"a": 1}),
			firstLines + "Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}"},
		{"204 has neither body nor length", getRequest, Text(204, "ignored"),
			"HTTP/1.1 204 No Content\r\nServer: penstock\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"},
		{"304 likewise, from a stream", getRequest, Stream(304, "", chunks("ignored")),
			"HTTP/1.1 304 Not Modified\r\nServer: penstock\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\n\r\n"},
		{"HEAD gets the head that GET would", head11, Text(200, "Hello"),
			firstLines + "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\n"},
		{"HEAD of a stream", head11, Stream(200, "a/b", chunks("ignored")),
			firstLines + "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"a stream is chunked", getRequest, Stream(200, "a/b", chunks("ab", "", "0123456789abcdef")),
			firstLines + "Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"},
		{"a stream that ends at once has a length", getRequest, Stream(200, "", chunks()),
			firstLines + "Content-Length: 0\r\n\r\n"},
		{"a declared length", getRequest, Stream(200, "", chunks("ab", "cd")).Length(4),
			firstLines + "Content-Length: 4\r\n\r\nabcd"},
		{"trailers", getRequest, Stream(200, "", chunks("ab")).Trailers(func() []Field { return []Field{{Name: "X-Sum", Value: "ab"}} }),
			firstLines + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Sum: ab\r\n\r\n"},
		{"trailers behind an empty body", getRequest, Stream(200, "", chunks()).Trailers(func() []Field { return []Field{{Name: "X-Sum", Value: ""}} }),
			firstLines + "Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: \r\n\r\n"},
		{"HTTP/1.0 is closed unless it asks", get10, Text(200, "Hello"),
			firstLines + "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\nConnection: close\r\n\r\nHello"},
		{"HTTP/1.0 that asks is kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", Text(200, "Hello"),
			firstLines + "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nHello"},
		{"a stream to HTTP/1.0 ends with the connection", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", Stream(200, "", chunks("ab")),
			firstLines + "Connection: close\r\n\r\nab"},
		{"fields in the order in which they were set", getRequest, Empty(200).With("A", "1").Add("B", "2").Add("B", "3"),
			firstLines + "A: 1\r\nB: 2\r\nB: 3\r\nContent-Length: 0\r\n\r\n"},
		{"With replaces, whatever the case", getRequest, Empty(200).Add("a", "1").Add("b", "2").With("A", "3"),
			firstLines + "b: 2\r\nA: 3\r\nContent-Length: 0\r\n\r\n"},
		{"own Server, Date and Content-Type", getRequest, Text(200, "").With("server", "me").With("Date", "now").With("Content-Type", "x/y"),
			"HTTP/1.1 200 OK\r\nserver: me\r\nDate: now\r\nContent-Type: x/y\r\nContent-Length: 0\r\n\r\n"},
		{"own Server only", getRequest, Empty(200).With("Server", "me"),
			"HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\nServer: me\r\nContent-Length: 0\r\n\r\n"},
		{"own Date only", getRequest, Empty(200).With("Date", "now"),
			"HTTP/1.1 200 OK\r\nServer: penstock\r\nDate: now\r\nContent-Length: 0\r\n\r\n"},
		{"a redirect", getRequest, Redirect(303, "/there"),
			"HTTP/1.1 303 See Other\r\nServer: penstock\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"},
		{"a close that the handler wants", getRequest, Empty(200).Close(),
			firstLines + "Content-Length: 0\r\nConnection: close\r\n\r\n"},
		{"an error with a status and a sentence", getRequest, Fail(&Error{404, "There is no such thing."}),
			"HTTP/1.1 404 Not Found\r\nServer: penstock\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 24\r\n\r\nThere is no such thing.\n"},
		{"an error from within", getRequest, Fail(errors.New("the password is hunter2")),
			"HTTP/1.1 500 Internal Server Error\r\nServer: penstock\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 22\r\n\r\nInternal Server Error\n"},
		{"a full pool says when to come again", getRequest, Fail(&Error{503, "Busy."}),
			"HTTP/1.1 503 Service Unavailable\r\nServer: penstock\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\nContent-Length: 6\r\n\r\nBusy.\n"},
		{"a source that fails before the head is out", getRequest, Stream(200, "", pipeline.Fail[[]byte](&Error{502, "Gone."})),
			"HTTP/1.1 502 Bad Gateway\r\nServer: penstock\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 6\r\n\r\nGone.\n"},
		{"a response that comes later, twice", getRequest, Later(pipeline.Once(Later(pipeline.Once(Empty(200))))),
			firstLines + "Content-Length: 0\r\n\r\n"},
	} {
		got, _, _ := answer(t, c.request, func(*Request) Response { return c.response }, Options{})
		if got != c.want {
			t.Errorf("%s: the client should get\n%q\nand got\n%q", c.why, c.want, got)
		}
	}
}

func TestServerNameCanBeLeftOut(t *testing.T) {
	for _, r := range []Response{Empty(200), Empty(200).With("Date", "now")} {
		got, _, _ := answer(t, getRequest, func(*Request) Response { return r }, Options{Name: "-"})
		if strings.Contains(got, "Server:") {
			t.Errorf("the name - should send no Server field:\n%s", got)
		}
	}
}

// HOSTILE 23: what must not be on the wire is refused with a 500 and a log line.
func TestResponsesThatAreRefused(t *testing.T) {
	closed := 0
	counted := func() pipeline.Source[[]byte] {
		return pipeline.OnClose(chunks("secret"), func() { closed++ })
	}
	refused := []Response{
		Empty(200).With("X", "a\r\nSet-Cookie: b"),
		Empty(200).With("X", "a\nb"),
		Empty(200).With("X", "a\x00b"),
		Empty(200).With("X\r\nY", "a"),
		Empty(200).With("X Y", "a"),
		Empty(200).With("", "a"),
		Empty(200).Add("Content-Length", "5"),
		Empty(200).Add("transfer-encoding", "chunked"),
		Empty(200).Add("Connection", "close"),
		Redirect(302, "/a\r\nX: b"),
		Bytes(200, "a/b\r\nX: y", nil),
		Empty(0),
		Empty(101),
		Empty(1000),
		JSON(200, func() {}),
		Later(pipeline.Empty[Response]()),
		Stream(200, "a\nb", counted()),
		Stream(99, "", counted()),
		Stream(200, "", chunks()).Length(3),
	}
	for _, r := range refused {
		got, log, _ := answer(t, getRequest, func(*Request) Response { return r }, Options{})
		if !strings.HasPrefix(got, "HTTP/1.1 500 ") || !strings.HasSuffix(got, "\r\n\r\nInternal Server Error\n") {
			t.Errorf("the response %+v should be refused with a 500, and the client got\n%s", r, got)
		}
		if strings.Count(log, "level=ERROR") != 1 {
			t.Errorf("the refusal of %+v should be one log line, and is %q", r, log)
		}
	}
	if closed != 2 {
		t.Errorf("%d sources of refused responses were closed; there were 2", closed)
	}
}

// HOSTILE 24: a body that is longer or shorter than declared cuts the connection.
func TestBodiesThatAreNotAsDeclared(t *testing.T) {
	for _, c := range []struct {
		why      string
		response Response
		sent     string
	}{
		{"too short", Stream(200, "", chunks("ab")).Length(3), "ab"},
		{"too long", Stream(200, "", chunks("ab", "cd")).Length(3), "ab"},
		{"a failure after the head", Stream(200, "", pipeline.Concat(chunks("ab"), pipeline.Fail[[]byte](io.ErrClosedPipe))), "2\r\nab\r\n"},
		{"a trailer that is not allowed", Stream(200, "", chunks("ab")).Trailers(func() []Field { return []Field{{Name: "Content-Length", Value: "2"}} }), "2\r\nab\r\n"},
	} {
		got, log, end := answer(t, getRequest+getRequest, func(*Request) Response { return c.response }, Options{})
		_, body, _ := strings.Cut(got, "\r\n\r\n")
		if body != c.sent || end != errCut {
			t.Errorf("%s: the client should get the body %q and then the end, and got %q, end %v", c.why, c.sent, body, end)
		}
		if strings.Count(log, "level=ERROR") != 1 {
			t.Errorf("%s: there should be one log line: %q", c.why, log)
		}
	}
}

func TestResponsesShareNoFields(t *testing.T) {
	base := Empty(200).With("A", "1")
	one, two := base.With("B", "one"), base.With("B", "two")
	got1, _, _ := answer(t, getRequest, func(*Request) Response { return one }, Options{})
	got2, _, _ := answer(t, getRequest, func(*Request) Response { return two }, Options{})
	if !strings.Contains(got1, "B: one\r\n") || !strings.Contains(got2, "B: two\r\n") {
		t.Errorf("two responses made from one have mixed up their fields:\n%s\n%s", got1, got2)
	}
}
