package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/examples/internal/page"
	"github.com/penstock-go/penstock/examples/internal/program/programtest"
	"github.com/penstock-go/penstock/server"
)

func TestAnswers(t *testing.T) {
	p := run(t, "")
	const notFound = "There are GET /, GET /events, POST /publish and GET /figures.\n"
	for _, c := range []struct {
		why, method, path, body string
		status                  int
		want, allow             string
	}{
		{"a message", "POST", "/publish", "hello", 204, "", ""},
		{"the longest message", "POST", "/publish", strings.Repeat("x", 4096), 204, "", ""},
		{"a message of empty lines, which takes most on the stream", "POST", "/publish", "x" + strings.Repeat("\n", 4095), 204, "", ""},
		{"a message too long", "POST", "/publish", strings.Repeat("x", 4097), 413, "The request's body is over the limit of 4096 bytes.\n", ""},
		{"no message", "POST", "/publish", "", 400, "The message is empty.\n", ""},
		{"a blank message", "POST", "/publish", " \r\n\t\u2003", 400, "The message is empty.\n", ""},
		{"no UTF-8", "POST", "/publish", "a\xffb", 400, "The message must be text in UTF-8.\n", ""},
		{"a wrong method for publishing", "GET", "/publish", "", 405, "The method must be POST.\n", "POST"},
		{"a wrong method for a stream", "POST", "/events", "", 405, "The method must be GET.\n", "GET"},
		{"a wrong method for the figures", "PUT", "/figures", "", 405, "The method must be GET or HEAD.\n", "GET, HEAD"},
		{"a wrong method for the page", "POST", "/", "", 405, "The method must be GET or HEAD.\n", "GET, HEAD"},
		{"another path", "GET", "/other", "", 404, notFound, ""},
		{"the folder of the page", "GET", "/page/page.html", "", 404, notFound, ""},
	} {
		resp, body := programtest.Do(t, c.method, p.base+c.path, c.body)
		if resp.StatusCode != c.status || body != c.want {
			t.Errorf("%s should be answered %d %q, and was answered %d %q", c.why, c.status, c.want, resp.StatusCode, body)
		}
		if got := resp.Header.Get("Allow"); got != c.allow {
			t.Errorf("the answer to %s should allow %q, and allows %q", c.why, c.allow, got)
		}
	}
	p.publish("the end")
	// Nothing that was refused is on the board.
	p.events("", "").expect("hello", strings.Repeat("x", 4096), "x"+strings.Repeat("\n", 4095), "the end")
}

func TestPageIsServedWithItsTypesAndPolicy(t *testing.T) {
	p := run(t, "")
	for _, c := range []struct{ path, contentType, part string }{
		{"/", "text/html; charset=utf-8", `<form id="publish">`},
		{"/page.css", "text/css; charset=utf-8", "prefers-color-scheme"},
		{"/common.css", "text/css; charset=utf-8", "prefers-color-scheme"},
		{"/page.js", "text/javascript; charset=utf-8", "new Stream("},
		{"/stream.js", "text/javascript; charset=utf-8", "new EventSource("},
		{"/board.js", "text/javascript; charset=utf-8", "textContent"},
		{"/chart.js", "text/javascript; charset=utf-8", "class Chart"},
		{"/icon.svg", "image/svg+xml", "<svg"},
	} {
		resp, body := programtest.Do(t, "GET", p.base+c.path, "")
		if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != c.contentType || !strings.Contains(body, c.part) {
			t.Errorf("GET %s should be answered 200 as %s with %q in it, and was answered %d as %s:\n%s", c.path, c.contentType, c.part, resp.StatusCode, got, body)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
		} {
			if got := resp.Header.Get(name); got != want {
				t.Errorf("GET %s should be answered with %s: %q, and has %q", c.path, name, want, got)
			}
		}
	}
}

// The page must not need what its policy forbids.
func TestPageHasNothingFromElsewhereAndNothingInline(t *testing.T) {
	p := run(t, "")
	for path := range page.Answers(pageFiles, policy) {
		_, body := programtest.Do(t, "GET", p.base+path, "")
		for _, part := range []string{"https://", "http://", "<style", "style=", "onclick", "innerHTML", "eval("} {
			if strings.Contains(strings.ReplaceAll(body, "http://www.w3.org/2000/svg", ""), part) {
				t.Errorf("%s should not have %q in it", path, part)
			}
		}
	}
}

// A publisher that blocks is what a slow disk looks like.
type blocked struct{ entered, release chan struct{} }

func (b blocked) Publish(server.Event) error {
	close(b.entered)
	<-b.release
	return nil
}

func TestPublishingDoesNotHoldTheLoopUp(t *testing.T) {
	b, err := openBoard(filepath.Join(t.TempDir(), "board"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	site := newSite(b, newFigures(b.topic))
	disk := blocked{make(chan struct{}), make(chan struct{})}
	site.publish = disk
	base := programtest.Start(t, site.answer, server.Options{Loops: 1})
	published := make(chan int, 1)
	go func() {
		resp, err := http.Post(base+"/publish", "text/plain", strings.NewReader("hello"))
		if err != nil {
			published <- 0
			return
		}
		resp.Body.Close()
		published <- resp.StatusCode
	}()
	<-disk.entered
	if resp, _ := programtest.Do(t, "GET", base+"/", ""); resp.StatusCode != 200 {
		t.Errorf("while a message is being written the page should be answered 200, and was answered %d", resp.StatusCode)
	}
	close(disk.release)
	if status := <-published; status != 204 {
		t.Errorf("the message should be answered 204 when it is written, and was answered %d", status)
	}
	site.close()
}
