// Hello answers GET / with "Hello, World!" and everything else with an error.
package main

import (
	"net/http"

	"github.com/penstock-go/penstock/examples/internal/program"
	"github.com/penstock-go/penstock/server"
)

func main() { program.Main(hello, server.Options{}) }

func hello(r *server.Request) server.Response {
	if r.Path() != "/" {
		return server.Text(http.StatusNotFound, "There is nothing here but /.\n")
	}
	if m := r.Method(); m != http.MethodGet && m != http.MethodHead {
		return server.Text(http.StatusMethodNotAllowed, "The method must be GET or HEAD.\n").With("Allow", "GET, HEAD")
	}
	return server.Text(http.StatusOK, "Hello, World!")
}
