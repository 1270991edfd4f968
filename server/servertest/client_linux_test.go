package servertest_test

import (
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// socketOfMyOwn is a socket for a loop; whoever gets it owns it.
func socketOfMyOwn(t *testing.T) int {
	t.Helper()
	fd, _ := looptest.Socketpair(t)
	return fd
}

// length answers with the length of the body.
func length(r *server.Request) server.Response {
	return server.Later(pipeline.Map(pipeline.Collect(r.Body, 1<<30), func(body []byte) (server.Response, error) {
		return server.Text(200, strconv.Itoa(len(body))), nil
	}))
}

func TestSendCut(t *testing.T) {
	s := servertest.New(t, length, server.Options{})
	request := string(servertest.Post("/", "text/plain", "12345"))
	c := s.Client()
	for range 2 {
		c.SendCut(request)
		if body := c.Answer().Body; body != "5" {
			t.Errorf("a request that comes byte by byte should be answered with its length, 5; the answer is %q", body)
		}
	}
	c.SendCut(request, 0, 7, 7, len(request))
	if body := c.Answer().Body; body != "5" {
		t.Errorf("a request in pieces should be answered with its length, 5; the answer is %q", body)
	}
	for _, cuts := range [][]int{{2, 1}, {len(request) + 1}} {
		failures := watch(func(t testing.TB) { servertest.New(t, length, server.Options{}).Client().SendCut(request, cuts...) })
		wantFailure(t, failures, "cannot be cut at")
	}
}

// TestLargeBodies go both ways through a socket that is smaller.
func TestLargeBodies(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 1<<18)
	echo := func(r *server.Request) server.Response { return server.Stream(200, r.Type(), r.Body) }
	s := servertest.New(t, echo, server.Options{})
	result := s.Client().Ask(servertest.Post("/", "text/plain", body))
	if !result.Complete || result.Body != body {
		t.Errorf("%d bytes should come back; %d did, complete %t", len(body), len(result.Body), result.Complete)
	}
}

// TestSendStopsWithTheServer: what nobody reads does not go out.
func TestSendStopsWithTheServer(t *testing.T) {
	waits := func(r *server.Request) server.Response {
		return server.Events(pipeline.NewQueue[server.Event](r.Loop(), 1, pipeline.Refuse))
	}
	s := servertest.New(t, waits, server.Options{})
	c := s.Client()
	request := string(servertest.Post("/", "text/plain", strings.Repeat("x", 8<<20)))
	if sent := c.Send(request); sent == 0 || sent == len(request) {
		t.Errorf("a server that does not read the body should get some of the request only; it got %d of %d bytes", sent, len(request))
	}
	c.Reset()
	if sent := c.Send("more"); sent != 0 || c.Receive() != "" {
		t.Errorf("a client that has left sends and receives nothing; it sent %d bytes", sent)
	}
	c.Reset()
}

func TestCloseWriteAndReset(t *testing.T) {
	s := servertest.New(t, length, server.Options{})
	c := s.Client()
	c.Send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n1")
	c.CloseWrite()
	if result := c.Answer(); result.Status != 400 || !c.Ended() {
		t.Errorf("a body that is cut should be answered 400, and the connection end; the answer is %+v, ended %t", result, c.Ended())
	}
	reset := s.Client()
	reset.Send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n1")
	reset.Reset()
	if reasons := s.Closed(); len(reasons) == 0 || reasons[len(reasons)-1] != server.ReasonConnectionLost {
		t.Errorf("a client that leaves has its connection closed as lost; the reasons are %v", reasons)
	}
}

// TestAnswersBehindOneAnother are told apart, and HEAD has no body.
func TestAnswersBehindOneAnother(t *testing.T) {
	s := servertest.New(t, greet, server.Options{})
	c := s.Client()
	c.Send(string(servertest.Get("/?name=1") + servertest.Get("/?name=2")))
	if first, second := c.Answer().Body, c.Answer().Body; first != "Hello, 1!" || second != "Hello, 2!" {
		t.Errorf("two requests should be answered in order, and are by %q and %q", first, second)
	}
	head := c.Ask(servertest.NewRequest("HEAD", "/?name=3"))
	if head.Field("content-length") != "9" || head.Body != "" || !head.Complete {
		t.Errorf("the answer to HEAD has a length and no body; it is %+v", head)
	}
	if rest := c.Receive(); rest != "" {
		t.Errorf("nothing should be left behind the answers; there is %q", rest)
	}
}

// TestNoAnswerFailsTheTest: a connection that ends without one.
func TestNoAnswerFailsTheTest(t *testing.T) {
	failures := watch(func(t testing.TB) {
		s := servertest.New(t, greet, server.Options{})
		c := s.Client()
		c.CloseWrite()
		c.Answer()
	})
	wantFailure(t, failures, "there is no answer")
}

// TestSocketsEndWithTheTest: clients that have not left do so then.
func TestSocketsEndWithTheTest(t *testing.T) {
	before := descriptors(t)
	failures := watch(func(t testing.TB) {
		s := servertest.New(t, greet, server.Options{})
		s.Client().Ask(servertest.Get("/"))
		s.Client().Send("GET")
	})
	if after := descriptors(t); len(failures) > 0 || after != before {
		t.Errorf("there were %d descriptors before the test and %d after, and the failures %q", before, after, failures)
	}
}

// descriptors counts the open ones, among the first few.
func descriptors(t *testing.T) (open int) {
	t.Helper()
	for fd := range 256 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			open++
		}
	}
	return open
}
