package client

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/parser"
)

func TestBodyOfTheRequestFails(t *testing.T) {
	cause := errors.New("the disk is on fire")
	for _, c := range []struct {
		name   string
		body   *pieces
		length int64
		want   string
	}{
		{"an error", &pieces{t: t, chunks: []string{"ab"}, ready: 2, end: cause}, -1, cause.Error()},
		{"too short", allOf(t, "ab"), 3, "ended 1 bytes before the 3"},
		{"too long", allOf(t, "ab", "cd"), 3, "more than the 3 bytes"},
	} {
		x := newFixture(t, Options{}).do(&Request{Method: "POST", Body: c.body, Length: c.length})
		x.poll()
		if x.err == nil || !strings.Contains(x.err.Error(), c.want) {
			t.Errorf("With a body that ends %s the call ends with %v; %q was expected.", c.name, x.err, c.want)
		}
		if !x.reset || c.body.closes != 1 || strings.HasSuffix(string(x.out), "0\r\n\r\n") {
			t.Errorf("With a body that ends %s the upstream has %q, reset %t, and the body was closed %d times; it has to see that the request is cut.",
				c.name, x.out, x.reset, c.body.closes)
		}
		x.finish()
	}
}

func TestChunkedBodyAndTrailers(t *testing.T) {
	large := strings.Repeat("x", referenceSize)
	body := allOf(t, "ab", "", large, "c")
	x := newFixture(t, Options{}).do(&Request{Method: "POST", Body: body, Length: -1,
		Trailers: func() []parser.Field { return []parser.Field{{Name: "Digest", Value: "d"}} }})
	x.sent("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2000\r\n" + large + "\r\n1\r\nc\r\n0\r\nDigest: d\r\n\r\n")
	x.says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nEtag: e\r\n\r\n")
	x.wants(200, "abc", io.EOF)
	if got := x.response.Trailers().Get("etag"); got != "e" {
		t.Errorf("The trailer field Etag is %q; the upstream has sent e.", got)
	}
	x.reused(true)
	x.finish()
}

// TestEndlessEmptyChunks: a body that gives nothing does not hold the loop.
func TestEndlessEmptyChunks(t *testing.T) {
	body := allOf(t, make([]string, 10*turnChunks)...)
	x := newFixture(t, Options{}).do(&Request{Method: "POST", Body: body, Length: 0})
	if body.closes != 1 {
		t.Errorf("A body of empty chunks was closed %d times once it had ended.", body.closes)
	}
	x.says("HTTP/1.1 204 No Content\r\n\r\n")
	x.reused(true)
	x.finish()
}

func TestFullSendBuffer(t *testing.T) {
	large := strings.Repeat("x", 3*referenceSize)
	body := allOf(t, large, large)
	f := newFixture(t, Options{})
	f.prepare = func(s *script) { s.room = 100 }
	x := f.do(&Request{Method: "POST", Body: body, Length: int64(2 * len(large))})
	if polls := body.polls; polls > 1 {
		t.Errorf("The send buffer is full, and the body was polled %d times.", polls)
	}
	for range 100 {
		x.drains(1000)
		x.loop.Settle()
	}
	if !strings.HasSuffix(string(x.out), "\r\n\r\n"+large+large) {
		t.Errorf("The upstream has %d bytes; a head and %d were expected.", len(x.out), 2*len(large))
	}
	x.says("HTTP/1.1 204 No Content\r\n\r\n")
	x.reused(true)
	x.finish()
}
