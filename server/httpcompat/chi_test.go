package httpcompat

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

type article struct{ ID, Title string }

type articleKey struct{}

// quiet is a log that nobody reads.
type quiet struct{}

func (quiet) NewLogEntry(*http.Request) middleware.LogEntry   { return quiet{} }
func (quiet) Write(int, int, http.Header, time.Duration, any) {}
func (quiet) Panic(any, []byte)                               {}

// articles is a small REST application as chi's users write them.
func articles() http.Handler {
	known := map[string]article{"1": {"1", "Hi"}, "2": {"2", "sup"}}
	r := chi.NewRouter()
	r.Use(middleware.RequestID, middleware.RealIP, middleware.RequestLogger(quiet{}), middleware.Recoverer, middleware.StripSlashes, middleware.CleanPath,
		middleware.Heartbeat("/ping"), middleware.Compress(5), middleware.GetHead,
		middleware.SetHeader("X-App", "articles"), middleware.Timeout(10*time.Second),
		middleware.Throttle(100), middleware.RequestSize(1<<20), middleware.NoCache)
	r.NotFound(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no such page", 404) })
	r.Get("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "root.") })
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("test") })
	r.Get("/large", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, strings.Repeat("<p>large</p>", 10_000))
	})
	r.Get("/url/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s", chi.URLParam(r, "name"), r.RemoteAddr, chi.RouteContext(r.Context()).RoutePattern())
	})
	r.Route("/articles", func(r chi.Router) {
		r.Get("/", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, 200, []article{known["1"], known["2"]}) })
		r.Post("/", func(w http.ResponseWriter, r *http.Request) {
			var a article
			if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
				http.Error(w, err.Error(), 400)
				return
			}
			writeJSON(w, 201, a)
		})
		r.Route("/{id:[0-9]+}", func(r chi.Router) {
			r.Use(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					a, found := known[chi.URLParam(r, "id")]
					if !found {
						http.Error(w, http.StatusText(404), 404)
						return
					}
					next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), articleKey{}, a)))
				})
			})
			r.Get("/", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, 200, r.Context().Value(articleKey{})) })
			r.Delete("/", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) })
		})
	})
	admin := chi.NewRouter()
	admin.Use(middleware.BasicAuth("admin", map[string]string{"root": "secret"}))
	admin.Get("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "admin: index") })
	r.Mount("/admin", admin)
	return r
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

func TestChi(t *testing.T) {
	same(t, articles,
		"GET /", "HEAD /", "GET /ping", "HEAD /ping", "GET /nowhere", "POST /", "GET /panic", "GET /",
		"GET /articles", "GET /articles/", "GET //articles", "GET /articles/1", "GET /articles/9", "GET /articles/x",
		"DELETE /articles/1", "PUT /articles/1", "OPTIONS /articles/1",
		"POST /articles\nContent-Type: application/json\n\n{\"ID\":\"3\",\"Title\":\"new\"}",
		"POST /articles\nContent-Type: application/json\n\n{broken",
		"POST /articles",
		"GET /url/a%20b\nX-Real-IP: 192.0.2.1",
		"GET /url/a%2Fb\nX-Forwarded-For: 192.0.2.2, 192.0.2.3",
		"GET /large", "GET /large\nAccept-Encoding: gzip", "GET /large\nAccept-Encoding: deflate", "HEAD /large",
		"GET /admin", "GET /admin\nAuthorization: Basic cm9vdDpzZWNyZXQ=", "GET /admin\nAuthorization: Basic cm9vdDp3cm9uZw==",
	)
}

// A handler that takes too long for chi's Timeout sees its context end, and the answer is 504.
func TestChiTimeout(t *testing.T) {
	same(t, func() http.Handler {
		r := chi.NewRouter()
		r.Use(middleware.Timeout(time.Millisecond))
		r.Get("/", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		return r
	}, "GET /")
}

// The writer that chi wraps ours in must keep what it can do: flushing, and taking over.
func TestChiWrapsTheWriter(t *testing.T) {
	same(t, func() http.Handler {
		r := chi.NewRouter()
		r.Use(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				wrapped := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
				next.ServeHTTP(wrapped, r)
				if wrapped.BytesWritten() == 0 || wrapped.Status() != 200 {
					panic("the wrapper has not counted")
				}
			})
		})
		r.Get("/", func(w http.ResponseWriter, r *http.Request) {
			_, flushes := w.(http.Flusher)
			_, hijacks := w.(http.Hijacker)
			_, reads := w.(io.ReaderFrom)
			fmt.Fprint(w, flushes, hijacks, reads)
			w.(http.Flusher).Flush()
			io.Copy(w, strings.NewReader("copied"))
		})
		return r
	}, "GET /")
}
