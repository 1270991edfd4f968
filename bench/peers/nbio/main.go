// Command nbio is the server on nbio's HTTP engine that Penstock is measured against; ../README.md
// says what it answers.
//
// Of the modes that nbio's README describes it takes IOModMixed, which that says performs best with
// few connections and stays healthy with many: the first connections get a goroutine each, the
// others are nbio's pollers'. The service uses the ServeMux of net/http, as nbio's examples do.
package main

import (
	"context"
	"log"
	"net/http"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"

	"github.com/penstock-go/penstock/bench/internal/httpservice"
	"github.com/penstock-go/penstock/bench/internal/service"
)

// blockingConnections is how many connections get a goroutine: all those of the scenarios that
// make load, few of those that stay idle.
const blockingConnections = 1100

func main() {
	arguments := service.Start()
	logging.SetLevel(logging.LevelNone)
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network:           "tcp4",
		Addrs:             []string{arguments.Address},
		Handler:           newHandler(arguments),
		IOMod:             nbhttp.IOModMixed,
		MaxBlockingOnline: blockingConnections,
		NPoller:           runtime.GOMAXPROCS(0), // by default a quarter of the processors
		MaxHTTPBodySize:   service.MaxUpload,     // bodies are held whole
		ReadLimit:         service.MaxUpload,
	})
	if err := engine.Start(); err != nil {
		log.Fatalf("nbio cannot serve: %v", err)
	}
	service.Announce(engine.Addrs[0])
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	<-ctx.Done()
	deadline, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := engine.Shutdown(deadline); err != nil {
		log.Print(err)
	}
}

// newHandler routes by hand, where what the ServeMux costs is no part of the comparison.
func newHandler(arguments service.Arguments) http.Handler {
	answers := httpservice.New("") // as nbio's own answers, without the field Server
	if arguments.Serves() {
		return answers.Mux(arguments.Routes)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		answers.Hello(w, r)
	})
}
