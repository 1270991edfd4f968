package server_test

import (
	"io"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// A body that fails midway is cut so that the client can see it, whatever its framing is: by
// the missing bytes of a length, by the missing last chunk, or, where the end of the connection
// would be the end of the body, by a reset.
func TestHostileBodyThatFailsMidway(t *testing.T) {
	t.Parallel()
	g := newGates()
	s := newSubject()
	s.start(t, server.Options{}, func(r *server.Request) server.Response {
		response := server.Stream(200, "", track[[]byte](s, r.Target(), g.wait(r)))
		switch r.Path() {
		case "/length":
			return response.Length(100)
		case "/released":
			return response.ReleaseRequest()
		}
		return response
	})
	for _, c := range []struct{ target, request, tail string }{
		{"/length", get("/length"), "\r\n\r\nbegun"},
		{"/chunked", get("/chunked"), "\r\n\r\n5\r\nbegun\r\n"},
		{"/released", get("/released"), "\r\n\r\n5\r\nbegun\r\n"},
		{"/close", "GET /close HTTP/1.0\r\n\r\n", "\r\n\r\nbegun"},
	} {
		p := s.dial(t)
		p.send(c.request)
		q := <-g.queues
		push(t, q, "begun")
		came := make([]byte, 0, 1000)
		for !strings.HasSuffix(string(came), c.tail) {
			n, err := p.conn.Read(came[len(came):cap(came)])
			if came = came[:len(came)+n]; err != nil {
				t.Fatalf("%s: what there is of the body should come; there is %q, and then %v", c.target, came, err)
			}
		}
		s.wantBystanderServed(t, "while a body waits")
		q.Finish(errBroken)
		if c.target == "/close" {
			p.wantReset("a body that only the end of the connection ends is cut by a reset")
		} else if rest, err := io.ReadAll(p.conn); len(rest) > 0 || err != nil {
			t.Errorf("%s: the connection should end in order behind half of the body; there came %q, and then %v", c.target, rest, err)
		}
		s.wantClosed(t, "the connection of a body that failed is closed", 1, server.ReasonResponseFailed)
		s.wantLogged(t, "it is logged", "cut", errBroken.Error())
	}
	s.wantReleased(t, "the sources are closed", 4)
}

// askUpgrade is a request for an upgrade to protocol.
func askUpgrade(target, protocol string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n\r\n"
}

// tunnels answers with a tunnel: one that echoes, or one that gives what a test pushes and
// does not read.
func tunnels(s *subject, g gates) server.Handler {
	return func(r *server.Request) server.Response {
		return server.Upgrade("test", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			if r.Path() == "/echo" {
				return track(s, r.Target(), input)
			}
			q := g.wait(r)
			return track(s, r.Target(), pipeline.OnClose[[]byte](q, input.Close))
		})
	}
}

func (p *peer) wantTunnel(why string) {
	p.t.Helper()
	head := ""
	for !strings.HasSuffix(head, "\r\n\r\n") {
		line, err := p.reader.ReadString('\n')
		if head += line; err != nil {
			p.t.Fatalf("%s: the head of a 101 should come; there is %q, and then %v", why, head, err)
		}
	}
	if !strings.HasPrefix(head, "HTTP/1.1 101 ") {
		p.t.Fatalf("%s: the answer should be 101, and is %q", why, head)
	}
}

func (p *peer) wantText(why, want string) {
	p.t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(p.reader, got); err != nil || string(got) != want {
		p.t.Fatalf("%s: %.60q should come; there is %.60q, and then %v", why, want, got[:n], err)
	}
}

// Each way in which a tunnel can end, over TCP.
func TestHostileEndsOfTunnels(t *testing.T) {
	t.Parallel()
	g := newGates()
	s := newSubject()
	s.start(t, server.Options{}, tunnels(s, g))
	open := func(target string) *peer {
		p := s.dial(t)
		p.send(askUpgrade(target, "test"))
		p.wantTunnel(target)
		return p
	}
	p := open("/echo")
	large := strings.Repeat("0123456789abcdef", 1<<17)
	go p.send(large)
	p.wantText("an echo in constant memory", large)
	p.closeWrite()
	p.wantEnd("the stage has ended behind its input")
	s.wantClosed(t, "both sides have ended", 1, server.ReasonAnswered)

	p = open("/held")
	<-g.queues
	p.send("what nobody reads")
	p.reset()
	s.wantClosed(t, "the client has reset the connection", 1, server.ReasonConnectionLost)

	p = open("/held")
	q := <-g.queues
	p.closeWrite()
	push(t, q, "goodbye")
	p.wantText("a client that has ended its side gets the rest", "goodbye")
	q.Finish(nil)
	p.wantEnd("the stage has ended")
	s.wantClosed(t, "both sides have ended", 1, server.ReasonAnswered)

	p = open("/held")
	q = <-g.queues
	push(t, q, "begun")
	p.wantText("the stage gives something", "begun")
	q.Finish(errBroken)
	p.wantReset("a stage that fails resets the connection")
	s.wantClosed(t, "the stage has failed", 1, server.ReasonResponseFailed)
	s.wantLogged(t, "it is logged", "cut", errBroken.Error())
	s.wantReleased(t, "all stages are closed", 4)
}

// A request to upgrade is not believed where it must not be, and what comes behind one that
// was refused is an ordinary request.
func TestHostileUpgradeThatIsRefused(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, tunnels(s, newGates()))
	p := s.dial(t)
	for name, request := range map[string]string{
		"another protocol": askUpgrade("/echo", "other"),
		"no Connection":    "GET /echo HTTP/1.1\r\nHost: h\r\nUpgrade: test\r\n\r\n",
		"an unread body":   "POST /echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: test\r\nContent-Length: 5\r\n\r\n" + smuggled[:5],
	} {
		p.send(request)
		p.wantAnswer("an upgrade that must not be is refused: "+name, 500)
		s.wantLogged(t, "and logged: "+name, "upgrade")
		p.wantIntact(s, "the connection goes on: "+name)
	}
	s.wantReleased(t, "the stages are closed", 3)
}

// A shutdown waits for tunnels, and cuts them when its time is over.
func TestHostileShutdownOfATunnel(t *testing.T) {
	t.Parallel()
	s := newSubject()
	s.start(t, server.Options{}, tunnels(s, newGates()))
	p := s.dial(t)
	p.send(askUpgrade("/echo", "test"))
	p.wantTunnel("a tunnel")
	p.send("ping")
	p.wantText("the tunnel is in hand", "ping")
	s.cut(t)
	p.wantGone("the time for the shutdown is over")
	s.wantClosed(t, "the tunnel was cut", 1, server.ReasonShutdown)
	s.wantReleased(t, "its stage is closed", 1)
}
