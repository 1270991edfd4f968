package layer_test

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/layer"
)

// A panic is answered in the form in which the API answers everything, and logged with the request's ID.
func ExampleRecover() {
	logger := slog.Default()
	around := layer.Chain(layer.RequestID(), layer.Recover(func(r *server.Request, value any, stack []byte) server.Response {
		logger.Error("a handler panicked", "panic", value, "request_id", layer.RequestIDOf(r), "stack", string(stack))
		return server.JSON(http.StatusInternalServerError, map[string]string{"error": "internal"})
	}))
	_ = around(handler)
}

// Who works for the request hears from its context that nobody waits any more.
func ExampleTimeout() {
	around := layer.Timeout(2 * time.Second)
	h := around(func(r *server.Request) server.Response {
		ctx, answer := r.Context(), pipeline.NewFuture[server.Response](r.Loop())
		go func() {
			<-ctx.Done() // or the result
			_ = answer.Reject(ctx.Err())
		}()
		return server.Later(answer)
	})
	_ = h
}

// What a client has already is not sent again: here because the handler knows when it changed.
func ExampleETag() {
	changed := time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)
	h := layer.ETag()(func(r *server.Request) server.Response {
		return server.Text(http.StatusOK, "Hello, World!").
			With("Last-Modified", changed.Format(http.TimeFormat)).With("Cache-Control", "no-cache")
	})
	_ = h
}
