// Package page serves the files of a page that are embedded in an example program.
package page

import (
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/penstock-go/penstock/server"
)

// common is what the pages share: their style sheet and their icon.
//
//go:embed common.css icon.svg
var common embed.FS

// Answers returns the answers to GET requests for the files in the folder page of files, and
// for those that the pages share, common.css and icon.svg, by path; page.html is "/". policy is
// their Content-Security-Policy. It panics if a file is not of a type that a page has, or cannot
// be read: the program was built wrong.
func Answers(files embed.FS, policy string) map[string]server.Response {
	own, err := fs.Sub(files, "page")
	if err != nil {
		panic(fmt.Sprintf("page: the files of the page are not in the program: %v", err))
	}
	answers := make(map[string]server.Response)
	for _, folder := range []fs.FS{common, own} {
		add(answers, folder, policy)
	}
	return answers
}

func add(answers map[string]server.Response, folder fs.FS, policy string) {
	types := map[string]string{
		".html": "text/html; charset=utf-8",
		".css":  "text/css; charset=utf-8",
		".js":   "text/javascript; charset=utf-8",
		".svg":  "image/svg+xml",
	}
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		panic(fmt.Sprintf("page: the files of the page are not in the program: %v", err))
	}
	for _, entry := range entries {
		content, err := fs.ReadFile(folder, entry.Name())
		if err != nil {
			panic(fmt.Sprintf("page: a file of the page is not in the program: %v", err))
		}
		contentType, known := types[path.Ext(entry.Name())]
		if !known {
			panic(fmt.Sprintf("page: the file %s is of no type that a page has", entry.Name()))
		}
		at := "/" + entry.Name()
		if at == "/page.html" {
			at = "/"
		}
		answers[at] = server.Bytes(200, contentType, content).
			With("Content-Security-Policy", policy).
			With("X-Content-Type-Options", "nosniff").
			With("Cache-Control", "no-cache")
	}
}
