// Command fasthttp is the fasthttp server that Penstock is measured against; ../README.md says
// what it answers. Besides the service it sends events.
//
// Of what the README of fasthttp recommends for speed it takes the listeners with SO_REUSEPORT,
// one for each processor, reused buffers, and bodies that are not copied. One process for each
// processor, which it recommends too, would be another comparison: all servers in Go are one process.
// The service uses github.com/fasthttp/router, which that README names, and reads large bodies
// as streams (Server.StreamRequestBody).
package main

import (
	"log"
	"net"
	"runtime"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/reuseport"

	"github.com/penstock-go/penstock/bench/internal/service"
)

var greeting = []byte(service.Greeting)

func main() {
	arguments := service.Start()
	server := &fasthttp.Server{Handler: hand(new(service.Board)), Name: "fasthttp"}
	if arguments.Serves() {
		server.Handler = newRouter(arguments.Routes).Handler
		server.StreamRequestBody = true
	}
	// All listeners are there before the address is announced: a connection made earlier would
	// stay with those that were.
	var listeners []net.Listener
	for range runtime.GOMAXPROCS(0) {
		listener, err := reuseport.Listen("tcp4", arguments.Address)
		if err != nil {
			log.Fatalf("fasthttp cannot listen: %v", err)
		}
		listeners = append(listeners, listener)
		arguments.Address = listener.Addr().String() // port 0 is chosen once
	}
	service.Announce(arguments.Address)
	served := make(chan error, len(listeners))
	for _, listener := range listeners {
		go func() { served <- server.Serve(listener) }()
	}
	log.Fatal(<-served)
}

// hand compares path and method by hand, where a router is no part of the comparison.
func hand(board *service.Board) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		switch path := string(ctx.Path()); {
		case path == "/" && ctx.IsGet():
			hello(ctx)
		case path == "/events" && ctx.IsGet():
			events(board, ctx)
		case path == "/publish" && ctx.IsPost():
			publish(board, ctx)
		default:
			ctx.Error("not found", fasthttp.StatusNotFound)
		}
	}
}

func newRouter(routes []service.Route) *router.Router {
	block := service.Block()
	r := router.New()
	r.GET("/", hello)
	r.GET("/json", func(ctx *fasthttp.RequestCtx) { answer(ctx, service.TypeJSON, service.JSON()) })
	r.POST("/echo", echo)
	r.GET("/download", func(ctx *fasthttp.RequestCtx) { download(ctx, block) })
	r.POST("/upload", upload)
	r.GET("/block", wait)
	for _, route := range routes {
		name := route.LastName()
		r.Handle(route.Method, route.PathWith("{NAME}", "{NAME:*}"), func(ctx *fasthttp.RequestCtx) {
			value, _ := ctx.UserValue(name).(string)
			ctx.SetContentType(service.TypeText)
			ctx.SetBodyString(value)
		})
	}
	return r
}
