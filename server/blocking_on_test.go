package server_test

import (
	"context"
	"io"
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Work of each kind runs on the pool that it was given, whatever the server's own workers do, and when that
// is full the answer is 503 without the body having been asked for.
func TestWorkOnAnotherPool(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(pipeline.Executor, *server.Request, func(body io.Reader)) server.Response{
		"GoOn": func(pool pipeline.Executor, r *server.Request, f func(io.Reader)) server.Response {
			return server.GoOn(pool, r, func(context.Context) server.Response { f(nil); return server.Text(200, "") })
		},
		"GoBodyOn": func(pool pipeline.Executor, r *server.Request, f func(io.Reader)) server.Response {
			return server.GoBodyOn(pool, r, func(_ context.Context, body io.Reader) server.Response { f(body); return server.Text(200, "") })
		},
		"GoStreamOn": func(pool pipeline.Executor, r *server.Request, f func(io.Reader)) server.Response {
			return server.GoStreamOn(pool, r, 200, "", func(_ context.Context, body io.Reader, _ *pipeline.Writer) error { f(body); return nil })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := loop.NewPool(1, 0)
			bodies, proceed := make(chan string, 1), make(chan struct{})
			s := besiege(t, server.Options{Workers: 1, WorkQueue: -1}, func(r *server.Request) server.Response {
				if r.Path() == "/own" {
					return server.Go(r, func(context.Context) server.Response { return server.Text(200, "") })
				}
				return answer(pool, r, func(body io.Reader) {
					if body == nil {
						bodies <- "water"
					} else if b, err := io.ReadAll(body); err != nil {
						bodies <- err.Error()
					} else {
						bodies <- string(b)
					}
					<-proceed
				})
			})
			busy, other := s.dial(t), s.dial(t)
			busy.send(post("/", "Content-Length: 5", "water"))
			if body := <-bodies; body != "water" {
				t.Errorf("work on another pool should read the body, and has read %q", body)
			}
			other.send(get("/own"))
			other.wantAnswer("the server's own workers are free", 200)
			other.send(post("/", "Content-Length: 5\r\nExpect: 100-continue", ""))
			if a := other.wantAnswer("the pool is full", 503); a.fields.Get("Retry-After") == "" {
				t.Error("an answer for which there was no worker should say when to try again")
			}
			close(proceed)
			busy.wantAnswer("the other pool's answer comes", 200)
			pool.Close()
		})
	}
}
