package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// A server, a request to it, and its end.
func Example() {
	s, err := server.New(func(r *server.Request) server.Response {
		return server.Text(http.StatusOK, "Hello, "+r.Query("name")+"!")
	}, server.Options{})
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

	resp, err := http.Get("http://" + address.String() + "/?name=World")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(resp.Status, string(body), err)

	http.DefaultClient.CloseIdleConnections()
	fmt.Println(s.Shutdown(context.Background()), <-served)
	// Output:
	// 200 OK Hello, World! <nil>
	// <nil> <nil>
}

// The body of the answer is the body of the request, as it arrives. The client is
// read from only as fast as it takes what it is sent.
func ExampleStream() {
	echo := func(r *server.Request) server.Response {
		return server.Stream(http.StatusOK, r.Type(), r.Body)
	}
	_ = server.Handler(echo)
}

// The answer comes when the body has been read; the loop goes on meanwhile.
func ExampleLater() {
	count := func(r *server.Request) server.Response {
		whole := pipeline.Collect(r.Body, 1<<20)
		return server.Later(pipeline.Map(whole, func(body []byte) (server.Response, error) {
			return server.Text(http.StatusOK, strconv.Itoa(len(body))), nil
		}))
	}
	_ = server.Handler(count)
}

// A stage of one's own is a function from a source to a source. This one makes an
// answer's text upper case on the way.
func ExampleResponse() {
	upper := func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
		return pipeline.Map(src, func(chunk []byte) ([]byte, error) {
			return []byte(strings.ToUpper(string(chunk))), nil
		})
	}
	shout := func(r *server.Request) server.Response {
		return server.Stream(http.StatusOK, r.Type(), upper(r.Body)).With("Cache-Control", "no-store")
	}
	_ = server.Handler(shout)
}
