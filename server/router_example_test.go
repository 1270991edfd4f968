package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// A server with routes, and three requests to it.
func ExampleRouter() {
	router := server.NewRouter()
	router.Handle("GET /users/{id}", func(r *server.Request) server.Response {
		return server.Text(http.StatusOK, "user "+r.PathValue("id"))
	})
	router.Handle("GET /users/me", func(r *server.Request) server.Response {
		return server.Text(http.StatusOK, "you, by "+r.Pattern())
	})
	s, err := server.New(router.Answer, server.Options{})
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

	for _, path := range []string{"/users/7%2F8", "/users/me", "/posts"} {
		resp, err := http.Get("http://" + address.String() + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(resp.StatusCode, string(body))
	}

	http.DefaultClient.CloseIdleConnections()
	fmt.Println(s.Shutdown(context.Background()), <-served)
	// Output:
	// 200 user 7/8
	// 200 you, by GET /users/me
	// 404 There is nothing at this path.
	//
	// <nil> <nil>
}

// Limits and timeouts of a route are set by a layer in front of it.
func ExampleRouter_Handle() {
	large := func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			r.SetBodyLimit(1 << 30)
			r.SetBodyTimeout(time.Minute)
			return next(r)
		}
	}
	router := server.NewRouter()
	router.Handle("PUT /files/{name}", func(r *server.Request) server.Response {
		return server.Later(pipeline.Map(pipeline.Collect(r.Body, 1<<30), func([]byte) (server.Response, error) {
			return server.Empty(http.StatusCreated), nil
		}))
	}, large)
}

// A group of routes has a prefix and layers in common.
func ExampleRouter_Group() {
	onlyWithKey := func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			if r.Field("Authorization") == "" {
				return server.Empty(http.StatusUnauthorized).With("WWW-Authenticate", "Bearer")
			}
			return next(r)
		}
	}
	shop := func(r *server.Request) server.Response {
		return server.Text(http.StatusOK, r.PathValue("shop")+": "+r.PathValue("item"))
	}
	router := server.NewRouter()
	shops := router.Group("/shops/{shop}", onlyWithKey)
	shops.Handle("GET /{$}", shop)
	shops.Handle("GET /items/{item}", shop) // GET /shops/{shop}/items/{item}
}

// A layer of the whole router sees every answer, those too that the router gives itself.
func ExampleRouter_Use() {
	router := server.NewRouter()
	router.Use(func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			return next(r).With("X-Content-Type-Options", "nosniff")
		}
	})
	router.Handle("GET /{$}", func(*server.Request) server.Response {
		return server.Text(http.StatusOK, "home")
	})
}
