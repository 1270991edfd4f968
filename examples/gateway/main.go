// Gateway stands before other HTTP servers: it asks for a token at the door, chooses a server for each
// request, waits for one that is being restarted, and passes bytes on as fast as who reads them takes
// them, so that its memory stays flat. README.md has the whole story.
//
//	go run ./examples/gateway -upstream http://127.0.0.1:9000
//	go run ./examples/gateway -config gateway.json
//
// It answers itself:
//
//	GET /-/         a page that follows the counts
//	GET /-/stats    the counts, as JSON
//	GET /-/events   the same once a second, as Server-Sent Events
package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/penstock-go/penstock/examples/internal/program"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/layer"
)

// tryFor is how long a request waits with -upstream for a server that refuses connections.
const tryFor = 10 * time.Second

const logBuffer = 1 << 20 // bytes of the access log that may wait to be written

func main() {
	file := flag.String("config", "", "`file` of routes, see README.md")
	upstream := flag.String("upstream", "", "`address` that everything is sent to, for everybody, in place of a file of routes")
	accessLog := flag.Bool("log", false, "write an access log in the Combined Log Format to the standard output")
	program.MainOf(func() (*server.Server, func() error, error) {
		c, err := chooseConfig(*file, *upstream)
		if err != nil {
			return nil, nil, err
		}
		ticker := time.NewTicker(time.Second)
		var out io.Writer
		if *accessLog {
			out = os.Stdout
		}
		s, release, err := open(c, out, slog.Default(), ticker.C)
		if err != nil {
			return nil, nil, err
		}
		return s, func() error { ticker.Stop(); return release() }, nil
	})
}

func chooseConfig(file, upstream string) (*config, error) {
	switch {
	case (file == "") == (upstream == ""):
		return nil, errors.New("either -config or -upstream is needed, and not both")
	case file != "":
		return readConfig(file)
	}
	return simpleConfig(upstream, tryFor), nil
}

// open makes the server of the program. Its counts are published each time that ticks gives;
// requests are logged to accessLog if that is not nil. release ends what the server does not know
// of, once it has ended.
func open(c *config, accessLog io.Writer, logger *slog.Logger, ticks <-chan time.Time) (s *server.Server, release func() error, err error) {
	site, err := newSite(c, logger)
	if err != nil {
		return nil, nil, err
	}
	var log *layer.LogWriter
	var logs server.Layer
	if accessLog != nil {
		log = layer.NewLogWriter(accessLog, logBuffer)
		logs = layer.CombinedLog(log)
	}
	endLog := func() error {
		if log == nil {
			return nil
		}
		return log.Close(context.Background())
	}
	h, err := site.handler(logs)
	if err == nil {
		s, err = server.New(h, server.Options{Name: "gateway", Logger: logger, BodyLimit: bodyLimit})
	}
	if err != nil {
		site.close()
		return nil, nil, errors.Join(err, endLog())
	}
	site.server = s
	stop := site.follow(ticks)
	return s, func() error {
		stop()
		site.close()
		return endLog()
	}, nil
}

// bodyLimit is for routes that say nothing of it.
const bodyLimit = 10 << 20 // bytes

// follow publishes the counts whenever ticks gives, if anybody follows them, until stop is called.
func (s *site) follow(ticks <-chan time.Time) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			case <-ticks:
				if s.counts.topic.Stats().Subscribers > 0 { // else it would be garbage, once a second
					s.counts.publish(s.snapshot())
				}
			}
		}
	}()
	return func() { close(end); <-ended }
}
