package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// The examples of docs/handlers.md: one handler, written in three ways. It reads a name from the
// request's body, looks its price up where that may block, and answers with it.

// lookUp stands for what blocks: a database, say.
func lookUp(_ context.Context, name string) (int, error) {
	if name != "apple" {
		return 0, &server.Error{Code: http.StatusNotFound, Message: "There is no such thing."}
	}
	return 3, nil
}

var pool = loop.NewPool(4, 100)

func priceByStages(r *server.Request) server.Response {
	loop := r.Loop()
	return server.Later(pipeline.Map(pipeline.Collect(r.Body, 100), func(name []byte) (server.Response, error) {
		price := pipeline.Offload(loop, pool, func(ctx context.Context) (int, error) {
			return lookUp(ctx, string(name))
		})
		return server.Later(pipeline.Map(price, func(price int) (server.Response, error) {
			return server.Text(http.StatusOK, fmt.Sprintf("%s: %d\n", name, price)), nil
		})), nil
	}))
}

func priceByScript(r *server.Request) server.Response {
	return server.Script(r, func(co *pipeline.Co) server.Response {
		body := pipeline.Collect(r.Body, 100)
		defer body.Close()
		name, err := pipeline.Await(co, body)
		if err != nil {
			return server.Fail(err)
		}
		work := pipeline.Offload(r.Loop(), pool, func(ctx context.Context) (int, error) {
			return lookUp(ctx, string(name))
		})
		defer work.Close()
		price, err := pipeline.Await(co, work)
		if err != nil {
			return server.Fail(err)
		}
		return server.Text(http.StatusOK, fmt.Sprintf("%s: %d\n", name, price))
	})
}

func priceByWorker(r *server.Request) server.Response {
	r.SetBodyLimit(100)
	return server.GoBody(r, func(ctx context.Context, body io.Reader) server.Response {
		name, err := io.ReadAll(body)
		if err != nil {
			return server.Fail(err)
		}
		price, err := lookUp(ctx, string(name))
		if err != nil {
			return server.Fail(err)
		}
		return server.Text(http.StatusOK, fmt.Sprintf("%s: %d\n", name, price))
	})
}

// A handler as stages, as a script, and as work that blocks: see docs/handlers.md.
func Example_threeWays() {
	for _, h := range []server.Handler{priceByStages, priceByScript, priceByWorker} {
		showAnswerTo(http.MethodPost, "apple", h)
	}
	showAnswerTo(http.MethodPost, "pear", priceByScript)
	// Output:
	// apple: 3
	// apple: 3
	// apple: 3
	// There is no such thing.
}

func report(r *server.Request) server.Response {
	return server.GoStream(r, http.StatusOK, "text/csv", func(ctx context.Context, _ io.Reader, w *pipeline.Writer) error {
		for _, name := range []string{"apple", "apple", "apple"} { // rows of a database, say
			price, err := lookUp(ctx, name)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%s,%d\n", name, price); err != nil {
				return err
			}
		}
		return nil
	})
}

// A long answer that is written by work that blocks, as fast as the client takes it.
func ExampleGoStream() {
	showAnswer(report)
	// Output:
	// apple,3
	// apple,3
	// apple,3
}
