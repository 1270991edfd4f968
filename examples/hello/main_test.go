package main

import (
	"testing"

	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/server"
)

func TestHello(t *testing.T) {
	base := programtest.Start(t, hello, server.Options{})
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/", 200, "Hello, World!"},
		{"HEAD", "/", 200, ""},
		{"GET", "/?q", 200, "Hello, World!"},
		{"GET", "/other", 404, "There is nothing here but /.\n"},
		{"POST", "/", 405, "The method must be GET or HEAD.\n"},
	} {
		resp, body := programtest.Do(t, c.method, base+c.path, "")
		if resp.StatusCode != c.status || body != c.body {
			t.Errorf("%s %s should be answered %d %q, and was answered %d %q", c.method, c.path, c.status, c.body, resp.StatusCode, body)
		}
		if c.status == 405 && resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("a 405 should name the methods that are allowed, and names %q", resp.Header.Get("Allow"))
		}
		if c.status == 200 && resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("the greeting should be text/plain, and is %q", resp.Header.Get("Content-Type"))
		}
	}
}
