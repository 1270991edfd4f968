package server_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

var newYear = func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// onLoop makes a server on a loop that the test turns.
func onLoop(t *testing.T, h server.Handler) (*looptest.Loop, *server.Server) {
	t.Helper()
	l := looptest.New(t)
	s, err := server.NewOn(l.Loop, newYear, h, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l, s
}

func TestServerOnALoopOfTheCaller(t *testing.T) {
	closes := 0
	l, s := onLoop(t, func(r *server.Request) server.Response {
		body := pipeline.NewQueue[[]byte](r.Loop(), 1, pipeline.Refuse)
		return server.Stream(200, "", pipeline.OnClose(body, func() { closes++ }))
	})
	fd, peer := looptest.Socketpair(t)
	s.Adopt(l.Loop, fd)
	looptest.Send(t, peer, rootRequest)
	l.Settle()
	if got, _ := looptest.Receive(t, peer); !strings.Contains(got, "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n") || s.Connections() != 1 {
		t.Errorf("the connection should be counted, and answered with the time it was given; %d are open, and it got %q", s.Connections(), got)
	}
	if err := s.Shutdown(t.Context()); err != nil || closes != 1 || s.Connections() != 0 {
		t.Errorf("a shutdown should end the loop and what it has: the error was %v, the body was closed %d times, %d connections are open",
			err, closes, s.Connections())
	}
}

func TestServerOnNothing(t *testing.T) {
	if _, err := server.NewOn(nil, newYear, greet, server.Options{}); err == nil {
		t.Error("a server on no loop should be refused")
	}
	l := looptest.New(t)
	if _, err := server.NewOn(l.Loop, nil, greet, server.Options{}); err == nil {
		t.Error("a server without a clock should be refused")
	}
	if _, err := server.NewOn(l.Loop, newYear, nil, server.Options{}); err == nil {
		t.Error("a server without a handler should be refused")
	}
}

// TestServerOnALoopServes: who wants nothing else of the loop leaves it to the server.
func TestServerOnALoopServes(t *testing.T) {
	l, err := loop.New(loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.NewOn(l, newYear, greet, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	bound, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	if _, body := ask(t, dial(t, "tcp", bound.String()), rootRequest); body != "Hello, World!" {
		t.Errorf("the answer should be a greeting, and is %q", body)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// wakes counts them.
type wakes struct{ count int }

func (w *wakes) Wake() { w.count++ }

// sent is what a client sends in pieces, which the test adds.
type sent struct {
	pieces []string
	waker  pipeline.Waker
	closes int
	ends   bool
}

func (s *sent) Poll(w pipeline.Waker) ([]byte, error) {
	if len(s.pieces) == 0 {
		if s.ends {
			return nil, io.EOF
		}
		s.waker = w
		return nil, pipeline.ErrPending
	}
	piece := s.pieces[0]
	s.pieces = s.pieces[1:]
	return []byte(piece), nil
}

func (s *sent) Close() { s.closes++ }

// pull reads what a source gives by now, and why it gives no more.
func pull(src pipeline.Source[[]byte], w pipeline.Waker) (got string, err error) {
	for {
		chunk, err := src.Poll(w)
		if err != nil {
			return got, err
		}
		got += string(chunk)
	}
}

func TestProtocolWithoutAConnection(t *testing.T) {
	l, s := onLoop(t, func(r *server.Request) server.Response { return server.Stream(200, "", r.Body) })
	input, w := &sent{pieces: []string{"POST / HTTP/1.1\r\nHost: te", "st\r\nContent-Length: 4\r\n\r\nbo"}}, &wakes{}
	output := s.Protocol(l.Loop)(input)
	got, err := pull(output, w)
	if err != pipeline.ErrPending || !strings.HasSuffix(got, "\r\n\r\n2\r\nbo\r\n") {
		t.Fatalf("half of the body should have come back, and the rest be pending; there is %q, %v", got, err)
	}
	input.pieces = append(input.pieces, "dyGET")
	input.waker.Wake()
	if got, err = pull(output, w); err != pipeline.ErrPending || got != "2\r\ndy\r\n0\r\n\r\n" || w.count == 0 {
		t.Errorf("the other half should come back after a wake; there are %q, %v and %d wakes", got, err, w.count)
	}
	input.ends = true
	got, err = pull(output, w)
	if !strings.HasPrefix(got, "HTTP/1.1 400 ") || err != io.EOF {
		t.Errorf("a request cut in its head should be answered 400, and then the end come; there is %q, %v", got, err)
	}
	if _, again := output.Poll(w); again != err {
		t.Errorf("the end should be sticky; after %v came %v", err, again)
	}
	output.Close()
	output.Close()
	if input.closes == 0 || l.Held() != (loop.Held{}) {
		t.Errorf("what is closed should close its input and hold nothing; it was closed %d times, and the loop holds %+v", input.closes, l.Held())
	}
}

func TestProtocolClosedMidway(t *testing.T) {
	closes := 0
	l, s := onLoop(t, func(r *server.Request) server.Response {
		body := pipeline.NewQueue[[]byte](r.Loop(), 1, pipeline.Refuse)
		return server.Stream(200, "", pipeline.OnClose(body, func() { closes++ }))
	})
	input, w := &sent{pieces: []string{rootRequest}}, &wakes{}
	output := s.Protocol(l.Loop)(input)
	if _, err := pull(output, w); err != pipeline.ErrPending {
		t.Fatalf("the stream should be pending; it said %v", err)
	}
	output.Close()
	if _, err := output.Poll(w); err != pipeline.ErrClosed || closes != 1 || input.closes != 1 {
		t.Errorf("closing should close the body and the input once; they were %d and %d times, and polling said %v", closes, input.closes, err)
	}
}

func TestProtocolSendsFiles(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	content := strings.Repeat("0123456789", 20_000)
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, missing := range []int64{0, 1} {
		l, s := onLoop(t, func(*server.Request) server.Response {
			file, err := os.Open(name)
			if err != nil {
				return server.Fail(err)
			}
			return server.File(200, "", file, 10, int64(len(content))-10+missing)
		})
		output := s.Protocol(l.Loop)(&sent{pieces: []string{rootRequest}})
		got, err := pull(output, &wakes{})
		if _, body, _ := strings.Cut(got, "\r\n\r\n"); body != content[10:] {
			t.Errorf("the range of the file should be sent, which has %d bytes; %d came", len(content)-10, len(body))
		}
		if cut := err != pipeline.ErrPending; cut != (missing > 0) || err == nil {
			t.Errorf("with %d bytes missing in the file the stream said %v", missing, err)
		}
		output.Close()
	}
}

func TestProtocolCannotBeHijacked(t *testing.T) {
	taken := make(chan error, 1)
	l, s := onLoop(t, func(*server.Request) server.Response {
		return server.Hijack(func(_ net.Conn, _ []byte, err error) { taken <- err })
	})
	output := s.Protocol(l.Loop)(&sent{pieces: []string{rootRequest}})
	if got, err := pull(output, &wakes{}); got != "" || err == pipeline.ErrPending {
		t.Errorf("the stream should end with nothing sent; there is %q, %v", got, err)
	}
	if err := <-taken; err == nil {
		t.Error("a handler that wants the connection should be told that there is none")
	}
	output.Close()
}
