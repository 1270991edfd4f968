// Command hertz is the hertz server that Penstock is measured against; ../README.md says what it
// answers. Besides the service it sends events.
//
// It runs on netpoll, which the documentation of hertz recommends for all but large requests
// ("Network Lib"), without the middleware of server.Default, which that names optional. For large
// request bodies it recommends Go's network library with streaming: see the flag -large.
package main

import (
	"context"
	"flag"
	"io"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/app/server"
	"github.com/cloudwego/hertz/pkg/common/config"
	"github.com/cloudwego/hertz/pkg/common/hlog"
	"github.com/cloudwego/hertz/pkg/network/netpoll"
	"github.com/cloudwego/hertz/pkg/network/standard"

	"github.com/penstock-go/penstock/bench/internal/service"
)

var greeting = []byte(service.Greeting)

func main() {
	large := flag.Bool("large", false, "be set up for large request bodies, as hertz recommends it for them")
	arguments := service.Start()
	hlog.SetOutput(io.Discard) // it logs each connection that a client resets
	options := []config.Option{
		server.WithListener(arguments.Listen()),
		server.WithDisablePrintRoute(true),
		server.WithTransport(netpoll.NewTransporter),
		server.WithMaxRequestBodySize(service.MaxUpload),
	}
	if *large {
		options = append(options, server.WithTransport(standard.NewTransporter), server.WithStreamBody(true))
	}
	h := server.New(options...)
	h.GET("/", hello)
	if arguments.Serves() {
		addService(h, arguments.Routes)
	} else {
		board := new(service.Board)
		h.GET("/events", func(_ context.Context, c *app.RequestContext) { events(board, c) })
		h.POST("/publish", func(_ context.Context, c *app.RequestContext) { publish(board, c) })
	}
	h.Spin()
}

func addService(h *server.Hertz, routes []service.Route) {
	block := service.Block()
	h.GET("/json", func(_ context.Context, c *app.RequestContext) { answer(c, service.TypeJSON, service.JSON()) })
	h.POST("/echo", echo)
	h.GET("/download", func(_ context.Context, c *app.RequestContext) { download(c, block) })
	h.POST("/upload", upload)
	h.GET("/block", wait)
	for _, route := range routes {
		name := route.LastName()
		h.Handle(route.Method, route.PathWith(":NAME", "*NAME"), func(_ context.Context, c *app.RequestContext) {
			answer(c, service.TypeText, []byte(c.Param(name)))
		})
	}
}
