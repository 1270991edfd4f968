// Upload takes files of any size into a folder, in constant memory, and shows how far
// they have come:
//
//	GET  /             the page
//	POST /upload?id=X  takes the files of a form (multipart/form-data)
//	GET  /progress?id=X  how much of that has come, as Server-Sent Events
//	GET  /uploads      what is in the folder, as JSON
//
// Start it and open the page that it prints, or:
//
//	go run ./examples/upload -dir /tmp/uploads -limit 10737418240
//	curl -N 'http://127.0.0.1:8080/progress?id=first-try' &
//	curl -F file=@disk.img 'http://127.0.0.1:8080/upload?id=first-try'
//	curl http://127.0.0.1:8080/uploads
//
// A file is written by the workers of a pool, piece by piece: the client is read from as
// fast as the disk takes it, and a slow client holds no worker. It gets its name when it is
// whole. One that is cut is removed.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/penstock-go/penstock/examples/internal/program"
	"github.com/penstock-go/penstock/server"
)

const defaultLimit = 4 << 30 // bytes

func main() {
	dir := flag.String("dir", "", "`folder` that the files are kept in; without it a new one that stays")
	limit := flag.Int64("limit", defaultLimit, "the most `bytes` that one upload may have")
	program.MainOf(func() (*server.Server, func() error, error) {
		if *dir == "" {
			made, err := os.MkdirTemp("", "uploads-")
			if err != nil {
				return nil, nil, err
			}
			*dir = made
		}
		fmt.Printf("keeping uploads in %s\n", *dir)
		return open(*dir, *limit, server.Options{})
	})
}

// open makes the server of the program. release ends what the server does not know of,
// once it has ended.
func open(dir string, limit int64, o server.Options) (s *server.Server, release func() error, err error) {
	kept, err := openStore(dir)
	if err != nil {
		return nil, nil, err
	}
	site := newSite(kept, limit)
	release = func() error {
		site.workers.Close() // what was cut is removed first
		return kept.Close()
	}
	s, err = server.New(site.router().Answer, o)
	if err != nil {
		_ = release() // nothing was written
		return nil, nil, err
	}
	return s, release, nil
}
