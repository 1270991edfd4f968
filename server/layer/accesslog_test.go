package layer

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/server"
)

// clock is turned by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

var epoch = time.Date(2026, 3, 7, 14, 5, 9, 0, time.FixedZone("", 3600))

func TestAccessLogSaysWhatWasAnswered(t *testing.T) {
	for _, k := range kinds(t) {
		var out bytes.Buffer
		c := &clock{now: epoch}
		log := accessLog(slog.New(slog.NewJSONHandler(&out, nil)), c.Now)
		h := log(RequestID()(func(r *server.Request) server.Response {
			c.now = c.now.Add(3 * time.Millisecond)
			return k.answer(r)
		}))
		ask(t, h, "GET /a?b=%22 HTTP/1.0\r\nX-Request-ID: xyz\r\n\r\n")
		var got struct {
			Level, Msg, Method, Target, Protocol, Remote string
			ID                                           string `json:"request_id"`
			Status, Bytes, Duration                      int
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatalf("%s: there should be one record, but: %v in %q", k.name, err, out.String())
		}
		if !strings.HasPrefix(got.Remote, "127.0.0.1:") {
			t.Errorf("%s: the record should have the client's address, and has %q", k.name, got.Remote)
		}
		got.Remote = ""
		want := got
		want.Level, want.Msg, want.Method, want.Target, want.Protocol, want.ID = "INFO", "request", "GET", "/a?b=%22", "HTTP/1.0", "xyz"
		want.Status, want.Bytes, want.Duration = k.status, len(k.body), 3e6
		if got != want {
			t.Errorf("%s: the record is %+v; it should be %+v", k.name, got, want)
		}
	}
}

func TestAccessLogLeavesOutWhatIsNotThere(t *testing.T) {
	var out bytes.Buffer
	address, stop := serve(t, "unix", filepath.Join(t.TempDir(), "socket"), AccessLog(slog.New(slog.NewTextHandler(&out, nil)))(greet))
	askAt(t, "unix", address, request("GET"))
	stop()
	if got := out.String(); !strings.Contains(got, "status=200") || strings.Contains(got, "remote") || strings.Contains(got, "request_id") {
		t.Errorf("a record of a Unix socket without an ID should have neither, and is %q", got)
	}
}

func TestAccessLogOfALoggerThatIsNotInterested(t *testing.T) {
	var out bytes.Buffer
	ask(t, AccessLog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})))(greet), request("GET"))
	if out.Len() > 0 {
		t.Errorf("a logger for warnings should log no requests, and logged %q", out.String())
	}
}

func TestAccessLogOfAPanic(t *testing.T) {
	var out bytes.Buffer
	ask(t, AccessLog(slog.New(slog.NewTextHandler(&out, nil)))(func(*server.Request) server.Response {
		panic("as the test wants it")
	}), request("GET"))
	if got := out.String(); !strings.Contains(got, "status=500") {
		t.Errorf("a request whose handler panics should be logged with 500, and the log is %q", got)
	}
}
