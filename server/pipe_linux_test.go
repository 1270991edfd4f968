package server_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// movedLength is the length of a body that no socket takes at once.
const movedLength = 1 << 20

// relaying is a server that answers with a body that comes from a socket.
type relaying struct {
	t        *testing.T
	loop     *looptest.Loop
	server   *server.Server
	body     *relay
	upstream int // the other end of body's socket
	client   int
	sent     int // by the upstream
	got      strings.Builder
	reasons  []server.CloseReason
	statuses []int
	counted  int64 // of the last response's body
}

// newRelaying has one request made. change changes the response.
func newRelaying(t *testing.T, change func(server.Response) server.Response) *relaying {
	t.Helper()
	r := &relaying{t: t, loop: looptest.New(t), body: &relay{left: movedLength}}
	s, err := server.NewOn(r.loop.Loop, newYear, func(*server.Request) server.Response {
		return change(server.Stream(200, "", r.body))
	}, server.Options{Logger: slog.New(slog.DiscardHandler), WriteTimeout: time.Minute, Hooks: server.Hooks{
		Closed: func(reason server.CloseReason) { r.reasons = append(r.reasons, reason) },
		Response: func(_ *server.Request, status int, sent int64) {
			r.statuses, r.counted = append(r.statuses, status), sent
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.server = s
	var fd int
	fd, r.upstream = looptest.Socketpair(t)
	if err := r.body.socket.Attach(r.loop.Loop, fd, r.body); err != nil {
		t.Fatal(err)
	}
	fd, r.client = looptest.Socketpair(t)
	s.Adopt(r.loop.Loop, fd)
	return r
}

func declared(r server.Response) server.Response { return r.Length(movedLength) }

func (r *relaying) ask() {
	r.t.Helper()
	looptest.Send(r.t, r.client, rootRequest)
	r.loop.Settle()
}

// feed sends as much of the body as the server and the sockets in between take.
func (r *relaying) feed() {
	for before := -1; before != r.sent; {
		before = r.sent
		if n, err := unix.Write(r.upstream, []byte(content[r.sent:])); err == nil {
			r.sent += n
		}
		r.loop.Settle()
	}
}

// run feeds the body, and reads what comes of it until nothing does.
func (r *relaying) run() (ended bool) {
	r.t.Helper()
	for {
		before, length := r.sent, r.got.Len()
		r.feed()
		var text string
		text, ended = looptest.Receive(r.t, r.client)
		r.got.WriteString(text)
		r.loop.Settle()
		if r.sent == before && r.got.Len() == length {
			return ended
		}
	}
}

var content = func() string {
	var b strings.Builder
	for b.Len() < movedLength {
		b.WriteString(time.Duration(b.Len()).String())
		b.WriteByte(' ')
	}
	return b.String()[:movedLength]
}()

func (r *relaying) wantBody(why string) {
	r.t.Helper()
	_, body, _ := strings.Cut(r.got.String(), "\r\n\r\n")
	if body != content {
		r.t.Errorf("%s: the client should get the body's %d bytes as they were sent; it got %d", why, len(content), len(body))
	}
	if r.counted != movedLength {
		r.t.Errorf("%s: the hook was told of %d bytes; the body has %d", why, r.counted, movedLength)
	}
}

// wantEnd expects the connection to be closed for a reason, and everything given up.
func (r *relaying) wantEnd(why string, reason server.CloseReason) {
	r.t.Helper()
	if len(r.reasons) != 1 || r.reasons[0] != reason {
		r.t.Errorf("%s: the connection should end once, for the reason %v; the reasons are %v", why, reason, r.reasons)
	}
	if held := r.loop.Held(); held != (loop.Held{}) || r.body.closes != 1 {
		r.t.Errorf("%s: the loop should hold nothing and the source be closed once; it holds %+v, and was closed %d times", why, held, r.body.closes)
	}
}

func TestLongBodyIsMoved(t *testing.T) {
	r := newRelaying(t, declared)
	r.body.begin = []byte(content[:1000]) // as what came with the upstream's head
	r.body.stays = true
	r.sent = 1000
	r.ask()
	if ended := r.run(); ended {
		t.Error("the connection should stay open behind the answer")
	}
	r.wantBody("moved")
	if r.body.moves == 0 || r.body.pieces < movedLength-100<<10 {
		t.Errorf("%d bytes were moved in %d pieces; it should be nearly all %d", r.body.pieces, r.body.moves, movedLength)
	}
	if r.loop.Held().Pipes != 0 {
		t.Error("nobody needs a pipe when the answer was sent")
	}
	r.got.Reset()
	r.body.left, r.sent = movedLength, 0
	r.ask()
	r.run()
	r.wantBody("the next answer on the connection")
	r.body.socket.Close()
	_ = r.server.Shutdown(t.Context())
}

func TestBodyIsNotMoved(t *testing.T) {
	for why, c := range map[string]struct {
		change func(server.Response) server.Response
		copied bool
	}{
		"without a declared length": {func(r server.Response) server.Response { return r }, false},
		"with a stage": {func(r server.Response) server.Response {
			return r.MapBody(func(in pipeline.Source[[]byte]) pipeline.Source[[]byte] { return pipeline.OnClose(in, func() {}) }).Length(movedLength)
		}, false},
		"from a source that is not pipeable": {declared, true},
	} {
		r := newRelaying(t, c.change)
		r.body.copied = c.copied
		r.ask()
		r.run()
		if r.counted != movedLength || r.body.moves != 0 || r.body.polls == 0 {
			t.Errorf("a body %s should be polled: it was moved %d times, polled %d times, and %d bytes were sent", why, r.body.moves, r.body.polls, r.counted)
		}
		_ = r.server.Shutdown(t.Context())
	}
}

func TestShortBodyIsNotMoved(t *testing.T) {
	const length = 60 << 10
	r := newRelaying(t, func(r server.Response) server.Response { return r.Length(length) })
	r.body.left = length
	r.ask()
	r.run()
	if r.counted != length || r.body.moves != 0 {
		t.Errorf("a short body should be polled: of %d bytes %d were sent, and %d pieces were moved", length, r.counted, r.body.moves)
	}
	_ = r.server.Shutdown(t.Context())
}

// TestClientHasGoneWhenAPieceComes: the first that is heard of it is that the piece, which is
// in the pipe by then, cannot be written.
func TestClientHasGoneWhenAPieceComes(t *testing.T) {
	r := newRelaying(t, declared)
	r.ask()
	if n, err := unix.Write(r.upstream, []byte(content[:1000])); n != 1000 || err != nil {
		t.Fatal(n, err)
	}
	unix.Close(r.client)
	r.loop.Settle()
	if r.body.moves != 1 {
		t.Fatalf("%d pieces were moved; the test wants the one to come before the client's end is noticed", r.body.moves)
	}
	r.wantEnd("a piece that cannot be written", server.ReasonConnectionLost)
	_ = r.server.Shutdown(t.Context())
}

// TestBodyIsCopiedWhenThereIsNoPipe: all pipes are with other receivers.
func TestBodyIsCopiedWhenThereIsNoPipe(t *testing.T) {
	r := newRelaying(t, declared)
	var others []*loop.Pipe
	for {
		p, err := r.loop.LendPipe()
		if err != nil {
			break
		}
		others = append(others, p)
	}
	r.ask()
	r.run()
	r.wantBody("copied")
	if r.body.moves != 0 {
		t.Errorf("%d pieces were moved without a pipe", r.body.moves)
	}
	for _, p := range others {
		r.loop.TakeBackPipe(p)
	}
	_ = r.server.Shutdown(t.Context())
}

// TestClientThatDoesNotReadKeepsOnePipe: what is in it is all that the server takes from
// the upstream, until the client reads or its time is over.
func TestClientThatDoesNotReadKeepsOnePipe(t *testing.T) {
	r := newRelaying(t, declared)
	r.ask()
	r.feed()
	moved, sent := r.body.pieces, r.sent
	r.loop.Advance(30 * time.Second)
	r.feed()
	if r.loop.Held().Pipes != 1 || r.body.pieces != moved || r.sent == len(content) {
		t.Errorf("a client that reads nothing should hold one pipe and stop the moving: %d pipes are lent, %d more bytes were moved, and the upstream has sent %d",
			r.loop.Held().Pipes, r.body.pieces-moved, r.sent)
	}
	text, _ := looptest.Receive(t, r.client)
	r.got.WriteString(text)
	r.loop.Settle()
	r.loop.Advance(40 * time.Second) // the time begins anew with each byte
	r.feed()
	if len(r.reasons) != 0 || r.sent == sent {
		t.Fatalf("when the client reads on, the moving should go on; the reasons for closing are %v", r.reasons)
	}
	r.loop.Advance(2 * time.Minute)
	r.wantEnd("after the write timeout", server.ReasonWriteTimeout)
	_ = r.server.Shutdown(t.Context())
}

func TestEndsOfAMovedBody(t *testing.T) {
	for why, c := range map[string]struct {
		prepare func(*relaying)
		end     func(*relaying)
		reason  server.CloseReason
	}{
		"the client has gone": {end: func(r *relaying) {
			unix.Close(r.client)
			r.loop.Settle()
		}, reason: server.ReasonConnectionLost},
		"the upstream breaks": {end: func(r *relaying) {
			unix.Shutdown(r.upstream, unix.SHUT_RDWR)
			r.run()
		}, reason: server.ReasonResponseFailed},
		"the source has less than was declared": {
			prepare: func(r *relaying) { r.body.left = movedLength - 70<<10 }, end: func(r *relaying) { r.run() }, reason: server.ReasonResponseFailed},
		"the source has more than was declared": {
			prepare: func(r *relaying) { r.body.begin = []byte("more"); r.body.left = movedLength + 4 }, end: func(r *relaying) { r.run() }, reason: server.ReasonResponseFailed},
		"the source says that it has moved more than it has": {
			end: func(r *relaying) { r.body.lie = 1; r.run() }, reason: server.ReasonResponseFailed},
		"the source panics": {
			end: func(r *relaying) { r.body.panics = true; r.run() }, reason: server.ReasonResponseFailed},
		"the server is shut down": {end: func(r *relaying) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = r.server.Shutdown(ctx)
		}, reason: server.ReasonShutdown},
	} {
		t.Run(why, func(t *testing.T) {
			r := newRelaying(t, declared)
			if c.prepare != nil {
				c.prepare(r)
			}
			r.ask()
			r.feed()
			if r.loop.Held().Pipes != 1 || r.body.moves == 0 {
				t.Fatalf("%d pipes are lent and %d pieces were moved; the test wants bytes in a pipe", r.loop.Held().Pipes, r.body.moves)
			}
			c.end(r)
			r.wantEnd(why, c.reason)
			_, body, _ := strings.Cut(r.got.String(), "\r\n\r\n")
			body = strings.TrimPrefix(body, "more")
			if !strings.HasPrefix(content, body) {
				t.Error("what the client got should be the beginning of the body")
			}
			_ = r.server.Shutdown(t.Context())
		})
	}
}

// TestProtocolReadsThePipe: without a connection there is no socket to move bytes to.
func TestProtocolReadsThePipe(t *testing.T) {
	for _, whole := range []bool{true, false} {
		r := newRelaying(t, declared)
		input, w := &sent{pieces: []string{rootRequest}}, &wakes{}
		output := r.server.Protocol(r.loop.Loop)(input)
		for {
			r.feed()
			chunk, err := output.Poll(w)
			r.got.Write(chunk)
			if err != nil && err != pipeline.ErrPending {
				t.Fatalf("after %d bytes the protocol ended: %v", r.got.Len(), err)
			}
			if r.counted == movedLength && err == pipeline.ErrPending || !whole && r.loop.Held().Pipes == 1 {
				break
			}
		}
		if whole {
			r.wantBody("without a connection")
		}
		output.Close()
		if r.body.moves == 0 || r.loop.Held().Pipes != 0 {
			t.Errorf("%d pieces came through a pipe, and %d pipes are still lent; some should, and none", r.body.moves, r.loop.Held().Pipes)
		}
		_ = r.server.Shutdown(t.Context())
	}
}
