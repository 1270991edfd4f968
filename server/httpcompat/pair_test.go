package httpcompat

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// safety bounds a wait for something that must happen.
const safety = 20 * time.Second

// serve serves a net/http handler with Penstock until the test ends, and returns its URL.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	return "http://" + servertest.Serve(t, server.FromHTTP(h), server.Options{Logger: slog.New(slog.DiscardHandler), BodyLimit: -1})
}

// reference serves it with net/http's own server.
func reference(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// client takes answers as they are.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		Timeout:       safety,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// A request is what is asked of both servers: "GET /path", then lines of fields, and behind an
// empty line the body.
type request string

func (r request) to(t *testing.T, url string) *http.Request {
	t.Helper()
	head, body, _ := strings.Cut(string(r), "\n\n")
	lines := strings.Split(head, "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	made, err := http.NewRequest(method, url+target, strings.NewReader(body))
	if err != nil {
		t.Fatalf("the request %q could not be made: %v", r, err)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		made.Header.Add(name, value)
	}
	return made
}

// answer describes what a client sees.
func answer(t *testing.T, c *http.Client, r *http.Request) string {
	t.Helper()
	resp, err := c.Do(r)
	if err != nil {
		return "failed"
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	for _, name := range []string{"Date", "Server"} {
		resp.Header.Del(name)
	}
	slices.Sort(resp.Header["Allow"]) // which chi has in no order
	var b strings.Builder
	fmt.Fprintf(&b, "%s, length %d, whole %t\n", resp.Status, resp.ContentLength, err == nil)
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		fmt.Fprintf(&b, "%s: %q\n", name, resp.Header[name])
	}
	fmt.Fprintf(&b, "%v\n%s", resp.Trailer, body)
	return b.String()
}

// same asks the same of a handler under both servers, one request after the other.
func same(t *testing.T, make func() http.Handler, requests ...request) {
	t.Helper()
	theirs, ours, c := reference(t, make()), serve(t, make()), client(t)
	for _, r := range requests {
		want := strings.ReplaceAll(answer(t, c, r.to(t, theirs)), strings.TrimPrefix(theirs, "http://"), "server")
		got := strings.ReplaceAll(answer(t, c, r.to(t, ours)), strings.TrimPrefix(ours, "http://"), "server")
		if got != want {
			t.Errorf("the answer to %q should be the same under both servers.\nnet/http:\n%s\nFromHTTP:\n%s", r, want, got)
		}
	}
}
