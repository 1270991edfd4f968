package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// What a slow dependency takes has a pool of its own: however long it is busy, the server's workers
// are free for every other route.
func ExampleGoBodyOn() {
	archive := loop.NewPool(4, 16) // four at a time; sixteen more wait, and the next gets 503
	defer archive.Close()

	showAnswerTo(http.MethodPost, "water", func(r *server.Request) server.Response {
		return server.GoBodyOn(archive, r, func(_ context.Context, body io.Reader) server.Response {
			stored, err := io.Copy(io.Discard, body) // to somewhere, say
			if err != nil {
				return server.Fail(err)
			}
			return server.Text(http.StatusCreated, fmt.Sprint(stored, " bytes are stored."))
		})
	})
	// Output:
	// 5 bytes are stored.
}

// The same for an answer that is written while the body is read.
func ExampleGoStreamOn() {
	archive := loop.NewPool(4, 16)
	defer archive.Close()

	showAnswerTo(http.MethodPost, "steel\nwater\n", func(r *server.Request) server.Response {
		return server.GoStreamOn(archive, r, http.StatusOK, "text/plain", func(_ context.Context, body io.Reader, w *pipeline.Writer) error {
			names := bufio.NewScanner(body)
			for names.Scan() {
				if _, err := fmt.Fprintf(w, "%s is found.\n", names.Text()); err != nil {
					return err
				}
			}
			return names.Err()
		})
	})
	// Output:
	// steel is found.
	// water is found.
}
