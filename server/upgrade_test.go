package server

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// upgradeRequest asks for a protocol; fields are lines that it has besides.
func upgradeRequest(method, protocol, fields string) string {
	return method + " / HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: " + protocol + "\r\n" + fields + "\r\n"
}

// closing is a stage that passes everything on, and counts how often what it makes is closed.
func closing(closes *int) pipeline.Stage[[]byte, []byte] {
	return func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
		return pipeline.OnClose(input, func() { *closes++ })
	}
}

func TestUpgradeIsAnswered(t *testing.T) {
	closes := 0
	s := newSession(t, func(r *Request) Response {
		return Upgrade("echo", closing(&closes), Field{Name: "X-One", Value: "1"}).With("X-Two", "2").Add("X-Two", "3")
	}, Options{})
	s.send(upgradeRequest("GET", "h2c, Echo", "") + "first ")
	got := s.receive()
	head, rest, _ := strings.Cut(got, "\r\n\r\n")
	want := "HTTP/1.1 101 Switching Protocols\r\nServer: penstock\r\nDate: Sun, 22 Nov 2026 01:42:00 GMT\r\n" +
		"X-One: 1\r\nX-Two: 2\r\nX-Two: 3\r\nConnection: Upgrade\r\nUpgrade: echo"
	if head != want || rest != "first " {
		t.Fatalf("the head should be\n%s\nand what came with the request be echoed; the client got\n%s", want, got)
	}
	for _, text := range []string{"second", "GET / HTTP/1.1\r\n\r\n", string(filler(50_000))} {
		s.send(text)
		if got := s.receive(); got != text {
			t.Errorf("%.20q should be echoed, and the client got %.60q", text, got)
		}
	}
	s.wantEnded("both sides have ended")
	if closes != 1 {
		t.Errorf("the stage should be closed once, and was closed %d times", closes)
	}
}

// wantEnded wants the connection to be closed when the client has ended its side.
func (s *session) wantEnded(why string) {
	s.t.Helper()
	s.finish()
	s.wantClosed(why, ReasonAnswered)
}

// What cannot be upgraded is answered with 500 and a line in the log, and the stage is closed.
func TestUpgradeThatCannotBe(t *testing.T) {
	plain := func(closes *int) Response { return Upgrade("echo", closing(closes)) }
	for _, c := range []struct {
		why, request, log string
		response          func(closes *int) Response
	}{
		{"nothing was asked for", getRequest, "was not asked for", plain},
		{"Connection does not name it", "GET / HTTP/1.1\r\nHost: test\r\nUpgrade: echo\r\n\r\n", "was not asked for", plain},
		{"another protocol was asked for", upgradeRequest("GET", "echo/2, websocket", ""), "echo/2, websocket", plain},
		{"nothing is named", upgradeRequest("GET", "", ""), "was not asked for", func(closes *int) Response {
			return Upgrade("", closing(closes))
		}},
		{"HEAD", upgradeRequest("HEAD", "echo", ""), "HEAD", plain},
		{"the body was not read", upgradeRequest("POST", "echo", "Content-Length: 3\r\n") + "abc", "body", plain},
		{"a field cannot be sent", upgradeRequest("GET", "echo", ""), "control character", func(closes *int) Response {
			return plain(closes).With("X", "a\r\nb")
		}},
		{"the field Upgrade is set", upgradeRequest("GET", "echo", ""), "belongs to the server", func(closes *int) Response {
			return plain(closes).With("upgrade", "x")
		}},
		{"Connection is set", upgradeRequest("GET", "echo", ""), "belongs to the server", func(closes *int) Response {
			return plain(closes).With("Connection", "x")
		}},
	} {
		var log strings.Builder
		closes := 0
		s := newSession(t, func(*Request) Response { return c.response(&closes) }, Options{})
		s.local.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s.send(c.request)
		s.wantAnswers(c.why, "500")
		s.wantOpen(c.why)
		s.send(getRequest)
		s.wantAnswers("the next request, when "+c.why, "500")
		if closes != 2 || !strings.Contains(log.String(), c.log) {
			t.Errorf("%s: the stage should be closed for each of two requests, and was closed %d times; the log should say %q, and says %s",
				c.why, closes, c.log, log.String())
		}
	}
}

func TestUpgradeToHTTP10(t *testing.T) {
	closes := 0
	s := newSession(t, func(*Request) Response { return Upgrade("echo", closing(&closes)) }, Options{})
	s.send("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	if got := s.receive(); !strings.HasPrefix(got, "HTTP/1.1 500 ") || closes != 1 {
		t.Errorf("HTTP/1.0 has no upgrades: the answer should be 500, and is %q; the stage was closed %d times", got, closes)
	}
}

func TestUpgradeBehindABody(t *testing.T) {
	for name, length := range map[string]string{"declared": "Content-Length: 4\r\n\r\nbody", "chunked": "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"} {
		s := newSession(t, func(r *Request) Response {
			return Later(pipeline.Map(pipeline.Collect(r.Body, 10), func(body []byte) (Response, error) {
				greeting := append([]byte("your body was "), body...)
				return Upgrade("echo", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
					return pipeline.Concat(pipeline.Once(greeting), input)
				}), nil
			}))
		}, Options{})
		s.send(strings.TrimSuffix(upgradeRequest("POST", "echo", length), "\r\n") + ", and more")
		if got := s.receive(); !strings.HasSuffix(got, "\r\n\r\nyour body was body, and more") {
			t.Errorf("%s: behind the body the tunnel should begin, and the client got %q", name, got)
		}
	}
}

// Who has read as many bytes as were declared has read the body.
func TestUpgradeBehindABodyReadWithoutItsEnd(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		if _, err := r.Body.Poll(nil); err != nil {
			t.Errorf("the body is there, and gave %v", err)
		}
		body := r.Body
		return Upgrade("echo", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			return pipeline.Concat(body, input)
		})
	}, Options{})
	s.send(upgradeRequest("POST", "echo", "Content-Length: 4\r\n") + "bodyand more")
	if got := s.receive(); !strings.HasSuffix(got, "\r\n\r\nand more") {
		t.Errorf("behind the body the tunnel should begin, and the client got %q", got)
	}
}

func TestRequestedUpgrade(t *testing.T) {
	for _, c := range []struct{ head, want string }{
		{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", ""},
		{"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: a\r\n\r\n", ""},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\r\n", ""},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: a/1, b\r\n\r\n", "a/1, b"},
		{"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: a\r\nUpgrade:\r\nUpgrade: b\r\nConnection: x,Upgrade\r\n\r\n", "a, b"},
		{"GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\n", ""},
	} {
		got := "not asked"
		s := newSession(t, func(r *Request) Response { got = r.Upgrade(); return Empty(204) }, Options{})
		s.send(c.head)
		if got != c.want {
			t.Errorf("%q asks for the protocols %q, and Upgrade says %q", c.head, c.want, got)
		}
	}
}

// What an Upgrade that nobody sends may own is closed.
func TestDiscardedUpgrade(t *testing.T) {
	closes := 0
	polled := errors.New("the stage was not called")
	r := Upgrade("echo", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
		_, polled = input.Poll(nil)
		return pipeline.OnClose(input, func() { closes++ })
	})
	r.Discard()
	if closes != 1 || polled != pipeline.ErrClosed {
		t.Errorf("the stage should be closed once, with an input that is closed; it was closed %d times, and its input gave %v", closes, polled)
	}
	if r.Status() != 101 {
		t.Errorf("the status of an Upgrade should be 101, and is %d", r.Status())
	}
}

func TestPanicOfAStageThatIsMade(t *testing.T) {
	s := newSession(t, func(*Request) Response {
		return Upgrade("echo", func(pipeline.Source[[]byte]) pipeline.Source[[]byte] { panic("as the test wants it") })
	}, Options{})
	s.send(upgradeRequest("GET", "echo", ""))
	s.wantAnswers("a stage that cannot be made", "500")
	s.wantOpen("the request was answered")
}

// The bytes of an Upgrade, and its status, are told when it has ended.
func TestUpgradeIsCounted(t *testing.T) {
	for _, hooked := range []bool{true, false} {
		status, sent, hookStatus, hookSent := -1, int64(-1), -1, int64(-1)
		o := Options{}
		if hooked {
			o.Hooks.Response = func(r *Request, s int, n int64) { hookStatus, hookSent = s, n }
		}
		s := newSession(t, func(r *Request) Response {
			r.OnFinish(func(code int, n int64) { status, sent = code, n })
			return Upgrade("echo", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] { return input })
		}, o)
		s.send(upgradeRequest("GET", "echo", ""))
		s.send("four")
		s.receive()
		if status != -1 || hookStatus != -1 || (s.conn.core.exchange == nil) == hooked {
			t.Errorf("an open tunnel should not be finished, and should hold its request for a hook only: the status is %d, hooked: %t", status, hooked)
		}
		s.wantEnded("both sides have ended")
		if status != 101 || sent != 4 || hooked && (hookStatus != 101 || hookSent != 4) {
			t.Errorf("101 and 4 bytes should be told; OnFinish says %d and %d, the hook %d and %d", status, sent, hookStatus, hookSent)
		}
	}
}
