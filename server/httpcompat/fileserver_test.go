package httpcompat

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFileServer(t *testing.T) {
	root := t.TempDir()
	written := time.Date(2026, 11, 22, 1, 42, 0, 0, time.UTC)
	for name, content := range map[string][]byte{
		"index.html":    []byte("<!DOCTYPE html><title>index</title>"),
		"a.txt":         []byte("0123456789"),
		"large.bin":     bytes.Repeat([]byte("large"), 100_000),
		"empty":         nil,
		"dir/page.html": []byte("<p>page"),
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, written, written); err != nil {
			t.Fatal(err)
		}
	}
	same(t, func() http.Handler { return http.FileServer(http.Dir(root)) },
		"GET /", "GET /index.html", "GET /a.txt", "HEAD /a.txt", "GET /large.bin", "HEAD /large.bin", "GET /empty",
		"GET /dir", "GET /dir/", "GET /dir/page.html", "GET /nowhere", "GET /a.txt/", "POST /a.txt",
		"GET /../../etc/passwd", "GET /%2e%2e/%2e%2e/etc/passwd", "GET /a.txt%00", "GET /dir%2fpage.html",
		"GET /a.txt\nRange: bytes=2-4", "GET /a.txt\nRange: bytes=-3", "GET /a.txt\nRange: bytes=8-", "GET /a.txt\nRange: bytes=10-",
		"GET /a.txt\nRange: bytes=5-2", "GET /a.txt\nRange: lines=1-2", "HEAD /a.txt\nRange: bytes=2-4", "GET /large.bin\nRange: bytes=100000-399999",
		"GET /a.txt\nIf-Modified-Since: Sun, 22 Nov 2026 01:42:00 GMT", "GET /a.txt\nIf-Modified-Since: Sat, 21 Nov 2026 01:42:00 GMT",
		"GET /a.txt\nIf-Unmodified-Since: Sat, 21 Nov 2026 01:42:00 GMT", "GET /a.txt\nIf-None-Match: *",
		"GET /a.txt\nRange: bytes=2-4\nIf-Range: Sun, 22 Nov 2026 01:42:00 GMT", "GET /a.txt\nRange: bytes=2-4\nIf-Range: Sat, 21 Nov 2026 01:42:00 GMT",
	)
}
