// Command fasthttp is the fasthttp server that Penstock is measured against: GET / answers
// "Hello, World!".
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"runtime/debug"

	"github.com/valyala/fasthttp"
)

var greeting = []byte("Hello, World!")

func main() {
	address := flag.String("addr", "127.0.0.1:8080", "the `host:port` to listen on")
	flag.Parse()
	debug.SetGCPercent(400) // as Penstock's examples do
	listener, err := net.Listen("tcp4", *address)
	if err != nil {
		log.Fatalf("fasthttp cannot listen: %v", err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := &fasthttp.Server{Handler: route, Name: "fasthttp"}
	log.Fatal(server.Serve(listener))
}

// route compares path and method by hand: a router is no part of the comparison.
func route(ctx *fasthttp.RequestCtx) {
	if !ctx.IsGet() || string(ctx.Path()) != "/" {
		ctx.Error("not found", fasthttp.StatusNotFound)
		return
	}
	ctx.SetContentType("text/plain; charset=utf-8")
	// SetBodyRaw hands the bytes over without copying them, as fasthttp's documentation
	// advises for bodies that never change.
	ctx.Response.SetBodyRaw(greeting)
}
