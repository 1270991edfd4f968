// Command penstock is the service on Penstock, with the router that Penstock comes with: see
// ../README.md for what it answers.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/penstock-go/penstock/bench/internal/httpservice"
	"github.com/penstock-go/penstock/bench/internal/service"
	"github.com/penstock-go/penstock/server"
)

func main() {
	arguments := service.Start()
	s, err := server.New(newRouter(arguments.Routes).Answer, server.Options{})
	if err != nil {
		log.Fatalf("penstock cannot be made: %v", err)
	}
	bound, err := s.Listen("tcp", arguments.Address)
	if err != nil {
		log.Fatalf("penstock cannot listen: %v", err)
	}
	service.Announce(bound.String())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	select {
	case err := <-served:
		log.Fatal(err)
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.Shutdown(deadline); err != nil {
		fmt.Println(err)
	}
}

func newRouter(routes []service.Route) *server.Router {
	blocks := slices.Repeat([][]byte{service.Block()}, service.ReportBlocks)
	router := server.NewRouter()
	router.Handle("GET /{$}", hello)
	router.Handle("GET /json", func(*server.Request) server.Response {
		return server.Bytes(http.StatusOK, service.TypeJSON, service.JSON())
	})
	router.Handle("POST /echo", echo)
	router.Handle("POST /echo-stages", echo)
	router.Handle("POST /echo-script", echoByScript)
	router.Handle("GET /download", func(*server.Request) server.Response { return download(blocks[:service.BlockCount]) })
	router.Handle("GET /report", func(*server.Request) server.Response { return download(blocks) })
	router.Handle("POST /upload", upload)
	router.Handle("GET /block", wait)
	router.Handle("GET /adapter", server.FromHTTP(http.HandlerFunc(httpservice.New("penstock").Hello)))
	for _, route := range routes {
		name := route.LastName()
		router.Handle(route.Method+" "+route.Path, func(r *server.Request) server.Response {
			return server.Text(http.StatusOK, r.PathValue(name))
		})
	}
	return router
}
