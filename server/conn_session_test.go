package server

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop/looptest"
)

// session is one connection on a loop that the test turns by hand, with a clock of
// its own, and the client's end of it.
type session struct {
	t      *testing.T
	loop   *looptest.Loop
	local  *local
	conn   *conn
	fd     int
	peer   int
	got    string       // has come for the client, and not been looked at
	fin    bool         // the server has ended its side
	reason *CloseReason // nil while it is open
}

func newSession(t *testing.T, h Handler, o Options) *session {
	t.Helper()
	s := &session{t: t, loop: looptest.New(t)}
	o.Logger = slog.New(slog.DiscardHandler)
	o.Hooks.Closed = func(r CloseReason) { s.reason = &r }
	o = o.withDefaults()
	s.local = newLocal(s.loop.Loop, h, &o, func() time.Time { return testEpoch.Add(s.loop.Now()) })
	s.local.server = &Server{empty: make(chan struct{})}
	s.local.server.connections.Add(1)
	s.fd, s.peer = looptest.Socketpair(t)
	var err error
	if s.conn, err = newConn(s.local, s.fd); err != nil {
		t.Fatalf("the connection could not be made: %v", err)
	}
	t.Cleanup(func() {
		s.conn.close(ReasonShutdown)
		s.loop.ClearTimer(&s.local.second)
		s.loop.Settle()
	})
	s.loop.Settle()
	return s
}

// send has the client send text, and the server do what it can do then.
func (s *session) send(text string) {
	s.t.Helper()
	looptest.Send(s.t, s.peer, text)
	s.loop.Settle()
}

// slowly sends text in pieces, one each time that step has gone by, until it is
// answered.
func (s *session) slowly(text string, pieces int, step time.Duration) {
	s.t.Helper()
	for i := range pieces {
		if s.got += s.receive(); s.got != "" || s.reason != nil {
			return
		}
		looptest.Send(s.t, s.peer, text[i*len(text)/pieces:(i+1)*len(text)/pieces])
		s.loop.Advance(step)
	}
}

// finish has the client close its sending side.
func (s *session) finish() {
	s.t.Helper()
	if err := unix.Shutdown(s.peer, unix.SHUT_WR); err != nil {
		s.t.Fatal(err)
	}
	s.loop.Settle()
}

// receive reads what has come for the client.
func (s *session) receive() string {
	s.t.Helper()
	more, fin := looptest.Receive(s.t, s.peer)
	s.fin = s.fin || fin
	s.loop.Settle()
	got := s.got + more
	s.got = ""
	return got
}

// ended says whether the server has ended its side, behind what was received.
func (s *session) ended() bool {
	s.t.Helper()
	s.got = s.receive()
	return s.fin && s.got == ""
}

// wantAnswers reads what has come and checks the status lines in it.
func (s *session) wantAnswers(why string, statuses ...string) string {
	s.t.Helper()
	got := s.receive()
	var lines []string
	for line := range strings.Lines(got) {
		if rest, ok := strings.CutPrefix(line, "HTTP/1.1 "); ok {
			lines = append(lines, rest[:3])
		}
	}
	if strings.Join(lines, " ") != strings.Join(statuses, " ") {
		s.t.Fatalf("%s: the client got answers with status %v; they should be %v:\n%s", why, lines, statuses, got)
	}
	return got
}

func (s *session) wantOpen(why string) {
	s.t.Helper()
	if s.reason != nil {
		s.t.Fatalf("%s: the connection should be open, and was closed because %s", why, *s.reason)
	}
}

func (s *session) wantClosed(why string, reason CloseReason) {
	s.t.Helper()
	if s.reason == nil {
		s.t.Fatalf("%s: the connection should be closed because %s, and is open", why, reason)
	}
	if *s.reason != reason {
		s.t.Fatalf("%s: the connection should be closed because %s, and was closed because %s", why, reason, *s.reason)
	}
}

const getRequest = "GET / HTTP/1.1\r\nHost: test\r\n\r\n"

func hello(*Request) Response { return Text(200, "Hello, World!") }
