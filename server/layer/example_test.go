package layer_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/layer"
)

func handler(*server.Request) server.Response { return server.Text(http.StatusOK, "Hello, World!") }

// A server with layers around its handler, a request to it, and its end.
func Example() {
	log := layer.NewLogWriter(io.Discard, 1<<20) // os.Stdout or a file
	around := layer.Chain(
		layer.CommonLog(log),
		layer.RequestID(),
		layer.CORS(layer.CORSOptions{Origins: []string{"https://example.com"}}),
		layer.BodyLimit(64<<10),
	)
	s, err := server.New(around(handler), server.Options{})
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

	request, err := http.NewRequest(http.MethodGet, "http://"+address.String()+"/", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	request.Header.Set("Origin", "https://example.com")
	request.Header.Set("X-Request-ID", "example-1")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	fmt.Println(response.Header.Get("Access-Control-Allow-Origin"), response.Header.Get("X-Request-ID"))

	http.DefaultClient.CloseIdleConnections()
	ctx := context.Background()
	fmt.Println(s.Shutdown(ctx), <-served, log.Close(ctx))
	// Output:
	// 200 OK
	// https://example.com example-1
	// <nil> <nil> <nil>
}

func ExampleChain() {
	named := func(name string) server.Layer {
		return func(next server.Handler) server.Handler {
			return func(r *server.Request) server.Response {
				fmt.Println("before", name)
				defer fmt.Println("after", name)
				return next(r)
			}
		}
	}
	layer.Chain(named("a"), named("b"))(handler)(nil)
	// Output:
	// before a
	// before b
	// after b
	// after a
}

// A LogWriter keeps a slow log off the loops, whatever writes the records.
func ExampleAccessLog() {
	log := layer.NewLogWriter(os.Stdout, 1<<20)
	logger := slog.New(slog.NewJSONHandler(log, nil))
	_ = layer.AccessLog(logger)(handler)
}

func ExampleCommonLog() {
	log := layer.NewLogWriter(os.Stdout, 1<<20)
	_ = layer.CommonLog(log)(handler)
}

func ExampleCombinedLog() {
	log := layer.NewLogWriter(os.Stdout, 1<<20)
	_ = layer.CombinedLog(log)(handler)
}

func ExampleLogWriter() {
	log := layer.NewLogWriter(os.Stdout, 1<<20)
	fmt.Fprintln(log, "a line") // never blocks
	err := log.Close(context.Background())
	fmt.Println(err, log.Dropped())
	// Output:
	// a line
	// <nil> 0
}

func ExampleRequestID() {
	h := layer.RequestID()(func(r *server.Request) server.Response {
		return server.Text(http.StatusOK, "This is request "+layer.RequestIDOf(r)+".\n")
	})
	_ = h
}

// An API whose clients come from one site, with cookies, and whose answers have a field of their own.
func ExampleCORS() {
	around := layer.CORS(layer.CORSOptions{
		Origins:     []string{"https://example.com"},
		Methods:     []string{"PUT", "DELETE"},
		Fields:      []string{"Content-Type", "X-CSRF-Token"},
		Exposed:     []string{"X-Request-ID"},
		Credentials: true,
		MaxAge:      10 * time.Minute,
	})
	_ = around(handler)
}

func ExampleBasicAuth() {
	around := layer.BasicAuth("the office", func(user, password string) bool {
		return user == "vera" && layer.ConstantTimeEqual(password, os.Getenv("PASSWORD_OF_VERA"))
	})
	h := around(func(r *server.Request) server.Response {
		user, _, _ := layer.BasicCredentials(r)
		return server.Text(http.StatusOK, "Good morning, "+user+".\n")
	})
	_ = h
}

// A check that takes its time, such as a slow hash, runs on a pool.
func ExampleBasicAuthLater() {
	pool := loop.NewPool(8, 64)
	defer pool.Close()
	isRight := func(_ context.Context, user, password string) (bool, error) { return false, nil } // asks a directory
	around := layer.BasicAuthLater("the office", func(r *server.Request, user, password string) pipeline.Source[bool] {
		return pipeline.Offload(r.Loop(), pool, func(ctx context.Context) (bool, error) {
			return isRight(ctx, user, password)
		})
	})
	_ = around(handler)
}

func ExampleBearerAuth() {
	around := layer.BearerAuth("api", func(token string) bool {
		return layer.ConstantTimeEqual(token, os.Getenv("TOKEN"))
	})
	_ = around(handler)
}

func ExampleBearerAuthLater() {
	pool := loop.NewPool(8, 64)
	defer pool.Close()
	isActive := func(_ context.Context, token string) (bool, error) { return false, nil } // asks who issued it
	around := layer.BearerAuthLater("api", func(r *server.Request, token string) pipeline.Source[bool] {
		return pipeline.Offload(r.Loop(), pool, func(ctx context.Context) (bool, error) {
			return isActive(ctx, token)
		})
	})
	_ = around(handler)
}

func ExampleConstantTimeEqual() {
	fmt.Println(layer.ConstantTimeEqual("secret", "secret"), layer.ConstantTimeEqual("secreT", "secret"))
	// Output: true false
}

// Uploads may be large and slow; everything else keeps to the server's own limits.
func ExampleBodyLimit() {
	upload := layer.Chain(layer.BodyLimit(1<<30), layer.BodyTimeout(time.Minute), layer.WriteTimeout(time.Minute))
	_ = upload(handler)
}
