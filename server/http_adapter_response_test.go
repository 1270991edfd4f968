package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

const plainGet = "GET / HTTP/1.1\n\n"

// writing is a handler that writes the pieces.
func writing(pieces ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, piece := range pieces {
			io.WriteString(w, piece)
		}
	}
}

// with is a handler that sets a field before it goes on.
func with(name, value string, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(name, value)
		h(w, r)
	}
}

// status is a handler that decides the status before it goes on.
func status(code int, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(code)
		h(w, r)
	}
}

// large is more than any buffer holds.
var large = strings.Repeat("0123456789abcdef", 10_000)

func nothing(http.ResponseWriter, *http.Request) {}

func TestFromHTTPSendsTheBodyOfNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"nothing", plainGet, nothing},
		{"a text", plainGet, writing("hello")},
		{"a page", plainGet, writing("<!DOCTYPE html><p>hello")},
		{"bytes", plainGet, writing("\x89PNG\x0d\x0a\x1a\x0a and more")},
		{"pieces", plainGet, writing("he", "", "llo", ", ", strings.Repeat("x", 1000))},
		{"exactly the buffer", plainGet, writing(large[:1000], large[:1048])},
		{"one more than the buffer", plainGet, writing(large[:1000], large[:1049])},
		{"a large body", plainGet, writing(large)},
		{"a large body in pieces", plainGet, writing("<html>", large, large[:5], large)},
		{"a large body of a length", plainGet, with("Content-Length", fmt.Sprint(len(large)), writing(large))},
		{"a length", plainGet, with("Content-Length", "5", writing("hello"))},
		{"a length that is none", plainGet, with("Content-Length", "five", writing("hello"))},
	})
}

func TestFromHTTPSendsTheFieldsOfNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"a status", plainGet, status(418, writing("hello"))},
		{"no content", plainGet, status(204, nothing)},
		{"not modified", plainGet, with("Content-Type", "text/x", with("Etag", `"1"`, status(304, nothing)))},
		{"a type", plainGet, with("Content-Type", "application/json", writing("{}"))},
		{"the usual type", plainGet, with("Content-Type", "text/plain; charset=utf-8", writing("<html>"))},
		{"an encoding", plainGet, with("Content-Encoding", "x", writing("<html>"))},
		{"no type", plainGet, func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = nil
			io.WriteString(w, "<html>")
		}},
		{"many fields", plainGet, func(w http.ResponseWriter, r *http.Request) {
			for i := range 30 {
				w.Header().Add("X-"+fmt.Sprint(i%20), fmt.Sprint(i))
			}
		}},
		{"fields under their own names", plainGet, func(w http.ResponseWriter, r *http.Request) {
			w.Header()["x-lower"] = []string{"1"}
			w.Header()["not a name"] = []string{"1"}
			w.Header()["X-Lines"] = []string{" a\r\nInjected: b "}
		}},
		{"cookies", plainGet, func(w http.ResponseWriter, r *http.Request) {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", MaxAge: 9, HttpOnly: true})
			http.SetCookie(w, &http.Cookie{Name: "b", Value: "2"})
		}},
		{"an own Date", plainGet, with("Date", "Mon, 02 Jan 2006 15:04:05 GMT", writing("x"))},
		{"a field set too late", plainGet, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-A", "1")
			w.WriteHeader(200)
			w.Header().Set("X-A", "2")
			w.Header().Set("X-B", "2")
		}},
	})
}

func TestFromHTTPSendsTheStatusOfNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"two statuses", plainGet, status(201, status(500, writing("x")))},
		{"a status too late", plainGet, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			w.WriteHeader(500)
		}},
		{"an impossible status", plainGet, func(w http.ResponseWriter, r *http.Request) {
			defer func() { fmt.Fprint(w, "panicked ", recover() != nil) }()
			w.WriteHeader(99)
		}},
		{"an error", plainGet, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", 500) }},
		{"a redirect", plainGet, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/b?c", http.StatusFound) }},
		{"not found", plainGet, http.NotFound},
		{"Connection: close", plainGet, with("Connection", "close", writing("x"))},
	})
}

func TestFromHTTPAnswersHEADAsNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"HEAD", "HEAD / HTTP/1.1\n\n", writing("hello")},
		{"HEAD with a length", "HEAD / HTTP/1.1\n\n", with("Content-Length", "70000", nothing)},
		{"HEAD with a length and a body", "HEAD / HTTP/1.1\n\n", with("Content-Length", fmt.Sprint(len(large)), writing(large))},
	})
}

func TestFromHTTPFlushesAsNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"HTTP/1.0, large", "GET / HTTP/1.0\n\n", writing(large)},
		{"a flush", plainGet, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "<html>")
			w.(http.Flusher).Flush()
			io.WriteString(w, "more")
		}},
		{"a flush of nothing", plainGet, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			io.WriteString(w, "<html>")
		}},
		{"a flush without a body", plainGet, status(204, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
		})},
		{"a flush of a length", plainGet, with("Content-Length", "4", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "ab")
			err := http.NewResponseController(w).Flush()
			io.WriteString(w, map[bool]string{true: "ok", false: "no"}[err == nil])
		})},
		{"early hints", plainGet, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</a.css>")
			w.WriteHeader(103)
			w.Header().Set("Link", "</b.css>")
			w.WriteHeader(103)
			w.Header().Del("Link")
			io.WriteString(w, "x")
		}},
	})
}

func TestFromHTTPSendsTheTrailersOfNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"trailers", plainGet, with("Trailer", "X-A, X-B", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "body")
			w.Header().Set("X-A", "1")
			w.Header().Set("X-C", "not announced")
		})},
		{"trailers behind a large body", plainGet, with("Trailer", "X-A", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, large)
			w.Header().Set("X-A", "1")
		})},
		{"trailers behind nothing", plainGet, with("Trailer", "X-A", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			w.Header().Set("X-A", "1")
		})},
		{"prefixed trailers", plainGet, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, large)
			w.Header().Set(http.TrailerPrefix+"X-A", "1")
		}},
		{"prefixed trailers behind a flush", plainGet, func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"X-A", "1")
		}},
		{"forbidden trailers", plainGet, with("Trailer", "Content-Length, X-A", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "body")
			w.Header().Set("X-A", "1")
		})},
	})
}

func TestFromHTTPCopiesAsNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"ReadFrom", plainGet, func(w http.ResponseWriter, r *http.Request) {
			n, err := w.(io.ReaderFrom).ReadFrom(strings.NewReader(large))
			fmt.Fprint(w, n, err)
		}},
		{"Copy of a small body", plainGet, func(w http.ResponseWriter, r *http.Request) {
			io.Copy(w, strings.NewReader("<html>"))
		}},
		{"ServeContent, a range", "GET /f.txt HTTP/1.1\nRange: bytes=2-4\n\n", func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "f.txt", time.Unix(1e9, 0), bytes.NewReader([]byte("0123456789")))
		}},
		{"ServeContent, HEAD", "HEAD /f.txt HTTP/1.1\n\n", func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "f.txt", time.Unix(1e9, 0), strings.NewReader(large))
		}},
		{"an echo while it is read", "POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n5\nhello\n1\n!\n0\n\n", func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).EnableFullDuplex()
			w.(http.Flusher).Flush()
			io.Copy(w, r.Body)
		}},
	})
}

func TestFromHTTPBreaksOffAsNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"ErrAbortHandler", plainGet, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			panic(http.ErrAbortHandler)
		}},
		{"ErrAbortHandler behind a flush", plainGet, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
		{"too short", plainGet, with("Content-Length", "5", writing("hel"))},
		{"nothing of a length", plainGet, with("Content-Length", "5", nothing)},
	})
}

// A trailer that must not be one is left out, and harms nothing else.
func TestFromHTTPLeavesForbiddenTrailersOut(t *testing.T) {
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"Content-Length", "1")
		w.Header().Set(http.TrailerPrefix+"X-A", "1")
	})
	resp, _ := ask(t, dial(t, "tcp", address), rootRequest)
	if got := fmt.Sprint(resp.Trailer); got != "map[X-A:[1]]" {
		t.Errorf("X-A should be the only trailer, and they are %s", got)
	}
}

func TestFromHTTPSendsFieldsInOrder(t *testing.T) {
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		for i := range 20 {
			w.Header().Set(fmt.Sprintf("X-%c", 'T'-i), "1")
		}
		w.Header().Set("Connection", "close")
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	var names string
	for line := range strings.Lines(string(answer)) {
		if name, found := strings.CutSuffix(line, ": 1\r\n"); found {
			names += strings.TrimPrefix(name, "X-")
		}
	}
	if names != "ABCDEFGHIJKLMNOPQRST" {
		t.Errorf("the fields should be sent in the order of their names, and are in the order %s", names)
	}
}

// The errors that writing gives are put into a field, since there is nowhere else for them.
func TestFromHTTPWriteErrorsAreThoseOfNetHTTP(t *testing.T) {
	compare(t, []comparison{
		{"too long", plainGet, with("Content-Length", "5", func(w http.ResponseWriter, r *http.Request) {
			n, err := io.WriteString(w, "hello!")
			if n != 0 || !errors.Is(err, http.ErrContentLength) {
				panic("wrong")
			}
			io.WriteString(w, "again")
		})},
		{"no content", plainGet, status(204, func(w http.ResponseWriter, r *http.Request) {
			if n, err := io.WriteString(w, "x"); n != 0 || !errors.Is(err, http.ErrBodyNotAllowed) {
				panic("wrong")
			}
		})},
		{"no content, nothing written", plainGet, status(204, func(w http.ResponseWriter, r *http.Request) {
			if n, err := io.WriteString(w, ""); n != 0 || err != nil {
				panic("wrong")
			}
		})},
		{"HEAD", "HEAD / HTTP/1.1\n\n", func(w http.ResponseWriter, r *http.Request) {
			if n, err := io.WriteString(w, "hello"); n != 5 || err != nil {
				panic("wrong")
			}
		}},
	})
}
