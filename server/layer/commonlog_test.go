package layer

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server"
)

// commonLines returns what is logged of one request.
func commonLines(t *testing.T, network, address string, combined bool, h server.Handler, request string) string {
	t.Helper()
	var out bytes.Buffer
	log := NewLogWriter(&out, 1<<20)
	c := &clock{now: epoch}
	bound, stop := serve(t, network, address, commonLog(log, combined, c.Now)(h))
	askAt(t, network, bound, request)
	stop()
	if err := log.Close(context.Background()); err != nil {
		t.Errorf("the log should close without an error, and gave %v", err)
	}
	return out.String()
}

func TestCommonLogLines(t *testing.T) {
	basic := "Authorization: Basic dmVyYToqKio=" // vera:***
	for _, c := range []struct {
		why      string
		combined bool
		handler  server.Handler
		request  string
		want     string
	}{
		{"plain", false, greet, request("GET"), `127.0.0.1 - - [07/Mar/2026:14:05:09 +0100] "GET / HTTP/1.1" 200 5` + "\n"},
		{"no body", false, answering(server.Empty(204)), request("GET"), `127.0.0.1 - - [07/Mar/2026:14:05:09 +0100] "GET / HTTP/1.1" 204 -` + "\n"},
		{"a user", false, greet, request("GET", basic), `127.0.0.1 - vera [07/Mar/2026:14:05:09 +0100] "GET / HTTP/1.1" 200 5` + "\n"},
		{"a user who was refused", false, answering(server.Empty(401)), request("GET", basic), `127.0.0.1 - - [07/Mar/2026:14:05:09 +0100] "GET / HTTP/1.1" 401 -` + "\n"},
		{"combined", true, greet, request("GET", "Referer: http://a.test/", `User-Agent: x "y" \z`), `127.0.0.1 - - [07/Mar/2026:14:05:09 +0100] "GET / HTTP/1.1" 200 5 "http://a.test/" "x \"y\" \\z"` + "\n"},
		{"combined, nothing there", true, greet, "GET /a HTTP/1.0\r\n\r\n", `127.0.0.1 - - [07/Mar/2026:14:05:09 +0100] "GET /a HTTP/1.0" 200 5 "-" "-"` + "\n"},
	} {
		if got := commonLines(t, "tcp", "127.0.0.1:0", c.combined, c.handler, c.request); got != c.want {
			t.Errorf("%s: the line is\n%s; it should be\n%s", c.why, got, c.want)
		}
	}
	got := commonLines(t, "unix", filepath.Join(t.TempDir(), "socket"), false, greet, request("GET"))
	if !strings.HasPrefix(got, "- - - [") {
		t.Errorf("on a Unix socket the host is not known, and the line is %q", got)
	}
}

// Nothing that a client sends makes a second line, or ends a quoted part.
func TestCommonLogIsNotToBeInjected(t *testing.T) {
	line := commonLine{
		visit:         visit{begun: epoch, method: "GET", target: "/\" 200 5\n\x00\xff\\", minor: 1},
		authorization: "Basic YSAiYgrDpDp4", // a "b LF ä
		combined:      true,
		userAgent:     "\r\n127.0.0.1\x7f",
		referer:       `" "`,
	}
	got := string(line.appendTo(nil, 0, 0))
	want := `- - - [07/Mar/2026:14:05:09 +0100] "GET /\"\x20200\x205\x0a\x00\xff\\ HTTP/1.1" - - "\" \"" "\x0d\x0a127.0.0.1\x7f"` + "\n"
	if got != want {
		t.Errorf("the line is\n%s; it should be\n%s", got, want)
	}
	line.authorization = "Basic YSAiYsOkOng=" // a "bä
	if got := string(line.appendTo(nil, 0, 0)); !strings.HasPrefix(got, `- - a\x20\"b\xc3\xa4 [`) {
		t.Errorf("the user should be one word, and the line is %q", got)
	}
}

// combinedLine is how tools take a line apart.
var combinedLine = regexp.MustCompile(`\A- - [!-~]+ \[[^]]+\] "[!-~]* [!-~]* HTTP/1\.[01]" [0-9-]+ [0-9-]+ "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"\n\z`)

// Whatever the client sends, the line keeps its form.
func FuzzCombinedLine(f *testing.F) {
	f.Add("GET", "/", "vera:secret", "http://a.test/", "x/1.0 (y)")
	f.Add("", "", "", "", "")
	f.Add("\"", "\\", "a\\ \"b:c", "\\\"", "\" \"\n")
	f.Fuzz(func(t *testing.T, method, target, credentials, referer, userAgent string) {
		line := commonLine{
			visit:         visit{begun: epoch, method: method, target: target, minor: len(target) % 2},
			authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials)),
			combined:      true, referer: referer, userAgent: userAgent,
		}
		if got := line.appendTo(nil, len(method), int64(len(target))); !combinedLine.Match(got) {
			t.Errorf("the line has not the form of the log: %q", got)
		}
	})
}

func newCombinedLine() *commonLine {
	return &commonLine{
		visit:    visit{begun: epoch, method: "GET", target: "/articles/42?page=3", minor: 1, remote: netip.MustParseAddrPort("192.0.2.7:4711")},
		combined: true, referer: "http://a.test/articles", userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
	}
}

// A line that is taken by a log that has room for it leaves no garbage.
func TestCombinedLineAllocatesNothing(t *testing.T) {
	line, b := newCombinedLine(), make([]byte, 0, 1<<10)
	if n := testing.AllocsPerRun(100, func() { line.appendTo(b, 200, 5120) }); n != 0 {
		t.Errorf("a line should be made without allocations, and took %v", n)
	}
}

func BenchmarkCombinedLine(b *testing.B) {
	log := NewLogWriter(io.Discard, 1<<20)
	line := newCombinedLine()
	b.ReportAllocs()
	for b.Loop() {
		log.append(func(b []byte) []byte { return line.appendTo(b, 200, 5120) })
	}
	b.ReportMetric(float64(log.Dropped()), "dropped")
	if err := log.Close(context.Background()); err != nil {
		b.Error(err)
	}
}
