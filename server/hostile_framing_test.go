package server_test

import (
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server"
)

// The rows of hostile input that concern where a message ends, as the head declares it.

const fiveAndChunked = "5\r\nhello\r\n0\r\n\r\n"

func TestHostile01LengthAndChunked(t *testing.T) {
	t.Parallel()
	wantRefused(t, server.Options{}, []refusal{
		{name: "length first", input: post("/x", "Content-Length: 5\r\nTransfer-Encoding: chunked", fiveAndChunked)},
		{name: "coding first", input: post("/x", "Transfer-Encoding: chunked\r\nContent-Length: 5", fiveAndChunked)},
		{name: "apart", input: post("/x", "Content-Length: 0\r\nA: b\r\nTRANSFER-ENCODING: chunked", "0\r\n\r\n")},
	})
}

func TestHostile02RepeatedLength(t *testing.T) {
	t.Parallel()
	wantRefused(t, server.Options{}, []refusal{
		{name: "different", input: post("/x", "Content-Length: 5\r\nContent-Length: 6", "hello")},
		{name: "identical", input: post("/x", "Content-Length: 5\r\nContent-Length: 5", "hello")},
		{name: "list", input: post("/x", "Content-Length: 5, 6", "hello")},
		{name: "identical list", input: post("/x", "Content-Length: 5, 5", "hello")},
		{name: "list of one", input: post("/x", "Content-Length: 5,", "hello")},
	})
}

func TestHostile03LengthThatIsNoNumber(t *testing.T) {
	t.Parallel()
	var cases []refusal
	for _, length := range []string{"+5", "-1", "-0", "0x5", "5 5", "", "5a", "5.0", "1e1", "\u0665",
		"9223372036854775808", "18446744073709551621", strings.Repeat("1", 30), strings.Repeat("0", 29) + "5"} {
		cases = append(cases, refusal{name: "length " + length, input: post("/x", "Content-Length: "+length, "hello")})
	}
	wantRefused(t, server.Options{}, cases)
}

func TestHostile04TransferCodings(t *testing.T) {
	t.Parallel()
	const field = "Transfer-Encoding: "
	wantRefused(t, server.Options{}, []refusal{
		{name: "two lines", input: post("/x", field+"chunked\r\n"+field+"chunked", fiveAndChunked)},
		{name: "two lines, one unknown", input: post("/x", field+"gzip\r\n"+field+"chunked", fiveAndChunked)},
		{name: "not final", input: post("/x", field+"chunked, gzip", fiveAndChunked)},
		{name: "longer name", input: post("/x", field+"xchunked", fiveAndChunked)},
		{name: "twice", input: post("/x", field+"chunked, chunked", fiveAndChunked)},
		{name: "identity", input: post("/x", field+"identity", fiveAndChunked)},
		{name: "empty", input: post("/x", field, fiveAndChunked)},
		{name: "quoted", input: post("/x", field+`"chunked"`, fiveAndChunked)},
		{name: "with a parameter", input: post("/x", field+"chunked;q=1", fiveAndChunked)},
		{name: "unknown before chunked", input: post("/x", field+"gzip, chunked", fiveAndChunked), status: 501},
	})
}

func TestHostile05ControlsAroundChunked(t *testing.T) {
	t.Parallel()
	var cases []refusal
	for _, value := range []string{"\x0bchunked", "chunked\x0b", "\x00chunked", "chunked\x00", "\x0cchunked", "chun\x00ked"} {
		cases = append(cases, refusal{name: "value " + value, input: post("/x", "Transfer-Encoding: "+value, fiveAndChunked)})
	}
	wantRefused(t, server.Options{}, cases)
}

func TestHostile06ChunkedInHTTP10(t *testing.T) {
	t.Parallel()
	head := func(fields string) string {
		return "POST /x HTTP/1.0\r\nHost: h\r\n" + fields + "\r\n\r\n" + fiveAndChunked
	}
	wantRefused(t, server.Options{}, []refusal{
		{name: "alone", input: head("Transfer-Encoding: chunked")},
		{name: "persistent", input: head("Connection: keep-alive\r\nTransfer-Encoding: chunked")},
		{name: "with a length", input: head("Content-Length: 5\r\nTransfer-Encoding: chunked")},
	})
}

// withLine is a request with one field line in it as it stands.
func withLine(line string) string { return "GET /x HTTP/1.1\r\nHost: h\r\n" + line + "\r\n\r\n" }

func TestHostile07SpaceBeforeColon(t *testing.T) {
	t.Parallel()
	wantRefused(t, server.Options{}, []refusal{
		{name: "space", input: post("/x", "Content-Length : 5", "hello")},
		{name: "tab", input: post("/x", "Transfer-Encoding\t: chunked", fiveAndChunked)},
		{name: "any field", input: withLine("A : b")},
		{name: "before the name", input: "GET /x HTTP/1.1\r\n Host: h\r\n\r\n"},
		{name: "within the name", input: withLine("A b: c")},
	})
}

func TestHostile08LineFolding(t *testing.T) {
	t.Parallel()
	wantRefused(t, server.Options{}, []refusal{
		{name: "space", input: withLine("A: b\r\n c")},
		{name: "tab", input: withLine("A: b\r\n\tc")},
		{name: "of a coding", input: post("/x", "Transfer-Encoding:\r\n chunked", fiveAndChunked)},
		{name: "empty line of spaces", input: withLine("A: b\r\n  ")},
	})
}

func TestHostile09BareLineEnds(t *testing.T) {
	t.Parallel()
	wantRefused(t, server.Options{}, []refusal{
		{name: "LF after the request line", input: "GET /x HTTP/1.1\nHost: h\r\n\r\n"},
		{name: "CR after the request line", input: "GET /x HTTP/1.1\rHost: h\r\n\r\n"},
		{name: "LF after a field", input: withLine("A: b\nC: d")},
		{name: "CR after a field", input: withLine("A: b\rC: d")},
		{name: "CR twice", input: withLine("A: b\r")},
		{name: "LF for the empty line", input: "GET /x HTTP/1.1\r\nHost: h\r\n\n"},
		{name: "LF only", input: "GET /x HTTP/1.1\nHost: h\n\n"},
		{name: "CR for the empty line", input: "GET /x HTTP/1.1\r\nHost: h\r\n\rX"},
		{name: "CR in a name", input: withLine("A\rB: c")},
		{name: "LF in a name", input: withLine("A\nB: c")},
		{name: "CR in the target", input: "GET /x\r HTTP/1.1\r\nHost: h\r\n\r\n"},
		{name: "LF in the target", input: "GET /x\n HTTP/1.1\r\nHost: h\r\n\r\n"},
		{name: "CR in the method", input: "G\rET /x HTTP/1.1\r\nHost: h\r\n\r\n"},
		{name: "LF before the request", input: "\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n"},
		{name: "CR before the request", input: "\rGET /x HTTP/1.1\r\nHost: h\r\n\r\n"},
		{name: "smuggling with LF", input: withLine("A: b\nContent-Length: 40")},
	})
}

func TestHostile16FieldNamesAndValues(t *testing.T) {
	t.Parallel()
	wantRefused(t, server.Options{}, []refusal{
		{name: "empty name", input: withLine(": b")},
		{name: "no colon", input: withLine("Abc")},
		{name: "NUL in a name", input: withLine("A\x00: b")},
		{name: "DEL in a name", input: withLine("A\x7f: b")},
		{name: "8-bit name", input: withLine("A\xe9: b")},
		{name: "UTF-8 name", input: withLine("\u212aelvin: b")},
		{name: "separator in a name", input: withLine("A(b): c")},
		{name: "NUL in a value", input: withLine("A: b\x00c")},
		{name: "control in a value", input: withLine("A: b\x01c")},
		{name: "DEL in a value", input: withLine("A: b\x7fc")},
	})
}

// Row 17: names that some gateways turn into framing are fields like any other.
func TestHostile17UnderscoresAreNotFraming(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	for _, manner := range manners {
		p := s.dial(t)
		p.t = t
		manner.send(p, post("/length", "Content_Length: 40", "")+
			post("/coding", "Transfer_Encoding: chunked", "")+get("/behind"))
		for _, target := range []string{"/length", "/coding", "/behind"} {
			p.wantSaid("a field with an underscore frames nothing, sent "+manner.name, target, 0)
		}
		s.wantDispatched(t, "all three are requests", "/length", "/coding", "/behind")
		p.close()
		s.wantClosed(t, "the client has left", 1, server.ReasonClientClosed)
	}
}

func TestHostile18Host(t *testing.T) {
	t.Parallel()
	withHost := func(lines string) string { return "GET /x HTTP/1.1\r\n" + lines + "\r\n" }
	cases := []refusal{
		{name: "none", input: withHost("")},
		{name: "none in HTTP/1.2", input: "GET /x HTTP/1.2\r\n\r\n"},
		{name: "two", input: withHost("Host: h\r\nHost: g\r\n")},
		{name: "two that are the same", input: withHost("Host: h\r\nhost: h\r\n")},
		{name: "two in HTTP/1.0", input: "GET /x HTTP/1.0\r\nHost: h\r\nHost: g\r\n\r\n"},
		{name: "none with an absolute target", input: "GET http://h/x HTTP/1.1\r\n\r\n"},
	}
	for _, host := range []string{"a b", "a/b", "a?b", "a#b", "u@h", "h:port", "h:99999", "h:-1", "[::1", "::1",
		"[::1]x", "a\\b", "a%zz", "<h>", "h\xff", ":80"} {
		cases = append(cases, refusal{name: "invalid " + host, input: withHost("Host: " + host + "\r\n")})
	}
	wantRefused(t, server.Options{}, cases)
}

// Hosts that are valid are not refused with the others.
func TestHostile18ValidHost(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	p := s.dial(t)
	for _, host := range []string{"h", "h:80", "127.0.0.1:8080", "[::1]:80", "a-b.example.", "a_b", "h:", ""} {
		p.send("GET /x HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
		p.wantSaid("the host "+host+" is valid", "/x", 0)
	}
}
