// Api is a service of a store's items as JSON, in a SQLite database:
//
//	POST   /items              makes an item
//	GET    /items?after=&limit= a page of them, in the order of their ids
//	GET    /items/{id}         one of them
//	PUT    /items/{id}         replaces it
//	DELETE /items/{id}         removes it
//	GET    /items.ndjson       all of them, one JSON object a line, streamed
//	POST   /items.ndjson       makes one of each line, streamed
//
// Start it, and make an item, change it if nobody else has, and carry all of them over:
//
//	cd examples/api && go run . -database items.db
//	curl -i --json '{"name":"Nut, M6","price":12,"stock":400}' http://127.0.0.1:8080/items
//	curl -i -X PUT -H 'If-Match: "1"' --json '{"name":"Nut, M6","price":14,"stock":400}' http://127.0.0.1:8080/items/1
//	curl 'http://127.0.0.1:8080/items?limit=10'
//	curl --compressed http://127.0.0.1:8080/items.ndjson > all.ndjson
//	curl -T all.ndjson -X POST -H 'Content-Type: application/x-ndjson' http://127.0.0.1:8080/items.ndjson
//	curl -i -X DELETE http://127.0.0.1:8080/items/1
//
// What a request has wrong is answered with a problem document (RFC 9457) that says where.
// The price is in hundredths. The access log goes to the standard error, as lines of JSON.
//
// The program is a module of its own, so that the database's driver is no dependency of
// Penstock.
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/penstock-go/penstock/examples/internal/program"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/layer"
)

const (
	logWaiting = 1 << 20         // bytes of the access log that may wait to be written
	logFlush   = 2 * time.Second // how long the end of the program waits for them
)

func main() {
	file := flag.String("database", "", "`file` of the database; without it a new one that is removed at the end")
	program.MainOf(func() (*server.Server, func() error, error) {
		if *file != "" {
			return open(*file, os.Stderr, server.Options{})
		}
		folder, err := os.MkdirTemp("", "items-")
		if err != nil {
			return nil, nil, err
		}
		s, release, err := open(filepath.Join(folder, "items.db"), os.Stderr, server.Options{})
		if err != nil {
			return nil, nil, errors.Join(err, os.RemoveAll(folder))
		}
		return s, func() error { return errors.Join(release(), os.RemoveAll(folder)) }, nil
	})
}

// open makes the server of the program, with the database in file and its logs to log. release
// ends what the server does not know of, once it has ended.
func open(file string, log io.Writer, o server.Options) (s *server.Server, release func() error, err error) {
	kept, err := openStore(file)
	if err != nil {
		return nil, nil, err
	}
	lines := layer.NewLogWriter(log, logWaiting)
	o.Logger = slog.New(slog.NewJSONHandler(lines, nil))
	site := newSite(kept, o.Logger, usual)
	release = func() error {
		site.close() // what was accepted is done first
		ctx, cancel := context.WithTimeout(context.Background(), logFlush)
		defer cancel()
		return errors.Join(kept.Close(), lines.Close(ctx))
	}
	s, err = server.New(site.router().Answer, o)
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	return s, release, nil
}
