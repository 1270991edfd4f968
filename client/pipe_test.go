package client

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

// pipeSource is server's PipeSource, in so many words.
type pipeSource interface {
	pipeline.Source[[]byte]
	Pipeable() bool
	PollPipe(w pipeline.Waker, p *loop.Pipe, limit int64) (int64, error)
}

// piped is an exchange over a real socket, whose other end the test has.
type piped struct {
	*exchange
	peer *net.UnixConn
	body pipeSource
	pipe *loop.Pipe
}

func newPiped(t *testing.T, head string) *piped {
	t.Helper()
	path := filepath.Join(t.TempDir(), "upstream")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l := looptest.New(t)
	c, _ := New(Options{})
	u, _ := c.Upstream("unix:" + path)
	f := &fixture{t: t, loop: l, client: c, pool: c.local(l.Loop).pool(u)}
	p := &piped{exchange: &exchange{fixture: f, call: u.Do(l.Loop, &Request{Target: "/"})}}
	t.Cleanup(func() {
		p.leave()
		f.close()
		_ = p.peer.Close()
		_ = listener.Close()
	})
	p.poll()
	if p.peer, err = listener.AcceptUnix(); err != nil {
		t.Fatal(err)
	}
	p.poll()
	p.send(head)
	if p.response, err = p.call.Poll(&p.waker); err != nil {
		t.Fatalf("The upstream has answered, and the call gives %v.", err)
	}
	p.body = p.response.Body.(pipeSource)
	if p.pipe, err = l.LendPipe(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *piped) leave() {
	if p.pipe != nil {
		p.loop.TakeBackPipe(p.pipe)
	}
	if p.response != nil {
		p.response.Close()
	}
	p.call.Close()
}

func (p *piped) send(text string) {
	p.t().Helper()
	if _, err := io.WriteString(p.peer, text); err != nil {
		p.t().Fatal(err)
	}
	p.loop.Settle()
}

// moves polls into the pipe and holds what came of it.
func (p *piped) moves(limit int64, want string, wantErr error) {
	p.t().Helper()
	n, err := p.body.PollPipe(&p.waker, p.pipe, limit)
	got := make([]byte, p.pipe.Len())
	if len(got) > 0 {
		_, _ = io.ReadFull(p.pipe, got)
	}
	if string(got) != want || n != int64(len(want)) || err != wantErr {
		p.t().Errorf("PollPipe has moved %q, said %d and returned %v; %q and %v were expected.", got, n, err, want, wantErr)
	}
}

func TestPipe(t *testing.T) {
	p := newPiped(t, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nab")
	if p.body.Pipeable() {
		t.Error("Content that came with the head was read, and is called pipeable.")
	}
	p.moves(100, "", nil)
	if chunk, err := p.body.Poll(&p.waker); string(chunk) != "ab" || err != nil {
		t.Fatalf("The content is %q, %v.", chunk, err)
	}
	if !p.body.Pipeable() {
		t.Error("The rest of the content has not been read, and is not called pipeable.")
	}
	p.moves(100, "", pipeline.ErrPending)
	woken := p.waker.times
	p.send("cdefg")
	if p.waker.times == woken {
		t.Error("More has come, and who polls into a pipe was not woken.")
	}
	p.moves(3, "cde", nil)
	p.response.ReleaseHead()
	p.moves(100, "fg", nil)
	p.moves(100, "", pipeline.ErrPending)
	if !p.body.Pipeable() {
		t.Error("A content that waits is not called pipeable any more.")
	}
	p.send("hij")
	if chunk, err := p.body.Poll(&p.waker); string(chunk) != "hij" || err != nil {
		t.Errorf("Between two pieces that are moved, Poll gives %q, %v.", chunk, err)
	}
	p.send("klmnopqrst")
	p.moves(100, "klmnopqrst", nil)
	if p.body.Pipeable() {
		t.Error("Behind the end the content is called pipeable.")
	}
	p.moves(100, "", nil)
	if _, err := p.body.Poll(&p.waker); err != io.EOF {
		t.Errorf("The content ends with %v.", err)
	}
	p.moves(100, "", io.EOF)
	if len(p.pool.idle) != 1 {
		t.Error("The connection of a content that was moved does not wait for another request.")
	}
}

// TestPipeStopsAtTheEnd: what stands behind the content is not content.
func TestPipeStopsAtTheEnd(t *testing.T) {
	p := newPiped(t, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
	p.send("abcHTTP/1.1 200 OK\r\n\r\n")
	p.moves(100, "abc", nil)
	if _, err := p.body.Poll(&p.waker); err != io.EOF || len(p.pool.idle) != 0 {
		t.Errorf("The content ends with %v, and its connection, with something behind it, is kept: %t.", err, len(p.pool.idle) > 0)
	}
}

func TestPipeCut(t *testing.T) {
	p := newPiped(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
	p.send("abc")
	p.moves(100, "abc", nil)
	_ = p.peer.CloseWrite()
	p.loop.Settle()
	_, err := p.body.PollPipe(&p.waker, p.pipe, 100)
	if err == nil || !strings.Contains(err.Error(), "before it is complete") {
		t.Errorf("A content that was cut ends with %v.", err)
	}
	p.moves(100, "", err)
}

func TestPipeDeadline(t *testing.T) {
	p := newPiped(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
	p.loop.Advance(time.Hour)
	p.moves(100, "", pipeline.ErrPending)
	p.loop.Advance(50 * time.Second)
	p.send("abc")
	p.moves(100, "abc", nil)
	p.moves(100, "", pipeline.ErrPending)
	p.loop.Advance(50 * time.Second)
	p.moves(100, "", pipeline.ErrPending)
	p.loop.Advance(11 * time.Second)
	if n, err := p.body.PollPipe(&p.waker, p.pipe, 100); n != 0 || err == nil || err.(*Error).Kind != ErrBodyTimeout {
		t.Errorf("A content that stands still is moved with %d, %v.", n, err)
	}
}

// TestNotPipeable: framing has to be taken off, and an end has to be seen.
func TestNotPipeable(t *testing.T) {
	for _, head := range []string{"Transfer-Encoding: chunked", "Connection: close", "Content-Length: 0"} {
		p := newPiped(t, "HTTP/1.1 200 OK\r\n"+head+"\r\n\r\n")
		if p.body.Pipeable() {
			t.Errorf("A content with %s is called pipeable.", head)
		}
		p.moves(100, "", nil)
	}
}
