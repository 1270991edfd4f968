package main

import (
	"strings"
	"testing"

	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/server"
)

// The page is served with its types and its policy, and does not need what that forbids.
func TestPage(t *testing.T) {
	p := run(t, 1<<20, server.Options{})
	for _, c := range []struct{ path, contentType, part string }{
		{"/", "text/html; charset=utf-8", `<form id="upload" method="post" action="/upload" enctype="multipart/form-data">`},
		{"/common.css", "text/css; charset=utf-8", "prefers-color-scheme"},
		{"/page.css", "text/css; charset=utf-8", "form[data-over]"},
		{"/page.js", "text/javascript; charset=utf-8", `addEventListener("drop"`},
		{"/transfer.js", "text/javascript; charset=utf-8", "new EventSource("},
		{"/icon.svg", "image/svg+xml", "<svg"},
	} {
		resp, body := programtest.Do(t, "GET", p.base+c.path, "")
		if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != c.contentType || !strings.Contains(body, c.part) {
			t.Errorf("GET %s should be answered 200 as %s with %q in it, and was answered %d as %s:\n%s", c.path, c.contentType, c.part, resp.StatusCode, got, body)
		}
		if got := resp.Header.Get("Content-Security-Policy"); got != policy {
			t.Errorf("GET %s should be answered with the policy, and has %q", c.path, got)
		}
		for _, part := range []string{"https://", "http://", "<style", "style=", "onclick", "innerHTML", "eval("} {
			if strings.Contains(strings.ReplaceAll(body, "http://www.w3.org/2000/svg", ""), part) {
				t.Errorf("%s should not have %q in it", c.path, part)
			}
		}
	}
}

func TestOtherRequests(t *testing.T) {
	p := run(t, 1<<20, server.Options{})
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", "/upload", 405, "OPTIONS, POST"},
		{"POST", "/progress", 405, "GET, HEAD, OPTIONS"},
		{"GET", "/progress?id=a_b", 400, ""},
		{"GET", "/page/page.html", 404, ""},
		{"GET", "/page.html", 404, ""},
	} {
		resp, _ := programtest.Do(t, c.method, p.base+c.path, "")
		if got := resp.Header.Get("Allow"); resp.StatusCode != c.status || got != c.allow {
			t.Errorf("%s %s should be answered %d and allow %q, and was answered %d with %q", c.method, c.path, c.status, c.allow, resp.StatusCode, got)
		}
	}
}
