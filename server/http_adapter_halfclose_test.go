package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/server"
)

// A client that closes its sending side has its handler's context cancelled, and gets its answer: under
// net/http's own server and under FromHTTP.
func TestFromHTTPContextEndsWhenTheClientClosesItsSide(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the body should be read, and ended with %v", err)
		}
		<-r.Context().Done()
		fmt.Fprintf(w, "%s after %s", r.Context().Err(), body)
	})
	reference := httptest.NewServer(h)
	defer reference.Close()
	adapted, _ := serveHTTP(t, h)
	for _, request := range []string{
		rootRequest,
		"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nwater",
		"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwater\r\n0\r\n\r\n",
	} {
		for name, address := range map[string]string{"net/http": reference.Listener.Addr().String(), "FromHTTP": adapted} {
			c := dial(t, "tcp", address)
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatalf("%s should answer a client that has closed its side, and gave %v", name, err)
			}
			body, err := io.ReadAll(resp.Body)
			want := context.Canceled.Error() + " after "
			if strings.HasPrefix(request, "POST") {
				want += "water"
			}
			if string(body) != want || err != nil {
				t.Errorf("%s: the answer should be %q, and is %q with the error %v", name, want, body, err)
			}
		}
	}
}

// The cause says what has happened: the exchange has not ended.
func TestFromHTTPHalfCloseIsTheCause(t *testing.T) {
	causes := make(chan error, 1)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		causes <- context.Cause(r.Context())
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	cause := await(t, "the handler's context should be cancelled", causes)
	if errors.Is(cause, context.Canceled) || !strings.Contains(cause.Error(), "sending side") {
		t.Errorf("the cause should say that the client has closed its sending side, and is %v", cause)
	}
}

// A handler is run although its client has closed its side before there was a worker for it, and a
// response to HEAD, which is counted and not sent, is written on.
func TestFromHTTPRunsForAClientThatHasClosedItsSide(t *testing.T) {
	pool := &heldPool{tasks: make(chan func(), 1)}
	ended := make(chan context.Context, 1)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		for range 5 {
			if _, err := w.Write(make([]byte, 4<<10)); err != nil {
				t.Errorf("what answers HEAD should be taken after a half-close, and Write gave %v", err)
			}
		}
		ended <- r.Context()
	}, server.HTTPOn(pool))
	c := dial(t, "tcp", address)
	fmt.Fprint(c, "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n")
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	run := await(t, "the handler should be submitted", pool.tasks)
	go run()
	await(t, "the handler should run to its end", ended)
	if resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: "HEAD"}); err != nil || resp.StatusCode != 200 {
		t.Errorf("the answer should be 200, and is %v with the error %v", resp, err)
	}
}

// heldPool leaves it to the test to run what it is given.
type heldPool struct{ tasks chan func() }

func (p *heldPool) Submit(task func()) error { p.tasks <- task; return nil }
