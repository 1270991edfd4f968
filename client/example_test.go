package client_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// A handler that asks another server, and passes its answer on as it comes: the next piece is read when the last has
// gone out.
func Example() {
	c, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	reports, err := c.Upstream("http://127.0.0.1:8081")
	if err != nil {
		log.Fatal(err)
	}
	handler := func(r *server.Request) server.Response {
		asked := reports.Do(r.Loop(), &client.Request{Target: "/reports/today"})
		return server.Later(pipeline.Map(asked, func(report *client.Response) (server.Response, error) {
			return server.Stream(report.Head().Status, "text/csv", report.Body), nil
		}))
	}
	s, err := server.New(handler, server.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := s.Listen("tcp", "127.0.0.1:8080"); err != nil {
		log.Fatal(err)
	}
	log.Fatal(s.Serve())
}

// Any goroutine can wait for a response.
func ExampleClient_DoContext() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/greeting", http.StatusFound)
			return
		}
		fmt.Fprint(w, "Hello, World!")
	}))
	defer upstream.Close()
	c, err := client.New(client.Options{MaxRedirects: 10})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	response, err := c.DoContext(context.Background(), &client.BlockingRequest{URL: upstream.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(response.Status, response.URL.Path, string(content))
	// Output: 200 /greeting Hello, World!
}

// An upload is read as fast as the upstream takes it. A file's length is known to who opens it; what has none, as here,
// is sent with the chunked coding.
func ExampleClient_DoContext_upload() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.Header.Get("Content-Type"), " ", n, " ", err)
	}))
	defer upstream.Close()
	c, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	reader, writer := io.Pipe()
	go func() {
		for range 1000 {
			_, _ = fmt.Fprintln(writer, "a line")
		}
		_ = writer.Close()
	}()
	response, err := c.DoContext(context.Background(), &client.BlockingRequest{
		Method: "POST",
		URL:    upstream.URL,
		Fields: []parser.Field{{Name: "Content-Type", Value: "text/plain"}},
		Body:   reader,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(os.Stdout, response.Body)
	// Output: text/plain 7000 <nil>
}

// On a loop, the body of a request is a source, and so nothing of it is held.
func ExampleUpstream_Do() {
	c, err := client.New(client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	store, err := c.Upstream("unix:/run/store.sock")
	if err != nil {
		log.Fatal(err)
	}
	_ = func(r *server.Request) server.Response {
		asked := store.Do(r.Loop(), &client.Request{
			Method: "PUT",
			Target: "/files/" + strings.TrimPrefix(r.Path(), "/upload/"),
			Body:   r.Body,
			Length: -1,
		})
		return server.Later(pipeline.Map(asked, func(stored *client.Response) (server.Response, error) {
			defer stored.Close()
			return server.Empty(stored.Head().Status), nil
		}))
	}
}
