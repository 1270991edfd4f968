package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/penstock-go/penstock/server"
)

// A program of net/http, its mux and all, answered by a Penstock server.
func ExampleFromHTTP() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!", r.PathValue("name"))
	})
	s, err := server.New(server.FromHTTP(mux), server.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	address, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()

	resp, err := http.Get("http://" + address.String() + "/hello/Ada")
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	fmt.Println(resp.StatusCode, string(body))

	http.DefaultClient.CloseIdleConnections()
	fmt.Println(s.Shutdown(context.Background()), <-served)
	// Output:
	// 200 Hello, Ada!
	// <nil> <nil>
}
