// Command nethttp is the net/http server that Penstock is measured against: GET / answers
// "Hello, World!", POST /echo sends the request's body back while it arrives, GET /events is a
// stream of the messages that POST /publish takes.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime/debug"
)

// Header values are set as whole slices under canonical names: Header.Set would allocate
// a slice for each of them in every request.
var (
	serverField        = []string{"nethttp"}
	contentTypeField   = []string{"text/plain; charset=utf-8"}
	contentLengthField = []string{"13"}
	greeting           = []byte("Hello, World!")
)

func main() {
	address := flag.String("addr", "127.0.0.1:8080", "the `host:port` to listen on")
	flag.Parse()
	debug.SetGCPercent(400) // as Penstock's examples do
	listener, err := net.Listen("tcp4", *address)
	if err != nil {
		log.Fatalf("nethttp cannot listen: %v", err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, route(newBoard())))
}

// route does not use http.ServeMux: what it costs is no part of the comparison.
func route(board *board) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet && r.URL.Path == "/":
			hello(w)
		case r.Method == http.MethodPost && r.URL.Path == "/echo":
			echo(w, r)
		case r.Method == http.MethodGet && r.URL.Path == "/events":
			board.events(w, r)
		case r.Method == http.MethodPost && r.URL.Path == "/publish":
			board.publish(w, r)
		default:
			http.NotFound(w, r)
		}
	}
}

func hello(w http.ResponseWriter) {
	header := w.Header()
	header["Server"] = serverField
	header["Content-Type"] = contentTypeField
	header["Content-Length"] = contentLengthField
	w.Write(greeting)
}

func echo(w http.ResponseWriter, r *http.Request) {
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
		http.Error(w, "this connection cannot read and write at once", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	if _, err := io.Copy(w, r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}
