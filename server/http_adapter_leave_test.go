package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// leave has the client go at once.
func leave(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestFromHTTPContextEndsWhenTheClientLeaves(t *testing.T) {
	began, ended := make(chan struct{}), make(chan error, 1)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		ended <- r.Context().Err()
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	await(t, "the handler should run", began)
	leave(t, c)
	if err := await(t, "the handler's context should be cancelled when the client has gone", ended); err != context.Canceled {
		t.Errorf("the context should end as cancelled, and ended with %v", err)
	}
}

func TestFromHTTPCloseNotify(t *testing.T) {
	began, gone := make(chan struct{}), make(chan bool, 1)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		notify := w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
		close(began)
		gone <- <-notify
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	await(t, "the handler should run", began)
	leave(t, c)
	await(t, "CloseNotify should tell that the client has gone", gone)
}

func TestFromHTTPReadEndsWhenTheClientLeaves(t *testing.T) {
	began, ended := make(chan struct{}), make(chan error, 1)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		buffer := make([]byte, 3)
		if _, err := io.ReadFull(r.Body, buffer); err != nil || string(buffer) != "abc" {
			t.Errorf("the first bytes should be read, and are %q with the error %v", buffer, err)
		}
		close(began)
		_, err := r.Body.Read(buffer)
		ended <- err
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nabc")
	await(t, "the handler should read", began)
	leave(t, c)
	if err := await(t, "Read should return when the client has gone", ended); err == nil || err == io.EOF {
		t.Errorf("a body that was cut should end with an error, and ended with %v", err)
	}
}

func TestFromHTTPWriteEndsWhenTheClientLeaves(t *testing.T) {
	began, ended := make(chan struct{}), make(chan error, 1)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		close(began)
		for chunk := make([]byte, 64<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				ended <- err
				return
			}
		}
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	await(t, "the handler should run", began)
	leave(t, c)
	await(t, "Write should fail when the client has gone", ended)
}

// An event stream ends when its client closes its side, which for any other response says
// nothing.
func TestFromHTTPEventStreamEndsWithItsClient(t *testing.T) {
	ended := make(chan struct{})
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(ended)
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	event := make([]byte, len("data: 1\n\n"))
	if _, err := io.ReadFull(resp.Body, event); err != nil || string(event) != "data: 1\n\n" {
		t.Fatalf("the event should come at once, and came as %q with the error %v", event, err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	await(t, "the handler's context should be cancelled when the client of an event stream closes its side", ended)
}

// The local address is asked of the loop, which may have nothing to tell any more.
func TestFromHTTPLocalAddressWhenTheClientHasLeft(t *testing.T) {
	began, address := make(chan struct{}), make(chan any, 1)
	bound, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		address <- r.Context().Value(http.LocalAddrContextKey)
	})
	c := dial(t, "tcp", bound)
	fmt.Fprint(c, rootRequest)
	await(t, "the handler should run", began)
	leave(t, c)
	if a, known := await(t, "the address should be told", address).(*net.TCPAddr); !known || a.Port != 0 {
		t.Errorf("the address should be a *net.TCPAddr without a port, and is %v", a)
	}
}

// A response that begins when the client has gone already is never polled: writing it fails all
// the same.
func TestFromHTTPWriteFailsWhenTheClientHasLeft(t *testing.T) {
	began, ended := make(chan struct{}), make(chan error, 1)
	address, _ := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		for chunk := make([]byte, 64<<10); ; {
			if _, err := w.Write(chunk); err != nil {
				ended <- err
				return
			}
		}
	})
	c := dial(t, "tcp", address)
	fmt.Fprint(c, rootRequest)
	await(t, "the handler should run", began)
	leave(t, c)
	await(t, "Write should fail when the client has gone", ended)
}
