package server_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// showAnswer serves h, requests it once, and prints the body of the answer.
func showAnswer(h server.Handler) { showAnswerTo(http.MethodGet, "", h) }

// showAnswerTo is showAnswer for a request with this method and body.
func showAnswerTo(method, body string, h server.Handler) {
	s, err := server.New(h, server.Options{})
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
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequest(method, "http://"+address.String(), strings.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := client.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		fmt.Println(err)
	}
	if err := s.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
	}
	if err := <-served; err != nil {
		fmt.Println(err)
	}
}

// A goroutine pushes to the queue that is the answer. When the client has gone, Push returns
// pipeline.ErrClosed, and Done is closed.
func Example_queue() {
	count := func(q *pipeline.Queue[[]byte]) {
		for n := 1; n <= 3; n++ {
			if q.Push(fmt.Appendf(nil, "%d\n", n)) != nil {
				return
			}
		}
		q.Finish(nil)
	}
	showAnswer(func(r *server.Request) server.Response {
		q := pipeline.NewQueue[[]byte](r.Loop(), 16, pipeline.Refuse)
		go count(q)
		return server.Stream(http.StatusOK, "text/plain", q)
	})
	// Output:
	// 1
	// 2
	// 3
}

// The answer is what comes from a channel. When the client has gone, the context is cancelled.
func Example_channel() {
	readings := func(ctx context.Context) <-chan []byte {
		values := make(chan []byte)
		go func() {
			defer close(values)
			for n := 1; n <= 3; n++ {
				select {
				case values <- fmt.Appendf(nil, "reading %d\n", n):
				case <-ctx.Done():
					return
				}
			}
		}()
		return values
	}
	showAnswer(func(r *server.Request) server.Response {
		ctx, cancel := context.WithCancel(context.Background())
		return server.Stream(http.StatusOK, "text/plain", pipeline.FromChannel(r.Loop(), readings(ctx), cancel))
	})
	// Output:
	// reading 1
	// reading 2
	// reading 3
}

// The answer comes from another goroutine. When the client has gone, Resolve returns pipeline.ErrClosed, and Done
// is closed.
func Example_future() {
	showAnswer(func(r *server.Request) server.Response {
		f := pipeline.NewFuture[server.Response](r.Loop())
		go func() { _ = f.Resolve(server.Text(http.StatusOK, "from another goroutine\n")) }()
		return server.Later(f)
	})
	// Output:
	// from another goroutine
}

// The answer is what an iterator yields that blocks, as a database cursor does. It is a few rows ahead of the client
// and no more. When the client has gone, its context is cancelled and it is stopped.
func Example_iterator() {
	pool := loop.NewPool(4, 100)
	defer pool.Close()
	rows := func(ctx context.Context) iter.Seq2[[]byte, error] {
		return func(yield func([]byte, error) bool) {
			for n := 1; n <= 3; n++ {
				if !yield(fmt.Appendf(nil, "row %d\n", n), ctx.Err()) {
					return
				}
			}
		}
	}
	showAnswer(func(r *server.Request) server.Response {
		return server.Stream(http.StatusOK, "text/csv", pipeline.OffloadIter(r.Loop(), pool, 16, rows))
	})
	// Output:
	// row 1
	// row 2
	// row 3
}

// The answer is a line each interval, of which this client gets three. When a client has gone, the ticker stops.
func ExampleRequest_Every() {
	showAnswer(func(r *server.Request) server.Response {
		n := 0
		return server.Stream(http.StatusOK, "text/plain", pipeline.Map(r.Every(time.Millisecond), func(time.Duration) ([]byte, error) {
			if n++; n > 3 {
				return nil, io.EOF
			}
			return fmt.Appendf(nil, "tick %d\n", n), nil
		}))
	})
	// Output:
	// tick 1
	// tick 2
	// tick 3
}
