package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/server"
)

// gateway is the program as a test runs it.
type gateway struct {
	t     *testing.T
	base  string
	ticks chan time.Time
	log   *lockedBuffer
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func start(t *testing.T, c *config) (g *gateway, stop func()) {
	t.Helper()
	g = &gateway{t: t, ticks: make(chan time.Time), log: &lockedBuffer{}}
	g.base, stop = programtest.StartOf(t, func() (*server.Server, func() error, error) {
		return open(c, g.log, slog.New(slog.DiscardHandler), g.ticks)
	})
	return g, stop
}

func startConfig(t *testing.T, text string, values ...any) (g *gateway, stop func()) {
	t.Helper()
	c, err := parseConfig([]byte(fmt.Sprintf(text, values...)), environment)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, c)
}

// do sends a request with a token, and returns the status and the body of the answer.
func (g *gateway) do(method, path, token, body string) (int, string) {
	g.t.Helper()
	request, err := http.NewRequest(method, g.base+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		g.t.Fatalf("%s %s failed: %v", method, path, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatalf("The answer to %s %s could not be read: %v", method, path, err)
	}
	return resp.StatusCode, string(got)
}

func (g *gateway) expect(method, path, token, body string, status int, answer string) {
	g.t.Helper()
	if gotStatus, got := g.do(method, path, token, body); gotStatus != status || !strings.Contains(got, answer) {
		g.t.Errorf("%s %s should be answered with %d and %q, and is with %d and %q.", method, path, status, answer, gotStatus, got)
	}
}

// named is an upstream that says who it is and what it was asked.
func named(t *testing.T, name string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", name, r.Method, r.URL, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const twoServices = `{
	"tokens": {"alice": "0123456789abcdef"},
	"upstreams": {
		"one": {"addresses": [%q]},
		"two": {"addresses": [%q, %q], "balance": "hash:X-Tenant", "check": {"path": "/health", "every": "1h"}}
	},
	"routes": [
		{"pattern": "/one/", "upstream": "one", "strip_prefix": "/one", "body_limit": 4},
		{"pattern": "/two/", "upstream": "two", "public": true}
	]
}`

func TestRoutes(t *testing.T) {
	g, _ := startConfig(t, twoServices, named(t, "one"), named(t, "two"), named(t, "two"))
	const token = "0123456789abcdef"
	g.expect("GET", "/one/a?b=c", token, "", 200, "one GET /a?b=c ")
	g.expect("GET", "/one/", token, "", 200, "one GET / ")
	g.expect("POST", "/one/a", token, "body", 200, "one POST /a body")
	g.expect("POST", "/one/a", token, "more than that", 413, "")
	g.expect("GET", "/one/a", "", "", 401, "")
	g.expect("GET", "/one/a", "fedcba9876543210", "", 401, "")
	g.expect("GET", "/three", token, "", 404, "")
	g.expect("GET", "/-/stats", "", "", 401, "")
	g.expect("GET", "/-/", token, "", 200, "<title>Gateway")
}

func TestStripPrefix(t *testing.T) {
	for _, c := range []struct{ target, want string }{
		{"/a", "/"}, {"/a/", "/"}, {"/a?b", "/?b"}, {"/a/b?c", "/b?c"}, {"/ab", "/ab"}, {"/b/a", "/b/a"}, {"*", "*"},
	} {
		if got := stripPrefix(c.target, "/a"); got != c.want {
			t.Errorf("%s without /a should be %s, and is %s.", c.target, c.want, got)
		}
	}
}

func TestCounts(t *testing.T) {
	g, stop := start(t, simpleConfig(named(t, "all"), 0))
	g.expect("GET", "/a", "", "", 200, "all GET /a ")
	g.expect("GET", "/a", "", "", 200, "all GET /a ")
	_, text := g.do("GET", "/-/stats", "", "")
	var counted struct {
		snapshot
		Upstreams map[string][]serverCount `json:"upstreams"`
	}
	if err := json.Unmarshal([]byte(text), &counted); err != nil {
		t.Fatalf("The counts are %s: %v", text, err)
	}
	if counted.Requests != 3 || counted.InFlight != 1 || counted.Answers["2xx"] != 2 || counted.BytesOut != 2*uint64(len("all GET /a ")) {
		t.Errorf("After two requests, and with this one, the counts are %s.", text)
	}
	if list := counted.Upstreams["upstream"]; len(list) != 1 || list[0].Requests != 2 || list[0].State != "in" || list[0].Pending != 0 {
		t.Errorf("After two requests the upstreams are %s.", text)
	}

	resp, err := http.Get(g.base + "/-/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	g.ticks <- time.Now()
	first := make([]byte, len("event: counts\n"))
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "event: counts\n" {
		t.Errorf("The first event should be the counts, and begins with %q, %v.", first, err)
	}
	stop()
	if log := g.log.String(); !strings.Contains(log, `"GET /a HTTP/1.1" 200 11`) {
		t.Errorf("The access log should have both requests, and is:\n%s", log)
	}
}

// A server that is not there yet is waited for.
func TestHoldsOn(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	c := simpleConfig("http://"+address, time.Minute)
	u := c.Upstreams["upstream"]
	u.TryEvery = duration(time.Millisecond)
	c.Upstreams["upstream"] = u
	g, _ := start(t, c)

	type answer struct {
		status int
		text   string
	}
	answered := make(chan answer, 1)
	go func() {
		status, text := g.do("POST", "/", "", "kept")
		answered <- answer{status, text}
	}()
	for { // until it was tried at least once
		var counted struct {
			Upstreams map[string][]serverCount `json:"upstreams"`
		}
		if _, text := g.do("GET", "/-/stats", "", ""); json.Unmarshal([]byte(text), &counted) != nil {
			t.Fatalf("The counts are %s.", text)
		}
		if counted.Upstreams["upstream"][0].Requests > 0 {
			break
		}
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})}
	go s.Serve(listener)
	defer s.Close()
	if got := <-answered; got.status != 200 || got.text != "kept" {
		t.Errorf("The request should be answered when the server is there, and is with %d, %q.", got.status, got.text)
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	for _, c := range []struct{ what, text, sentence string }{
		{"an address that is none", `{"upstreams": {"a": {"addresses": ["127.0.0.1"]}}, "routes": [{"pattern": "/", "upstream": "a", "public": true}]}`, `the upstream "a"`},
		{"a pattern that is none", `{"upstreams": {"a": {"addresses": ["http://a"]}}, "routes": [{"pattern": "/{", "upstream": "a", "public": true}]}`, `the routes: `},
		{"a pattern twice", `{"upstreams": {"a": {"addresses": ["http://a"]}}, "routes": [{"pattern": "/b", "upstream": "a", "public": true}, {"pattern": "/b", "upstream": "a", "public": true}]}`, `the routes: `},
		{"a pattern of the gateway's own", `{"upstreams": {"a": {"addresses": ["http://a"]}}, "routes": [{"pattern": "GET /-/stats", "upstream": "a", "public": true}]}`, `the routes: `},
	} {
		parsed, err := parseConfig([]byte(c.text), environment)
		if err == nil {
			_, _, err = open(parsed, io.Discard, slog.New(slog.DiscardHandler), nil)
		}
		if err == nil || !strings.Contains(err.Error(), c.sentence) {
			t.Errorf("A configuration with %s should be refused with %q, and gives %v.", c.what, c.sentence, err)
		}
	}
	for _, c := range [][2]string{{"", ""}, {"a", "b"}} {
		if _, err := chooseConfig(c[0], c[1]); err == nil {
			t.Errorf("-config %q with -upstream %q should be refused.", c[0], c[1])
		}
	}
	if _, err := chooseConfig("gateway.json", ""); err == nil || !strings.Contains(err.Error(), "GATEWAY_SHOP_TOKEN") {
		t.Errorf("The file in this folder wants GATEWAY_SHOP_TOKEN, and without it gives %v.", err)
	}
	t.Setenv("GATEWAY_SHOP_TOKEN", "0123456789abcdef")
	c, err := chooseConfig("gateway.json", "")
	if err != nil {
		t.Fatal(err)
	}
	_, release, err := open(c, nil, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatalf("The file in this folder should be good, and gives %v.", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}
