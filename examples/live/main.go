// Live is a board that everybody reads and writes at the same time, and the figures of
// the server behind it, both as event streams:
//
//	GET  /          the page
//	GET  /events    messages and, once a second, figures, as Server-Sent Events
//	POST /publish   puts the request's body on the board: text of at most 4 KiB
//	GET  /figures   the current figures as JSON
//
// Start it, open the page that it prints in two windows, and write in one of them. Or:
//
//	go run ./examples/live -board board.jsonl
//	curl -N http://127.0.0.1:8080/events?only=messages
//	curl --data 'Hello, everybody' http://127.0.0.1:8080/publish
//	curl http://127.0.0.1:8080/figures
//
// A client that says which message it has got last, in Last-Event-ID or in the parameter
// after, gets exactly what came since:
//
//	curl -N 'http://127.0.0.1:8080/events?after=1760000000000-7'
//
// With -board the messages are kept in a file, and so the same holds when the program was
// stopped and started again in between.
package main

import (
	"flag"
	"time"

	"github.com/penstock-go/penstock/examples/internal/program"
	"github.com/penstock-go/penstock/server"
)

func main() {
	file := flag.String("board", "", "`file` that the messages are kept in; without it they end with the program")
	program.MainOf(func() (*server.Server, func() error, error) {
		ticker := time.NewTicker(tick)
		s, release, err := open(*file, ticker.C, server.Options{})
		if err != nil {
			return nil, nil, err
		}
		return s, func() error { ticker.Stop(); return release() }, nil
	})
}

// open makes the server of the program. Its figures are measured each time that ticks
// gives. release ends what the server does not know of, once it has ended.
func open(file string, ticks <-chan time.Time, o server.Options) (s *server.Server, release func() error, err error) {
	b, err := openBoard(file, time.Now)
	if err != nil {
		return nil, nil, err
	}
	f := newFigures(b.topic)
	site := newSite(b, f)
	o.Hooks.Request = func(*server.Request) { f.requests.Add(1) }
	s, err = server.New(site.answer, o)
	if err != nil {
		site.close()
		_ = b.Close() // nothing was written to it
		return nil, nil, err
	}
	stop := f.start(s, ticks)
	return s, func() error {
		stop()
		site.close() // what was accepted is written first
		return b.Close()
	}, nil
}
