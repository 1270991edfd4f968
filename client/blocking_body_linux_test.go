package client

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

type panicking struct{ value any }

func (p panicking) Read([]byte) (int, error) { panic(p.value) }

type exiting struct{}

func (exiting) Read([]byte) (int, error) { runtime.Goexit(); return 0, nil }

type idling struct{}

func (idling) Read([]byte) (int, error) { return 0, nil }

// TestBodyFails: the upstream sees the request cut, and the caller learns why.
func TestBodyFails(t *testing.T) {
	w := newBlockingWorld(t, 0, Options{Logger: slog.New(slog.DiscardHandler)})
	begun, ends := make(chan struct{}, 1), make(chan error, 1)
	target := w.serve(func(_ http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		_, err := io.Copy(io.Discard, r.Body)
		ends <- err
	})
	for _, c := range []struct {
		what   string
		body   io.Reader // behind the first bytes
		length int64
		want   string
	}{
		{"an error", failing{errGivenUp}, -1, errGivenUp.Error()},
		{"a panic", panicking{"oh"}, 10, "panicked: oh"},
		{"the end of its goroutine", exiting{}, -1, "goroutine"},
		{"nothing for ever", idling{}, -1, io.ErrNoProgress.Error()},
		{"an end that is early", strings.NewReader(""), 4, "ended 1 bytes before"},
	} {
		body := &closable{Reader: io.MultiReader(strings.NewReader("abc"), &awaiting{begun}, c.body)}
		_, err := w.DoContext(context.Background(), &BlockingRequest{Method: "POST", URL: target, Body: body, Length: c.length})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("A body with %s ends with %v; %q was expected.", c.what, err, c.want)
		}
		body.wantClosed(t, "With "+c.what)
		if err := <-ends; err == nil {
			t.Errorf("With %s the upstream takes the request for whole.", c.what)
		}
	}
	body := &closable{Reader: strings.NewReader("abcd")}
	_, err := w.DoContext(context.Background(), &BlockingRequest{Method: "POST", URL: target, Body: body, Length: 3})
	if err == nil || !strings.Contains(err.Error(), "more than the 3 bytes") {
		t.Errorf("A body that is too long ends with %v.", err)
	}
	body.wantClosed(t, "When it is too long")
}

// TestBodyGivesNothingNowAndThen, and as it comes: the upstream has each byte before the next is read.
func TestBodyGivesNothingNowAndThen(t *testing.T) {
	w := newBlockingWorld(t, 0, Options{})
	came := make(chan struct{}, 1)
	target := w.serve(func(_ http.ResponseWriter, r *http.Request) {
		for one := make([]byte, 1); ; came <- struct{}{} {
			if _, err := io.ReadFull(r.Body, one); err != nil {
				return
			}
		}
	})
	var pieces []io.Reader
	for range maxEmptyReads {
		pieces = append(pieces, strings.NewReader("a"), &awaiting{came}, &hesitant{})
	}
	if response, _ := w.ask(&BlockingRequest{Method: "POST", URL: target, Body: io.MultiReader(pieces...)}); response.Status != 200 {
		t.Errorf("A body that gives nothing now and then is answered with %d.", response.Status)
	}
}

// hesitant gives nothing once, and then ends.
type hesitant struct{ hesitated bool }

func (h *hesitant) Read([]byte) (int, error) {
	if h.hesitated {
		return 0, io.EOF
	}
	h.hesitated = true
	return 0, nil
}

// awaiting reads as empty once something has come.
type awaiting struct{ what <-chan struct{} }

func (a *awaiting) Read([]byte) (int, error) {
	<-a.what
	return 0, io.EOF
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestBodyStaysUntouched when nobody can be asked.
func TestBodyStaysUntouched(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	w := newBlockingWorld(t, 0, Options{})
	body := &closable{Reader: panicking{}}
	_, err = w.DoContext(context.Background(), &BlockingRequest{Method: "POST", URL: "http://" + l.Addr().String(), Body: body})
	if !errors.Is(err, ErrConnect) || !NothingSent(err) {
		t.Errorf("A request to a port where nobody listens ends with %v.", err)
	}
	body.wantClosed(t, "When nobody listens")
}

// TestBodyIsNotWaitedFor: the rest of a body that blocks is not waited for.
func TestBodyIsNotWaitedFor(t *testing.T) {
	w := newBlockingWorld(t, 0, Options{})
	reader, writer := io.Pipe()
	defer writer.Close()
	body := &closable{Reader: reader}
	response, _ := w.ask(&BlockingRequest{Method: "POST", Body: body, URL: w.script(func(c net.Conn, r *bufio.Reader) {
		discardHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
		_, _ = io.Copy(io.Discard, r)
	})})
	if response.Status != 413 {
		t.Errorf("The early answer is %d.", response.Status)
	}
	body.wantClosed(t, "Behind an early answer")
}
