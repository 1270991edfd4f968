package server_test

import (
	"bufio"
	"io"
	"net"
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
)

type hijacked struct {
	conn   net.Conn
	unread string
}

func TestHijackedConnectionBelongsToTheHandler(t *testing.T) {
	given := make(chan hijacked, 1)
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		if r.Path() == "/first" {
			return server.Text(200, "first")
		}
		return server.Hijack(func(conn net.Conn, unread []byte, err error) {
			if err != nil {
				t.Errorf("the connection can be taken over: %v", err)
			}
			given <- hijacked{conn, string(unread)}
		})
	})
	p := s.dial(t)
	p.send(get("/first") + get("/take") + "what comes behind")
	if a := p.wantAnswer("what was asked before is answered first", 200); a.body != "first" {
		t.Errorf("the first answer is %q", a.body)
	}
	h := <-given
	defer h.conn.Close()
	s.wantClosed(t, "for the server it has ended", 1, server.ReasonHijacked)
	if h.unread != "what comes behind" {
		t.Errorf("the bytes behind the head are handed over, not %q", h.unread)
	}
	if _, err := io.WriteString(h.conn, "hello\n"); err != nil {
		t.Errorf("the handler writes to it: %v", err)
	}
	if line, err := p.reader.ReadString('\n'); line != "hello\n" {
		t.Errorf("the client reads what the handler wrote, not %q (%v)", line, err)
	}
	p.send("and back\n")
	if line, err := bufio.NewReader(h.conn).ReadString('\n'); line != "and back\n" {
		t.Errorf("the handler reads what the client wrote, not %q (%v)", line, err)
	}
}

func TestHijackOfAConnectionThatHasGone(t *testing.T) {
	answer := make(chan *pipeline.Queue[server.Response], 1)
	s := besiege(t, server.Options{}, func(r *server.Request) server.Response {
		q := pipeline.NewQueue[server.Response](r.Loop(), 1, pipeline.Refuse)
		answer <- q
		return server.Later(q)
	})
	p := s.dial(t)
	p.send(get("/take"))
	q := <-answer
	p.reset()
	s.wantClosed(t, "the client is gone", 1, server.ReasonConnectionLost)
	err := q.Push(server.Hijack(func(net.Conn, []byte, error) { t.Error("a connection that has gone is handed to nobody") }))
	if err != pipeline.ErrClosed {
		t.Errorf("the handler is told that its client has gone, not: %v", err)
	}
}

// Who waits for a connection that ends while an informational response is still on its way
// must not wait for ever.
func TestHijackOfAConnectionThatEndsBeforeTheHandover(t *testing.T) {
	told := make(chan error, 1)
	s, err := server.New(func(r *server.Request) server.Response {
		return server.Hijack(func(_ net.Conn, _ []byte, err error) { told <- err })
	}, server.Options{Loops: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown(t.Context())
	turn := pipelinetest.NewTurn(t, 1)
	request := pipeline.Concat(pipeline.Once([]byte(get("/take"))), pipeline.Source[[]byte](pipeline.NewQueue[[]byte](turn, 1, pipeline.Refuse)))
	client := s.Protocol(s.Loops()[0].(*loop.Loop))(request)
	if _, err := client.Poll(turn); err == nil {
		t.Error("a hijack sends nothing")
	}
	client.Close()
	if err := <-told; err == nil {
		t.Error("who waits for the connection is told that it does not come")
	}
}
