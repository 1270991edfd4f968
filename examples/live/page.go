package main

import (
	"embed"
	"fmt"
	"path"

	"github.com/penstock-go/penstock/server"
)

//go:embed page
var pageFiles embed.FS

// policy has the browser refuse whatever does not come from here (Content Security Policy
// Level 3): what is written on the board could do nothing even if the page took it for markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

// pages returns the answers that never change, by path: the files of the folder page, of
// which page.html is "/".
func pages() map[string]server.Response {
	types := map[string]string{
		".html": "text/html; charset=utf-8",
		".css":  "text/css; charset=utf-8",
		".js":   "text/javascript; charset=utf-8",
		".svg":  "image/svg+xml",
	}
	files, err := pageFiles.ReadDir("page")
	if err != nil {
		panic(fmt.Sprintf("live: the files of the page are not in the program: %v", err))
	}
	answers := make(map[string]server.Response)
	for _, file := range files {
		content, err := pageFiles.ReadFile("page/" + file.Name())
		if err != nil {
			panic(fmt.Sprintf("live: a file of the page is not in the program: %v", err))
		}
		at := "/" + file.Name()
		if at == "/page.html" {
			at = "/"
		}
		answers[at] = server.Bytes(200, types[path.Ext(file.Name())], content).
			With("Content-Security-Policy", policy).
			With("X-Content-Type-Options", "nosniff").
			With("Cache-Control", "no-cache")
	}
	return answers
}
