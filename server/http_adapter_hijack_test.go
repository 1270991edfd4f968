package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/penstock-go/penstock/server"
)

func TestFromHTTPHijack(t *testing.T) {
	alive := make(chan error, 1)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("the connection should be handed over, and was not: %v", err)
			return
		}
		defer conn.Close()
		if n := buffered.Reader.Buffered(); n != len("sent ahead\n") {
			t.Errorf("the reader should tell of the %d bytes that were sent ahead, and tells of %d", len("sent ahead\n"), n)
		}
		if _, _, err := w.(http.Hijacker).Hijack(); err != http.ErrHijacked {
			t.Errorf("a second Hijack should give ErrHijacked, and gave %v", err)
		}
		if _, err := w.Write([]byte("x")); err != http.ErrHijacked {
			t.Errorf("Write on a hijacked connection should give ErrHijacked, and gave %v", err)
		}
		w.WriteHeader(200) // is ignored
		for range 2 {
			line, err := buffered.ReadString('\n')
			if err != nil {
				t.Errorf("the client's line should be read: %v", err)
			}
			fmt.Fprintf(buffered, "got %s", line)
			if err := buffered.Flush(); err != nil {
				t.Errorf("the answer could not be sent: %v", err)
			}
		}
		alive <- r.Context().Err()
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: test\r\n\r\nsent ahead\n")
	reader := bufio.NewReader(c)
	for _, want := range []string{"got sent ahead\n", "got and later\n"} {
		if line, err := reader.ReadString('\n'); err != nil || line != want {
			t.Fatalf("the answer should be %q, and is %q with the error %v", want, line, err)
		}
		fmt.Fprint(c, "and later\n")
	}
	if err := await(t, "the handler should end", alive); err != nil {
		t.Errorf("the context should live until the handler returns, and was cancelled: %v", err)
	}
	if rest, err := io.ReadAll(reader); len(rest) > 0 {
		t.Errorf("the server should send nothing of its own, and sent %q, %v", rest, err)
	}
}

// A layer that has asked for the request's context does not take it from a handler that has hijacked.
func TestFromHTTPHijackKeepsTheContextOfALayer(t *testing.T) {
	returned := make(chan context.Context, 1)
	inner := server.FromHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Errorf("the connection should be handed over, and was not: %v", err)
			return
		}
		defer conn.Close()
		if err := r.Context().Err(); err != nil {
			t.Errorf("the context should live on after Hijack, and has ended with %v", err)
		}
		returned <- r.Context()
	}))
	_, address := start(t, "tcp", "127.0.0.1:0", func(r *server.Request) server.Response {
		r.Context()
		return inner(r)
	}, server.Options{})
	fmt.Fprint(dial(t, "tcp", address), rootRequest)
	ctx := await(t, "the handler should run", returned)
	await(t, "the context should end with the handler", ctx.Done())
}

func TestFromHTTPHijackComesTooLate(t *testing.T) {
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		if _, _, err := w.(http.Hijacker).Hijack(); err == nil {
			t.Error("a connection whose response has begun cannot be hijacked")
		}
		fmt.Fprint(w, "answered")
	})
	if _, body := ask(t, dial(t, "tcp", address), rootRequest); body != "answered" {
		t.Errorf("the response should go on, and is %q", body)
	}
}

func TestFromHTTPHijackAfterTheClientHasLeft(t *testing.T) {
	began, ended := make(chan struct{}), make(chan error, 1)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		_, _, err := w.(http.Hijacker).Hijack()
		ended <- err
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	await(t, "the handler should run", began)
	leave(t, c)
	if err := await(t, "Hijack should return when the client has gone", ended); err == nil {
		t.Error("there is no connection to be handed over any more, and Hijack gave no error")
	}
}
