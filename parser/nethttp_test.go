package parser

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// stricterThanNetHTTP lists the faults for which this parser refuses a request that
// net/http takes, with an example and the reason. For any other fault both must refuse.
var stricterThanNetHTTP = []struct {
	fault   fault
	example string
	why     string
}{
	{faultBareLF, "GET / HTTP/1.1\r\nHost: a\n\r\n", "net/http takes LF for a line end, as RFC 9112, section 2.2 allows"},
	{faultVersion, "GET / HTTP/1.1\nHost: a\n\n", "the version must be followed by CR LF here"},
	{faultVersionUnsupported, "GET / HTTP/2.0\r\n\r\n", "net/http checks in its server, after ReadRequest"},
	{faultFold, get("A: b\r\n c\r\n\r\n"), "net/http joins folded lines"},
	{faultNameSpace, "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "net/http keeps the name with its space, and checks in its server"},
	{faultEmptyTarget, "CONNECT  HTTP/1.1\r\nHost: a\r\n\r\n", "net/http takes CONNECT to an empty host"},
	{faultTarget, "GET /\xff#a HTTP/1.1\r\nHost: a\r\n\r\n", "net/http takes bytes beyond ASCII and fragments"},
	{faultTargetForm, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "net/http takes any URI"},
	{faultNoHost, "GET / HTTP/1.1\r\n\r\n", "net/http checks in its server, after ReadRequest"},
	{faultHost, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "net/http checks in its server, after ReadRequest"},
	{faultLengths, post("Content-Length: 1\r\nContent-Length: 1\r\n", "a"), "net/http takes a repeated length if it is the same"},
	{faultLengthAndCoding, post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "net/http drops the length"},
	{faultCodingVersion, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "net/http ignores the coding"},
}

// laxerThanNetHTTP lists the errors of net/http for requests that this parser takes.
var laxerThanNetHTTP = []struct{ contains, example, why string }{
	{"invalid URL escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "paths are not decoded here"},
}

// FuzzAgainstNetHTTP holds the parser against http.ReadRequest: what one takes and the
// other does not must be listed, and what both take must mean the same.
func FuzzAgainstNetHTTP(f *testing.F) {
	goldenStreams(f, "request", func(stream []byte) { f.Add(stream) })
	f.Fuzz(func(t *testing.T, stream []byte) { againstNetHTTP(t, stream) })
}

// TestNetHTTPDifferences shows that each listed difference exists.
func TestNetHTTPDifferences(t *testing.T) {
	for _, d := range stricterThanNetHTTP {
		_, err := readHeadOf([]byte(d.example))
		_, theirErr := http.ReadRequest(bufio.NewReader(strings.NewReader(d.example)))
		var refused *Error
		if !errors.As(err, &refused) || faultOf(t, refused) != d.fault || theirErr != nil {
			t.Errorf("%q gives %v here and %v in net/http; a difference is listed: %s.", d.example, err, theirErr, d.why)
		}
	}
	for _, d := range laxerThanNetHTTP {
		_, err := readHeadOf([]byte(d.example))
		_, theirErr := http.ReadRequest(bufio.NewReader(strings.NewReader(d.example)))
		if err != nil || theirErr == nil || !strings.Contains(theirErr.Error(), d.contains) {
			t.Errorf("%q gives %v here and %v in net/http; a difference is listed: %s.", d.example, err, theirErr, d.why)
		}
	}
}

// readHeadOf returns a parser right behind the head that stream begins with.
func readHeadOf(stream []byte) (*Parser, error) {
	p := newParser(Request)
	p.Feed(stream)
	p.FeedEOF()
	_, err := p.Next()
	return p, err
}

func againstNetHTTP(t *testing.T, stream []byte) {
	t.Helper()
	for bytes.HasPrefix(stream, []byte("\r\n")) {
		stream = stream[2:] // which net/http does not skip
	}
	p, err := readHeadOf(stream)
	theirs, theirErr := http.ReadRequest(bufio.NewReader(bytes.NewReader(stream)))
	var refused *Error
	switch {
	case err != nil && theirErr != nil:
		return
	case errors.As(err, &refused):
		for _, d := range stricterThanNetHTTP {
			if d.fault == faultOf(t, refused) {
				return
			}
		}
		t.Fatalf("%q is refused here (%v) but not in net/http, which is not listed.", stream, err)
	case err != nil:
		t.Fatalf("%q gives %v here but is taken by net/http.", stream, err)
	case theirErr != nil:
		for _, l := range laxerThanNetHTTP {
			if strings.Contains(theirErr.Error(), l.contains) {
				return
			}
		}
		t.Fatalf("%q is taken here but not in net/http (%v), which is not listed.", stream, theirErr)
	default:
		sameRequest(t, stream, p, theirs)
	}
}

func faultOf(t *testing.T, refused *Error) fault {
	t.Helper()
	for f, text := range faultTexts {
		if text.sentence == refused.Public() {
			return fault(f)
		}
	}
	t.Fatalf("The error %v has a sentence of its own.", refused)
	return faultNone
}

// refusedByNetHTTP is what RFC 9112, section 7.1, allows and the chunked decoder of net/http
// does not take: white space before an extension, more than sixteen digits of a size (zeros
// lead here: other digits would be too large here too), and a line of 4 KiB.
var refusedByNetHTTP = regexp.MustCompile("[0-9A-Fa-f][ \t]+;|0[0-9A-Fa-f]{16}|[^\n]{1000}[^\n]{1000}[^\n]{1000}[^\n]{1000}")

// sameRequest checks that a request means the same here and in net/http.
func sameRequest(t *testing.T, stream []byte, p *Parser, theirs *http.Request) {
	t.Helper()
	h := p.Head()
	length := max(h.ContentLength, 0)
	if h.Chunked {
		length = -1
	}
	if h.Method != theirs.Method || h.Target != theirs.RequestURI || length != theirs.ContentLength {
		t.Fatalf("%q is %s %s with length %d here and %s %s with length %d in net/http.",
			stream, h.Method, h.Target, length, theirs.Method, theirs.RequestURI, theirs.ContentLength)
	}
	for name := range h.Fields.All() {
		key := http.CanonicalHeaderKey(name)
		if key == "Host" || key == "Transfer-Encoding" || key == "Connection" || key == "Trailer" || key == "Content-Length" || key == "Cache-Control" {
			continue // net/http takes these out, or adds to them
		}
		var ours []string
		for value := range h.Fields.Values(name) {
			ours = append(ours, value)
		}
		if got := theirs.Header.Values(name); strings.Join(got, "\x00") != strings.Join(ours, "\x00") {
			t.Fatalf("%q has %q for %s here and %q in net/http.", stream, ours, name, got)
		}
	}
	var data []byte
	event, err := p.Next()
	for ; err == nil && event == BodyData; event, err = p.Next() {
		data = append(data, p.Data()...)
	}
	body, theirErr := io.ReadAll(theirs.Body)
	if refusedByNetHTTP.Match(stream) {
		return
	}
	if err == nil && (theirErr != nil || !bytes.Equal(body, data)) {
		t.Fatalf("The content of %q is %q here and %q, %v in net/http.", stream, data, body, theirErr)
	}
}
