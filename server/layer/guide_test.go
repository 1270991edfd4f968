package layer_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/layer"
)

// This is the code of docs/layers.md: the guide shows pieces of this file, word for word.

// closing answers 503 to everything as long as closed is set.
func closing(closed *atomic.Bool) server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			if closed.Load() {
				return server.Text(http.StatusServiceUnavailable, "Back soon.\n").With("Retry-After", "60")
			}
			return next(r)
		}
	}
}

// noSniff forbids browsers to guess what an answer is.
func noSniff(next server.Handler) server.Handler {
	return func(r *server.Request) server.Response {
		return next(r).Map(func(response server.Response) server.Response {
			return response.With("X-Content-Type-Options", "nosniff")
		})
	}
}

// traffic tells count how many bytes were sent for which path.
func traffic(count func(path string, bytes int64)) server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			path := r.Path() // taken out: r need not be valid when the answer is finished
			r.OnFinish(func(status int, bytes int64) { count(path, bytes) })
			return next(r)
		}
	}
}

// unixLines makes LF of each CR LF. A CR that stands alone stays.
func unixLines(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	return &unixLinesSource{source: src}
}

// unixLinesSource is owned by the loop goroutine.
type unixLinesSource struct {
	source pipeline.Source[[]byte] // nil once closed
	chunk  []byte                  // what the last Poll has returned
	held   bool                    // the last byte was a CR: the next one says what becomes of it
	end    error                   // what every further Poll returns
}

func (s *unixLinesSource) Poll(w pipeline.Waker) ([]byte, error) {
	if s.end != nil {
		return nil, s.end
	}
	in, err := s.source.Poll(w)
	if err == pipeline.ErrPending {
		return nil, err
	}
	s.chunk = s.chunk[:0]
	if err != nil {
		s.end = err
		if !s.held {
			return nil, err
		}
		return append(s.chunk, '\r'), nil
	}
	for _, c := range in {
		if s.held && c != '\n' {
			s.chunk = append(s.chunk, '\r')
		}
		if s.held = c == '\r'; !s.held {
			s.chunk = append(s.chunk, c)
		}
	}
	return s.chunk, nil
}

func (s *unixLinesSource) Close() {
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	if source := s.source; source != nil {
		s.source = nil
		source.Close()
	}
}

// unixText makes the lines of every text/plain end with LF.
func unixText(next server.Handler) server.Handler {
	return func(r *server.Request) server.Response {
		return next(r).Map(func(response server.Response) server.Response {
			if t, _ := response.Field("Content-Type"); !strings.HasPrefix(t, "text/plain") {
				return response
			}
			if body, complete := response.Complete(); complete {
				return response.WithBody(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")))
			}
			return response.MapBody(unixLines)
		})
	}
}

func TestUnixLines(t *testing.T) {
	pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
		Stage: unixLines,
		In:    []byte("a\r\nb\rc\r\r\n\n\r"),
		Model: func(in []byte, end error) ([][]byte, error) {
			return [][]byte{bytes.ReplaceAll(in, []byte("\r\n"), []byte("\n"))}, end
		},
		Same: pipelinetest.SameBytes,
	})
}

// The layers of the guide, around every kind of body, over a socket.
func TestLayersOfTheGuide(t *testing.T) {
	var closed atomic.Bool
	sent := make(chan int64, 1)
	around := layer.Chain(
		traffic(func(path string, bytes int64) {
			if path != "/lines" {
				t.Errorf("the path is %q; it should be /lines", path)
			}
			sent <- bytes
		}),
		closing(&closed), noSniff, unixText,
	)
	for why, h := range map[string]server.Handler{
		"complete": func(*server.Request) server.Response { return server.Text(200, "a\r\nb") },
		"later": func(*server.Request) server.Response {
			return server.Later(pipeline.Once(server.Text(200, "a\r\nb")))
		},
		"a stream": func(*server.Request) server.Response {
			return server.Stream(200, "text/plain", pipeline.FromSlice([][]byte{[]byte("a\r"), []byte("\nb")}))
		},
	} {
		closed.Store(false)
		url := serveGuide(t, around(h)) + "/lines"
		if response, body := fetch(t, url); body != "a\nb" || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: the answer should have Unix lines and the field, and is %q with %v", why, body, response.Header)
		}
		if n := <-sent; n != 3 {
			t.Errorf("%s: 3 bytes were sent, and %d were counted", why, n)
		}
		closed.Store(true)
		if response, _ := fetch(t, url); response.StatusCode != 503 {
			t.Errorf("%s: a site that is closed should answer 503, and answered %d", why, response.StatusCode)
		}
		<-sent
	}
}

func serveGuide(t *testing.T, h server.Handler) string {
	t.Helper()
	s, err := server.New(h, server.Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	address, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("the server should shut down without an error, and gave %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve should return nil after Shutdown, and returned %v", err)
		}
	})
	return "http://" + address.String()
}

func fetch(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// What the guide shows is what is compiled here.
func TestGuideShowsThisFile(t *testing.T) {
	guide, err := os.ReadFile("../../docs/layers.md")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("guide_test.go")
	if err != nil {
		t.Fatal(err)
	}
	pieces := 0
	for rest := string(guide); ; pieces++ {
		_, after, found := strings.Cut(rest, "```go\n")
		if !found {
			break
		}
		piece, after, _ := strings.Cut(after, "```")
		rest = after
		if !strings.Contains(string(code), piece) {
			t.Errorf("the guide shows code that is not in guide_test.go as it is:\n%s", piece)
		}
	}
	if pieces < 6 {
		t.Errorf("the guide should show at least 6 pieces of code, and shows %d", pieces)
	}
}
