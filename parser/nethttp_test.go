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

// What the streams have in which a fault is a difference.
var (
	anything     = regexp.MustCompile("")
	longLength   = regexp.MustCompile("(?i)\ncontent-length:[ \t]*0[0-9]{19,}[ \t]*\r\n")
	foldedLength = regexp.MustCompile("(?i)\ncontent-length:[ \t]*\r\n[ \t]")
	foldedCoding = regexp.MustCompile("(?i)\ntransfer-encoding:[ \t]*\r\n[ \t]")
)

// stricterThanNetHTTP lists the faults for which this parser refuses a request that
// net/http takes, in which streams it may, with an example and the reason. For any other
// fault both must refuse.
var stricterThanNetHTTP = []struct {
	fault   fault
	in      *regexp.Regexp
	example string
	why     string
}{
	{faultBareLF, anything, "GET / HTTP/1.1\r\nHost: a\n\r\n", "net/http takes LF for a line end, as RFC 9112, section 2.2 allows"},
	{faultVersion, anything, "GET / HTTP/1.1\nHost: a\n\n", "the version must be followed by CR LF here"},
	{faultVersionUnsupported, anything, "GET / HTTP/2.0\r\n\r\n", "net/http checks in its server, after ReadRequest"},
	{faultFold, anything, get("A: b\r\n c\r\n\r\n"), "net/http joins folded lines"},
	{faultNameSpace, anything, "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "net/http keeps the name with its space, and checks in its server"},
	{faultEmptyTarget, anything, "CONNECT  HTTP/1.1\r\nHost: a\r\n\r\n", "net/http takes CONNECT to an empty host"},
	{faultTarget, anything, "GET /\xff#a HTTP/1.1\r\nHost: a\r\n\r\n", "net/http takes bytes beyond ASCII and fragments"},
	{faultTargetForm, anything, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "net/http takes any URI"},
	{faultNoHost, anything, "GET / HTTP/1.1\r\n\r\n", "net/http checks in its server, after ReadRequest"},
	{faultHost, anything, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "net/http checks in its server, after ReadRequest"},
	{faultLengths, anything, post("Content-Length: 1\r\nContent-Length: 1\r\n", "a"), "net/http takes a repeated length if it is the same"},
	{faultLengthAndCoding, anything, post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), "net/http drops the length"},
	{faultCodingVersion, anything, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "net/http ignores the coding"},
	{faultTargetLimit, anything, "GET /" + strings.Repeat("a", defaultTarget) + " HTTP/1.1\r\nHost: a\r\n\r\n", "net/http limits in its server, and the whole head"},
	{faultHeadLimit, anything, get("A: " + strings.Repeat("a", defaultHead) + "\r\n\r\n"), "net/http limits in its server"},
	{faultFieldsLimit, anything, get(strings.Repeat("A:\r\n", defaultFields) + "\r\n"), "net/http does not count fields"},
	{faultLength, longLength, post("Content-Length: 00000000000000000001\r\n", "a"), "net/http takes any number of zeros in front"},
	{faultLength, foldedLength, post("Content-Length:\r\n 1\r\n", "a"), "net/http joins folded lines, and here the length is looked at first"},
	{faultCoding, foldedCoding, post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), "net/http joins folded lines, and here the coding is looked at first"},
}

// laxerThanNetHTTP lists the errors of net/http for requests that this parser takes.
var laxerThanNetHTTP = []struct{ contains, example, why string }{
	{"invalid URL escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "paths are not decoded here"},
	{"bad trailer key", post("Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n", "0\r\n\r\n"), "the Trailer field is not read here, and such trailers are dropped"},
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
		if !errors.As(err, &refused) || faultOf(t, refused) != d.fault || !d.in.MatchString(d.example) || theirErr != nil {
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
			if d.fault == faultOf(t, refused) && d.in.Match(stream) {
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

var (
	spaceAndExtension = regexp.MustCompile("[0-9A-Fa-f][ \t]+;")
	longSize          = regexp.MustCompile("0[0-9A-Fa-f]{16}")
)

// limitedByNetHTTP says whether err is one with which net/http refuses a chunked body that
// RFC 9112, section 7.1, allows, and stream has what it refuses: white space before an
// extension; more than sixteen digits of a size (zeros lead here: other digits would be too
// large here too); a line of more than 4 KiB with its end; framing that is 16 KiB more than 16
// bytes for each chunk and 2 for each byte of data (here it is 4 for each byte, and a chunk
// may use what those before it have left); a trailer section of more than 4 KiB.
func limitedByNetHTTP(stream []byte, err error) bool {
	const limit = 4 << 10
	switch err.Error() {
	case "invalid byte in chunk length":
		return spaceAndExtension.Match(stream)
	case "http chunk length too large":
		return longSize.Match(stream)
	case "header line too long":
		for line := range bytes.Lines(stream) {
			if len(line) > limit {
				return true
			}
		}
		return false
	case "chunked encoding contains too much non-data":
		return len(stream) > 16<<10
	case "http: suspiciously long trailer after chunked body":
		return len(stream) > limit
	}
	return false
}

// TestNetHTTPLimitsContent shows that each of these limits exists.
func TestNetHTTPLimitsContent(t *testing.T) {
	data := strings.Repeat("data\n", 1<<10)
	for name, body := range map[string]string{
		"space before an extension": "1 ;e\r\na\r\n0\r\n\r\n",
		"a size of 17 digits":       "1\r\na\r\n" + strings.Repeat("0", 17) + "\r\n\r\n",
		"a long extension":          "1\r\na\r\n0;" + strings.Repeat("e", 4<<10) + "\r\n\r\n",
		"much framing":              "1400\r\n" + data + "\r\n" + strings.Repeat("1;"+strings.Repeat("e", 3<<10)+"\r\na\r\n", 6) + "0\r\n\r\n",
		"a long trailer section":    "0\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1<<10)+"\r\n", 4) + "\r\n",
	} {
		request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(chunked(body))))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(request.Body); err == nil || !limitedByNetHTTP([]byte(body), err) {
			t.Errorf("A body with %s gives %v in net/http; an error that is listed was expected.", name, err)
		}
		againstNetHTTP(t, []byte(chunked(body)))
		decodeChunked(t, []byte(chunked(body)))
	}
}

// sameContent checks that content which was taken here is the same in net/http, which may
// have read less of it if it then met one of its limits.
func sameContent(t *testing.T, stream, ours, theirs []byte, err error) {
	t.Helper()
	same := bytes.Equal(ours, theirs)
	if err != nil {
		same = limitedByNetHTTP(stream, err) && bytes.HasPrefix(ours, theirs)
	}
	if !same {
		t.Fatalf("The content of %q is %q here and %q, %v in net/http.", stream, ours, theirs, err)
	}
}

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
	if err == nil {
		sameContent(t, stream, data, body, theirErr)
	}
}
