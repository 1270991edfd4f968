package server_test

import (
	"strings"
	"testing"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/server"
)

// Row 19 of the hostile input: what comes before the fields, and how much of it.

func requestLine(line string) string { return line + "\r\nHost: h\r\n\r\n" }

func TestHostile19Versions(t *testing.T) {
	t.Parallel()
	cases := []refusal{
		{name: "HTTP/0.9", input: "GET /x\r\n"},
		{name: "HTTP/2.0", input: requestLine("GET /x HTTP/2.0"), status: 505},
		{name: "the preface of HTTP/2", input: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: 505},
		{name: "HTTP/0.9 by name", input: requestLine("GET /x HTTP/0.9"), status: 505},
		{name: "a TLS greeting", input: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"},
	}
	for _, version := range []string{"http/1.1", "HTTP/1.1x", "HTTP/1.1 ", "HTTP/11", "HTTP/1", "HTTP/1.", "HTTP/.1",
		"HTTP/01.1", "HTTP/1.10", "HTTP/+1.1", "HTTP 1.1", "ICE/1.0", "HTTP/1.1\x00", "HTTP/1.\u0661"} {
		cases = append(cases, refusal{name: "version " + version, input: requestLine("GET /x " + version)})
	}
	wantRefused(t, server.Options{}, cases)
}

func TestHostile19MethodsAndTargets(t *testing.T) {
	t.Parallel()
	var cases []refusal
	for _, method := range []string{"", "G(T", "G\x00T", "G\x7fT", "G\xe9T", "GET,", "G\tET", "\"GET\""} {
		cases = append(cases, refusal{name: "method " + method, input: requestLine(method + " /x HTTP/1.1")})
	}
	for _, target := range []string{"", "x", "*", "/a b", "/a\tb", "/a\x00", "/a\x7f", "/\xff", "/\u00e9", "/a#b", "/ ",
		"ftp://h/", "http:///x", "http://u@h/", "h:80", "?x", "\\x"} {
		cases = append(cases, refusal{name: "target " + target, input: requestLine("GET " + target + " HTTP/1.1")})
	}
	cases = append(cases,
		refusal{name: "two spaces before the target", input: requestLine("GET  /x HTTP/1.1")},
		refusal{name: "two spaces behind the target", input: requestLine("GET /x  HTTP/1.1")},
		refusal{name: "a tab for a space", input: requestLine("GET\t/x\tHTTP/1.1")},
	)
	wantRefused(t, server.Options{}, cases)
}

func TestHostile19Limits(t *testing.T) {
	t.Parallel()
	o := server.Options{HeadLimits: parser.Limits{Target: 64, Head: 512}}
	wantRefused(t, o, []refusal{
		{name: "target", input: requestLine("GET /" + strings.Repeat("x", 64) + " HTTP/1.1"), status: 414},
		{name: "endless target", input: "GET /" + strings.Repeat("x", 2000), status: 414},
		{name: "absolute target", input: requestLine("GET http://h/" + strings.Repeat("x", 64) + " HTTP/1.1"), status: 414},
		{name: "value", input: withLine("A: " + strings.Repeat("x", 512)), status: 431},
		{name: "endless value", input: "GET /x HTTP/1.1\r\nHost: h\r\nA: " + strings.Repeat("x", 2000), status: 431},
		{name: "endless name", input: "GET /x HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("x", 2000), status: 431},
		{name: "endless method", input: strings.Repeat("X", 2000), status: 431},
	})
}

// A target and a head that just fit are served.
func TestHostile19JustWithinLimits(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{HeadLimits: parser.Limits{Target: 64, Head: 512}}, countBody)
	for _, manner := range manners {
		p := s.dial(t)
		target := "/" + strings.Repeat("x", 63)
		manner.send(p, get(target))
		p.wantSaid("a target of 64 bytes is within its limit, sent "+manner.name, target, 0)
		head := withLine("A: ")
		manner.send(p, withLine("A: "+strings.Repeat("x", 512-len(head))))
		p.wantSaid("a head of 512 bytes is within its limit, sent "+manner.name, "/x", 0)
	}
}

func TestHostile19EmptyLines(t *testing.T) {
	t.Parallel()
	wantRefused(t, server.Options{}, []refusal{
		{name: "too many", input: strings.Repeat("\r\n", 5) + get("/x")},
		{name: "endless", input: strings.Repeat("\r\n", 1000)},
	})
}

// A few empty lines are skipped however they come: the server must not forget in between
// that half of one was there.
func TestHostile19FewEmptyLines(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	for _, manner := range manners {
		p := s.dial(t)
		for range 3 {
			manner.send(p, "\r\n\r\n"+get("/x"))
			p.wantSaid("two empty lines before a request are skipped, sent "+manner.name, "/x", 0)
		}
	}
	p := s.dial(t)
	p.send(get("/x") + "\r")
	p.wantSaid("half an empty line behind a request changes nothing", "/x", 0)
	s.wantBystanderServed(t, "between the halves of the empty line")
	p.send("\n" + get("/y"))
	p.wantSaid("an empty line that came in halves is skipped", "/y", 0)
}

// A CR is remembered until it is known whether it ends a line.
func TestHostile19HalfAnEmptyLine(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	p := s.dial(t)
	p.send("\r")
	s.wantBystanderServed(t, "after the CR")
	p.send(smuggled)
	p.wantLastAnswer("a bare CR before a request is malformed, however it is cut", 400)
	s.wantDispatched(t, "nothing behind the CR is dispatched")
}

// Empty lines are counted over all the pieces they come in.
func TestHostile19EmptyLinesOneByOne(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	p := s.dial(t)
	for range 5 {
		s.wantBystanderServed(t, "between empty lines")
		p.send("\r\n")
	}
	s.wantBystanderServed(t, "after too many empty lines")
	p.send(smuggled)
	p.wantLastAnswer("a fifth empty line is too many, however far apart they are", 400)
	s.wantDispatched(t, "nothing behind the empty lines is dispatched")
}

// A target that is broken in a way that does not touch the framing is refused before the
// handler sees it.
func TestHostile19BrokenPercentEncoding(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	for _, target := range []string{"/%", "/%z1", "/%1", "/a%%20"} {
		p := s.dial(t)
		p.send(get(target))
		p.wantAnswer("the path "+target+" is no path", 400)
		p.close()
	}
	s.wantDispatched(t, "no broken path reaches the handler")
}
