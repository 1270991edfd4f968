package compress_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/compress"
)

// exchange sends bytes to the server at url and returns the answer with its whole body, or as
// much of it as came.
func exchange(t testing.TB, url, request string) (*http.Response, []byte, error) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, request) }() // the answer may come before it has gone
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("there is no answer to %.100q: %v", request, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

// A value that means nothing, or a great deal of it, gets identity, or the status of a head
// that is malformed or too large; what it does say well is kept to.
func TestHostileAcceptEncoding(t *testing.T) {
	url, _ := serve(t, compress.Layer(compress.Options{})(constant(html)))
	for _, c := range []struct {
		name, value string
		status      int
		encoding    string
	}{
		{"no value", "", 200, ""},
		{"commas", strings.Repeat(",", 4000), 200, ""},
		{"commas and then a coding", strings.Repeat(",", 4000) + "gzip", 200, "gzip"},
		{"many members", strings.Repeat("gzip;q=0.001,", 300) + "zstd", 200, "zstd"},
		{"many refusals", strings.Repeat("gzip;q=0,", 400) + "gzip;q=0", 200, ""},
		{"many codings that nobody knows", strings.Repeat("x,", 2000) + "gzip", 200, "gzip"},
		{"100,000 members", strings.Repeat("gzip,", 100_000), 431, ""},
		{"a name without end", strings.Repeat("g", 4000), 200, ""},
		{"a qvalue without end", "gzip;q=0." + strings.Repeat("9", 4000), 200, ""},
		{"parameters without end", "gzip" + strings.Repeat(";q=1", 1000), 200, ""},
		{"a quoted string that is left open", `gzip;q="1`, 200, ""},
		{"a qvalue that is negative", "gzip;q=-0", 200, ""},
		{"a qvalue with an exponent", "gzip;q=1e0", 200, ""},
		{"bytes that are no token", "gzip\x80\xff;q=1", 200, ""},
		{"a tab for a separator", "gzip\tzstd", 200, ""},
		{"NUL", "gzip\x00", 400, ""},
		{"a line that is folded", "gzip,\r\n zstd", 400, ""},
		{"many lines", "gzip" + strings.Repeat("\r\nAccept-Encoding: zstd;q=0", 50), 200, "gzip"},
		{"a line that is malformed behind one that is not", "gzip\r\nAccept-Encoding: ;", 200, ""},
	} {
		answer, body, err := exchange(t, url, "GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAccept-Encoding: "+c.value+"\r\n\r\n")
		if encoding := answer.Header.Get("Content-Encoding"); answer.StatusCode != c.status || encoding != c.encoding || err != nil {
			t.Errorf("%s should be answered with %d and the coding %q, and is with %d and %q (%v)", c.name, c.status, c.encoding, answer.StatusCode, encoding, err)
		}
		if c.status == 200 && decode(t, c.encoding, body) != page {
			t.Errorf("%s: decoded, the body should be the page", c.name)
		}
	}
}

// Hostile input, row 45: what panics under the layer is a failure of its own request.
func TestHostilePanicUnderTheLayer(t *testing.T) {
	h := func(r *server.Request) server.Response {
		switch r.Path() {
		case "/handler":
			panic("as the test wants it")
		case "/source":
			return server.Stream(200, "text/plain", pipeline.Map(pieces(), func([]byte) ([]byte, error) { panic("as the test wants it") }))
		case "/behind":
			return server.Stream(200, "text/plain", pipeline.Concat(pieces(), pipeline.Map(r.After(1), func(time.Duration) ([]byte, error) {
				panic("as the test wants it")
			})))
		case "/type":
			return server.Text(200, page).With("Content-Type", "application/panic")
		}
		return html
	}
	url, client := serve(t, compress.Layer(compress.Options{Compressible: func(mediaType string) bool {
		if mediaType == "application/panic" {
			panic("as the test wants it")
		}
		return true
	}})(h))
	for _, path := range []string{"/handler", "/source", "/type"} {
		if answer, _ := ask(t, client, newRequest(t, "GET", url+path, "gzip")); answer.StatusCode != 500 || answer.Header.Get("Content-Encoding") != "" {
			t.Errorf("a panic at %s should be answered with 500, in no coding, and is with %d, %v", path, answer.StatusCode, answer.Header)
		}
	}
	answer, body, err := exchange(t, url, "GET /behind HTTP/1.1\r\nHost: test\r\nAccept-Encoding: gzip\r\n\r\n")
	if answer.StatusCode != 200 || len(body) == 0 || err == nil {
		t.Errorf("a panic behind the head should cut the body, and it came as %d, %d bytes, with %v", answer.StatusCode, len(body), err)
	}
	if answer, body := ask(t, client, newRequest(t, "GET", url, "gzip")); decode(t, answer.Header.Get("Content-Encoding"), body) != page {
		t.Error("other requests should be answered as ever")
	}
}
