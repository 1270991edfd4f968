// Command nethttp is the net/http server that Penstock is measured against; ../README.md says
// what it answers. Besides the service it sends bodies back while they arrive, and events; with
// -upstream it is a gateway.
//
// The package's documentation names no settings for speed. The service uses its ServeMux.
package main

import (
	"flag"
	"io"
	"log"
	"net/http"

	"github.com/penstock-go/penstock/bench/internal/httpservice"
	"github.com/penstock-go/penstock/bench/internal/service"
)

func main() {
	upstream := flag.String("upstream", "", "the `URL` of a server that all requests are passed on to")
	arguments := service.Start()
	answers := httpservice.New("nethttp")
	var handler http.Handler = hand(answers, new(service.Board))
	switch {
	case *upstream != "":
		passing, err := newGateway(*upstream)
		if err != nil {
			log.Fatal(err)
		}
		handler = passing
	case arguments.Serves():
		handler = answers.Mux(arguments.Routes)
	}
	log.Fatal(http.Serve(arguments.Listen(), handler))
}

// hand routes by hand, where what the ServeMux costs is no part of the comparison.
func hand(answers *httpservice.Service, board *service.Board) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet && r.URL.Path == "/":
			answers.Hello(w, r)
		case r.Method == http.MethodPost && r.URL.Path == "/echo":
			stream(w, r)
		case r.Method == http.MethodGet && r.URL.Path == "/events":
			events(board, w, r)
		case r.Method == http.MethodPost && r.URL.Path == "/publish":
			publish(board, w, r)
		default:
			http.NotFound(w, r)
		}
	}
}

// stream sends the body back while it arrives.
func stream(w http.ResponseWriter, r *http.Request) {
	if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
		http.Error(w, "this connection cannot read and write at once", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	if _, err := io.Copy(w, r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}
