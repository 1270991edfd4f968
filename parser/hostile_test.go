package parser

import (
	"fmt"
	"strings"
	"testing"
)

// The rows that the names of these tests begin with are those of the list of hostile
// input that the whole server is held against.

func post(fields, body string) string {
	return "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body
}

func chunked(body string) string { return post("Transfer-Encoding: chunked\r\n", body) }

func get(rest string) string { return "GET / HTTP/1.1\r\nHost: a\r\n" + rest }

// A refusal is a stream that must be refused with a status.
type refusal struct {
	name   string
	stream string
	status int
}

func TestHostileHeadsRefused(t *testing.T) {
	for _, c := range append(framingRefusals(), headRefusals()...) {
		t.Run(c.name, func(t *testing.T) {
			if text := c.run(t); !strings.HasPrefix(text, "error ") {
				t.Errorf("%q gives\n%s\nand must be refused before there is a head.", c.stream, text)
			}
		})
	}
}

func TestHostileChunksRefused(t *testing.T) {
	for _, c := range chunkRefusals() {
		t.Run(c.name, func(t *testing.T) {
			if text := c.run(t); strings.Count(text, " head ") != 1 || strings.Contains(text, " end\n") {
				t.Errorf("%q gives\n%s\nand must be refused before the message ends.", c.stream, text)
			}
		})
	}
}

// run sends the stream with another request behind it, and checks the status.
func (c refusal) run(t *testing.T) string {
	t.Helper()
	text, _ := session{}.everyCut(t, []byte(c.stream+"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"))
	if !strings.Contains(text, fmt.Sprintf("error %d at ", c.status)) {
		t.Errorf("%q gives\n%s\nand must be refused with %d.", c.stream, text, c.status)
	}
	return text
}

func framingRefusals() (cases []refusal) {
	length, coding := "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"
	cases = []refusal{
		{"Row01/length first", post(length+coding, "0\r\n\r\n"), 400},
		{"Row01/coding first", post(coding+length, "0\r\n\r\n"), 400},
		{"Row01/other letters", post("content-LENGTH: 5\r\ntransfer-ENCODING: chunked\r\n", ""), 400},
		{"Row02/twice", post(length+length, "hello"), 400},
		{"Row02/twice, different", post(length+"Content-Length: 6\r\n", "hello"), 400},
		{"Row02/twice, apart", post(length+"A: b\r\n"+length, "hello"), 400},
		{"Row02/twice, zero first", post("Content-Length: 0\r\n"+length, "hello"), 400},
		{"Row02/list", post("Content-Length: 5, 5\r\n", "hello"), 400},
		{"Row02/list without space", post("Content-Length: 5,5\r\n", "hello"), 400},
		{"Row04/two lines", post(coding+coding, ""), 400},
		{"Row04/two lines, unknown first", post("Transfer-Encoding: gzip\r\n"+coding, ""), 400},
		{"Row06/HTTP 1.0", "POST / HTTP/1.0\r\n" + coding + "\r\n0\r\n\r\n", 400},
	}
	for _, value := range []string{
		"+5", "-1", "0x5", "5 5", "", " ", "9223372036854775808", "18446744073709551621",
		strings.Repeat("1", 30), strings.Repeat("0", 30), "5;", "5a", "a", "1_0", "\"5\"", "٥", "5.0", "1e1",
	} {
		cases = append(cases, refusal{"Row03/" + value, post("Content-Length: "+value+"\r\n", "hello"), 400})
	}
	for _, value := range []string{
		"chunked, gzip", "xchunked", "chunked, chunked", "chunkedx", "chunked,", ",chunked", "chunked;q=1",
		"gzip", "identity", "", "gzip,, chunked", "chunked, gzip, chunked", "\"chunked\"", "g(zip, chunked",
		"chunked gzip", "chun ked", "cHunkeD , chunked",
	} {
		cases = append(cases, refusal{"Row04/" + value, post("Transfer-Encoding: "+value+"\r\n", ""), 400})
	}
	for _, value := range []string{"gzip, chunked", "gzip,chunked", "deflate;q=1\t, gzip , Chunked", "identity, chunked"} {
		cases = append(cases, refusal{"Row04/" + value, post("Transfer-Encoding: "+value+"\r\n", ""), 501})
	}
	for _, value := range []string{"\x0bchunked", "chunked\x0b", "\x00chunked", "chunked\x00", "chun\x00ked", "\x0cchunked"} {
		cases = append(cases, refusal{fmt.Sprintf("Row05/%q", value), post("Transfer-Encoding: "+value+"\r\n", ""), 400})
	}
	return append(cases, refusal{"Row05/not a coding", post("Transfer-Encoding: \xa0chunked\r\n", ""), 400})
}

func chunkRefusals() (cases []refusal) {
	cases = []refusal{
		{"Row10/LF after size", chunked("5\nhello\r\n"), 400},
		{"Row10/LF after size and CR missing later", chunked("5\nhello\n0\n\n"), 400},
		{"Row10/LF in extension", chunked("5;a\nhello\r\n"), 400},
		{"Row10/LF in quoted extension", chunked("5;a=\"\n\"\r\nhello\r\n"), 400},
		{"Row10/CR in extension", chunked("5;a\rb\r\nhello\r\n"), 400},
		{"Row10/LF after last chunk", chunked("0\n\r\n"), 400},
		{"Row13/nothing", chunked("5\r\nhello0\r\n\r\n"), 400},
		{"Row13/LF", chunked("5\r\nhello\n0\r\n\r\n"), 400},
		{"Row13/CR", chunked("5\r\nhello\r0\r\n\r\n"), 400},
		{"Row13/longer", chunked("5\r\nhello!\r\n0\r\n\r\n"), 400},
	}
	for _, c := range []byte{0, 1, 8, '\v', '\f', 0x1b, 0x1f, 0x7f} {
		cases = append(cases,
			refusal{fmt.Sprintf("Row11/%#02x", c), chunked("5;a=" + string(rune(c)) + "\r\nhello\r\n"), 400},
			refusal{fmt.Sprintf("Row11/%#02x, quoted", c), chunked("5;a=\"x" + string(rune(c)) + "\"\r\nhello\r\n"), 400})
	}
	for _, size := range []string{
		"8000000000000000", "ffffffffffffffff", "10000000000000005", "000000000000000008000000000000000",
		"-5", "+5", "0x5", "0x10", "1_0", "", " 5", "\t5", "5 5", "5g", "g", "5,", "\x005", "５",
	} {
		cases = append(cases, refusal{fmt.Sprintf("Row12/%q", size), chunked(size + "\r\nhello\r\n"), 400})
	}
	return cases
}

func headRefusals() (cases []refusal) {
	cases = []refusal{
		{"Row07/space", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
		{"Row07/tab", get("A\t: b\r\n\r\n"), 400},
		{"Row07/length", post("Content-Length : 5\r\n", "hello"), 400},
		{"Row08/space", get("A: b\r\n c\r\n\r\n"), 400},
		{"Row08/tab", get("A: b\r\n\tc\r\n\r\n"), 400},
		{"Row08/folded coding", post("Transfer-Encoding:\r\n chunked\r\n", ""), 400},
		{"Row08/first line", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
		{"Row08/empty folded line", get(" \r\n\r\n"), 400},
		{"Row16/empty name", get(": b\r\n\r\n"), 400},
		{"Row16/NUL in value", get("A: b\x00\r\n\r\n"), 400},
		{"Row16/no colon", get("Ab\r\n\r\n"), 400},
		{"Row18/no Host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"Row18/no Host but a URI", "GET http://a/ HTTP/1.1\r\n\r\n", 400},
		{"Row18/two Hosts", get("Host: b\r\n\r\n"), 400},
		{"Row18/two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		{"Row19/endless empty lines", strings.Repeat("\r\n", 100), 400},
		{"Row19/0.9", "GET /\r\n", 400},
		{"Row19/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
		{"Row19/9.9", "GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505},
		{"Row19/0.9 named", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
	}
	for _, line := range []string{"\n", "\r", "X\n", "A: b\n", "A: b\r", "A: b\rC: d", "A\n: b", "A: \nContent-Length: 5"} {
		cases = append(cases, refusal{fmt.Sprintf("Row09/%q", line), get(line + "\r\n\r\n"), 400})
	}
	for _, line := range []string{"GET / HTTP/1.1\n", "GET / HTTP/1.1\r", "GET /\n", "GET\r", "\nGET / HTTP/1.1\r\n", "\rGET / HTTP/1.1\r\n"} {
		cases = append(cases, refusal{fmt.Sprintf("Row09/%q", line), line + "Host: a\r\n\r\n", 400})
	}
	for c := range 256 {
		if c >= 0x7f || c < ' ' && c != '\r' {
			cases = append(cases, refusal{fmt.Sprintf("Row16/name %#02x", c), get("A" + string([]byte{byte(c)}) + "c: d\r\n\r\n"), 400})
			cases = append(cases, refusal{fmt.Sprintf("Row19/target %#02x", c), "GET /" + string([]byte{byte(c)}) + " HTTP/1.1\r\nHost: a\r\n\r\n", 400})
		}
		if c != ' ' && classes[c]&classToken == 0 {
			cases = append(cases, refusal{fmt.Sprintf("Row19/method %#02x", c), "G" + string([]byte{byte(c)}) + "T / HTTP/1.1\r\nHost: a\r\n\r\n", 400})
		}
	}
	for _, host := range []string{"a b", "a/b", "a@b", "a:b", "a:65536", "a:1:2", ":80", "[::1", "[::1]x", "[1.2.3.4]", "[fe80::1%25eth0]", "a\x80", "a%2", "a%zz", "\"a\"", "a\\b", "a?b", "a#b"} {
		cases = append(cases, refusal{fmt.Sprintf("Row18/%q", host), "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 400})
	}
	for _, version := range []string{"", "HTTP/", "HTTP/1", "HTTP/1.", "HTTP/1.1.1", "HTTP/11", "HTTP/1,1", "http/1.1", "HTTP /1.1", "HTTP/-1.1", "HTTP/1.1 x", "XTTP/1.1", "HTTPS/1.1", "HTTP/a.b"} {
		cases = append(cases, refusal{fmt.Sprintf("Row19/version %q", version), "GET / " + version + "\r\nHost: a\r\n\r\n", 400})
	}
	return cases
}

// Row 17: only the hyphen makes a framing field.
func TestHostileRow17(t *testing.T) {
	stream := post("Content_Length: 5\r\nTransfer_Encoding: chunked\r\n", "")
	text, rest := session{messages: 1}.everyCut(t, []byte(stream+"rest"))
	if !strings.Contains(text, "host=\"a\" keep-alive\n") || string(rest) != "rest" {
		t.Errorf("%q gives\n%s\nwith %q left over; names with an underscore must not frame anything.", stream, text, rest)
	}
}

// Row 15: trailers never become fields, whatever their names.
func TestHostileRow15(t *testing.T) {
	for _, name := range forbiddenTrailers {
		stream := chunked("0\r\n" + strings.ToUpper(name) + ": 5\r\nOther: x\r\n\r\n")
		text, _ := session{messages: 1}.everyCut(t, []byte(stream))
		if strings.Contains(text, strings.ToUpper(name)) || !strings.Contains(text, "Other") {
			t.Errorf("%q gives\n%s\nThe trailer %s must be left out, and no other.", stream, text, name)
		}
	}
}

// Row 43: a hundred thousand requests in one piece take no more stack than one.
func TestHostileRow43(t *testing.T) {
	const many = 100_000
	stream := []byte(strings.Repeat("GET / HTTP/1.1\r\nHost: a\r\n\r\n", many))
	var p Parser
	p.Init(Request, nil)
	p.Feed(stream)
	for i := range many {
		if event, err := p.Next(); event != HeadReady || err != nil {
			t.Fatalf("Request %d of %d gives event %d, %v instead of its head.", i, many, event, err)
		}
		if event, err := p.Next(); event != End || err != nil {
			t.Fatalf("Request %d of %d gives event %d, %v instead of its end.", i, many, event, err)
		}
		p.Restart()
	}
	if event, err := p.Next(); event != NeedData || err != nil {
		t.Fatalf("After the last of %d requests comes event %d, %v instead of NeedData.", many, event, err)
	}
}
