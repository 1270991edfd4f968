package compress_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/compress"
	"github.com/penstock-go/penstock/server/servertest"
)

// Each event must be there before the next is made, coded as the stream is.
func TestLayerKeepsEventsLive(t *testing.T) {
	topic := server.NewTopic(1<<10, pipeline.TopicOptions[server.Event]{})
	url, client := serve(t, compress.Layer(compress.Options{})(func(r *server.Request) server.Response {
		return server.Events(topic.Subscribe(r.Loop(), pipeline.Newest))
	}))
	answer, err := client.Do(newRequest(t, "GET", url, "gzip, deflate, br, zstd"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got := answer.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("the stream should be coded with gzip, and is coded with %q", got)
	}
	var lines *bufio.Reader
	for i := range 50 {
		data := fmt.Sprintf("event %d of a few, and %s", i, strings.Repeat("x", 7*i))
		if err := topic.Publish(server.Event{Data: data}); err != nil {
			t.Fatal(err)
		}
		if lines == nil {
			r, err := gzip.NewReader(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			lines = bufio.NewReader(r)
		}
		for _, want := range []string{"data: " + data + "\n", "\n"} {
			if line, err := lines.ReadString('\n'); err != nil || line != want {
				t.Fatalf("the line %q should come before the next event is published, and %q came (%v)", want, line, err)
			}
		}
	}
}

// decodeSoFar returns what can be decoded of a chunked answer in gzip that goes on.
func decodeSoFar(t testing.TB, received string) string {
	t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(received)), nil)
	if err != nil {
		t.Fatalf("the answer has no head: %v", err)
	}
	defer answer.Body.Close()
	r, err := gzip.NewReader(answer.Body)
	if err != nil {
		t.Fatalf("the body is not gzip: %v", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("the body is broken behind %q: %v", plain, err)
	}
	return string(plain)
}

func TestLayerCodesTheCommentsOfSilentEvents(t *testing.T) {
	var events *pipeline.Queue[server.Event]
	s := servertest.New(t, compress.Layer(compress.Options{})(func(r *server.Request) server.Response {
		events = pipeline.NewQueue[server.Event](r.Loop(), 1, pipeline.Refuse)
		return server.Events(events).Ping(10 * time.Second)
	}), server.Options{})
	c := s.Client()
	c.Send(string(servertest.Get("/").With("Accept-Encoding", "gzip")))
	s.Advance(20 * time.Second)
	if err := events.Push(server.Event{Data: "x"}); err != nil {
		t.Fatal(err)
	}
	s.Advance(10*time.Second - time.Millisecond)
	received := c.Receive()
	if got := decodeSoFar(t, received); got != ":\n\n:\n\ndata: x\n\n" {
		t.Errorf("a silent stream should get comments, coded like its events, and got %q", got)
	}
	s.Advance(time.Millisecond)
	received += c.Receive()
	if got := decodeSoFar(t, received); got != ":\n\n:\n\ndata: x\n\n:\n\n" {
		t.Errorf("the next comment should come an interval after the event, and the client got %q", got)
	}
}

// An end without the trailer of gzip is a failure to the client, which would report it.
func TestShutdownEndsCodedStreams(t *testing.T) {
	for accept, answer := range map[string]server.Handler{
		"gzip": func(r *server.Request) server.Response {
			first := pipeline.Once(server.Event{Data: "x"})
			return server.Events(pipeline.Concat(first, pipeline.NewQueue[server.Event](r.Loop(), 1, pipeline.Refuse)))
		},
		"zstd": func(r *server.Request) server.Response {
			first := pipeline.Once([]byte("data: x\n\n"))
			return server.Stream(200, "text/plain", pipeline.Concat(first, pipeline.NewQueue[[]byte](r.Loop(), 1, pipeline.Refuse))).OpenEnded()
		},
	} {
		s, err := server.New(compress.Layer(compress.Options{})(answer), server.Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		address, err := s.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve() }()
		client := &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: safety}
		open, err := client.Do(newRequest(t, "GET", "http://"+address.String(), accept))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), safety)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil || <-served != nil {
			t.Errorf("the server should not have to cut a coded stream, and says %v", err)
		}
		coded, err := io.ReadAll(open.Body)
		open.Body.Close()
		if got := decode(t, open.Header.Get("Content-Encoding"), coded); got != "data: x\n\n" || err != nil {
			t.Errorf("a stream in %s should end as its coding does, and came as %q (%v)", accept, got, err)
		}
	}
}
