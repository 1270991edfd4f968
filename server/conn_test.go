package server

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"

	"github.com/penstock-go/penstock/loop"
)

// An idle connection must stay small: thousands of them wait at once.
func TestSizeOfAConnection(t *testing.T) {
	if size := reflect.TypeFor[conn]().Size(); size > 224 {
		t.Errorf("a connection takes %d bytes; more than 224 is the next size class of the allocator", size)
	}
}

func TestIdleConnectionHoldsNothing(t *testing.T) {
	s := newSession(t, hello, Options{})
	s.send(getRequest)
	s.wantAnswers("a request", "200")
	if c := s.conn; c.core.exchange != nil || c.core.out != nil || c.input != nil || c.unwritten != nil {
		t.Errorf("the idle connection holds an exchange: %t, output: %t, a read buffer: %t, unwritten bytes: %t",
			c.core.exchange != nil, c.core.out != nil, c.input != nil, c.unwritten != nil)
	}
}

func TestStreamThatWaitsHoldsNoReadBuffer(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		return Stream(200, "", pipeline.NewQueue[[]byte](r.Loop(), 1, pipeline.Refuse))
	}, Options{})
	s.send(getRequest)
	s.wantAnswers("the head of a stream that has nothing yet", "200")
	if s.conn.input != nil {
		t.Error("the connection keeps a read buffer while its stream waits")
	}
}

// endless gives the same chunk for ever, and counts how often it is asked.
type endless struct {
	chunk  []byte
	polls  int
	closed int
}

func (e *endless) Poll(pipeline.Waker) ([]byte, error) { e.polls++; return e.chunk, nil }
func (e *endless) Close()                              { e.closed++ }

func TestClientThatDoesNotReadStopsThePolling(t *testing.T) {
	source := &endless{chunk: make([]byte, 16<<10)}
	s := newSession(t, func(*Request) Response { return Stream(200, "", source) }, Options{WriteTimeout: -1})
	s.send(getRequest)
	s.loop.Advance(time.Minute)
	stopped := source.polls
	s.loop.Advance(time.Hour)
	if source.polls != stopped || stopped > 10_000 {
		t.Errorf("the source was polled %d times, and %d times more while the client read nothing", stopped, source.polls-stopped)
	}
	if s.receive() == "" || source.polls == stopped {
		t.Error("when the client reads on, the source should be polled on")
	}
	s.conn.close(ReasonShutdown)
	if source.closed != 1 {
		t.Errorf("the source was closed %d times; it should be once", source.closed)
	}
}

func TestHandlerThatDoesNotAskStopsTheReading(t *testing.T) {
	s := newSession(t, func(r *Request) Response { return Later(pipeline.NewQueue[Response](r.Loop(), 1, pipeline.Refuse)) }, Options{})
	s.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n")
	for range 5 {
		s.send(strings.Repeat("x", 10_000))
	}
	if unread := s.conn.socket.Readable(); !unread {
		t.Error("the body should wait in the socket while nobody asks for it")
	}
	if s.conn.core.exchange.arrived > loop.ReadBufferSize {
		t.Errorf("%d bytes of a body that nobody asked for were read", s.conn.core.exchange.arrived)
	}
}

func TestHalfClosedClientGetsItsAnswer(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		return Later(pipeline.Map(r.After(time.Second), func(time.Duration) (Response, error) { return Text(200, "late"), nil }))
	}, Options{})
	s.send(getRequest)
	s.finish()
	s.wantOpen("the client still waits for its answer")
	s.loop.Advance(2 * time.Second)
	s.wantAnswers("the answer to a half-closed client", "200")
	s.wantClosed("after the answer", ReasonClientClosed)
}

func TestHalfCloseEndsAnOpenEndedResponse(t *testing.T) {
	for _, late := range []bool{false, true} {
		source := &endless{}
		open := Stream(200, "", pipeline.Source[[]byte](pipeline.OnClose(pipeline.NewQueue[[]byte](nil, 1, pipeline.Refuse), source.Close))).OpenEnded()
		s := newSession(t, func(r *Request) Response {
			if late { // the client has left before it is known that the answer is open-ended
				return Later(pipeline.Map(r.After(time.Second), func(time.Duration) (Response, error) { return open, nil }))
			}
			return open
		}, Options{})
		s.send(getRequest)
		s.finish()
		s.loop.Advance(2 * time.Second)
		s.wantClosed("the client of an open-ended response has closed its side", ReasonClientClosed)
		if source.closed != 1 {
			t.Errorf("the stream was closed %d times; it should be once", source.closed)
		}
	}
}

func TestPipelinedAnswersLeaveTogether(t *testing.T) {
	s := newSession(t, hello, Options{})
	s.send(strings.Repeat(getRequest, 16))
	if polls := strings.Count(s.receive(), "Hello, World!"); polls != 16 {
		t.Errorf("%d of 16 pipelined requests were answered", polls)
	}
	// One write for all of them is what the core promises: it hands out one segment.
	d := newDriver(t, 1, func(*driver) Handler { return hello }, Options{})
	d.whole, d.input = true, []byte(strings.Repeat(getRequest, 16))
	segment, err := d.core.Poll(d)
	if n := strings.Count(string(segment.head), "Hello, World!"); n != 16 || err != nil {
		t.Errorf("the first segment has %d of 16 answers, error %v", n, err)
	}
	d.core.Close()
}

func TestHooksTellTheLifeOfAConnection(t *testing.T) {
	var told []string
	s := newSession(t, hello, Options{Hooks: Hooks{
		Request: func(r *Request) { told = append(told, "request "+r.Path()) },
		Response: func(r *Request, status int, bytes int64) {
			told = append(told, "response "+r.Path()+" "+itoa(status)+" "+itoa(int(bytes)))
		},
	}})
	s.send(getRequest + "GET /%zz HTTP/1.1\r\nHost: test\r\n\r\n")
	s.receive()
	s.finish()
	s.wantClosed("the client has left", ReasonClientClosed)
	want := []string{"request /", "response / 200 13", "request ", "response  400 57"}
	if strings.Join(told, ", ") != strings.Join(want, ", ") {
		t.Errorf("the hooks were told %q; it should be %q", told, want)
	}
}

func TestHookHearsOfAnExchangeThatWasCut(t *testing.T) {
	status := -1
	s := newSession(t, func(r *Request) Response { return Later(pipeline.NewQueue[Response](r.Loop(), 1, pipeline.Refuse)) },
		Options{Hooks: Hooks{Response: func(_ *Request, code int, _ int64) { status = code }}})
	s.send(getRequest)
	s.conn.close(ReasonConnectionLost)
	if status != 0 {
		t.Errorf("the Response hook should be called with status 0 for an exchange that has ended without a response, and has %d", status)
	}
}

func TestAddressesOfAUnixSocketAreZero(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		if r.RemoteAddr() != (netip.AddrPort{}) || r.LocalAddr() != (netip.AddrPort{}) {
			t.Errorf("a Unix socket should have no addresses, and has %s and %s", r.RemoteAddr(), r.LocalAddr())
		}
		return Empty(200)
	}, Options{})
	s.send(getRequest)
	s.wantAnswers("a request", "200")
}

func TestFileResponse(t *testing.T) {
	for _, size := range []int{0, 10, 5 << 20} {
		file := temporaryFile(t, size+20)
		s := newSession(t, func(*Request) Response { return File(200, "a/b", file, 10, int64(size)) }, Options{})
		s.send(getRequest)
		var got strings.Builder
		for more := s.receive(); more != ""; more = s.receive() {
			got.WriteString(more)
		}
		_, body, _ := strings.Cut(got.String(), "\r\n\r\n")
		if body != string(filler(size + 20)[10:10+size]) {
			t.Errorf("a range of %d bytes of a file came as %d bytes, or others", size, len(body))
		}
		s.wantOpen("after a file")
		if file.Close() == nil {
			t.Error("the file should have been closed with the exchange")
		}
	}
}

func TestFileThatIsTooShortCutsTheConnection(t *testing.T) {
	s := newSession(t, func(*Request) Response { return File(200, "a/b", temporaryFile(t, 10), 0, 20) }, Options{})
	s.send(getRequest)
	s.wantClosed("the file has ended before its range", ReasonResponseFailed)
}

func TestDrainingClosesTheIdleAndLetsTheOthersFinish(t *testing.T) {
	slow := func(r *Request) Response {
		return Later(pipeline.Map(r.After(time.Second), func(time.Duration) (Response, error) { return Text(200, "late"), nil }))
	}
	busy := newSession(t, slow, Options{})
	busy.send(getRequest)
	busy.local.drain()
	busy.wantOpen("an exchange is in hand")
	busy.loop.Advance(2 * time.Second)
	if got := busy.wantAnswers("the exchange in hand", "200"); !strings.Contains(got, "Connection: close\r\n") {
		t.Errorf("an answer during the shutdown should say Connection: close:\n%s", got)
	}
	busy.wantClosed("after the answer", ReasonAnswered)

	idle := newSession(t, hello, Options{})
	idle.send(getRequest)
	idle.wantAnswers("a request", "200")
	idle.local.drain()
	idle.wantClosed("it was idle", ReasonShutdown)
}

// mute is a source that never has anything.
type mute struct{}

func (mute) Poll(pipeline.Waker) ([]byte, error) { return nil, pipeline.ErrPending }
func (mute) Close()                              {}

// Who waits for hours with its request released does not keep its address, and can still be asked.
func TestAddressOfAConnectionIsForgottenWithItsRequest(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		r.RemoteAddr()
		return Stream(200, "", mute{}).ReleaseRequest()
	}, Options{})
	s.send(getRequest)
	if s.conn.core.exchange != nil || s.conn.peer != nil {
		t.Errorf("the request and the address should be given up, and are %v and %v", s.conn.core.exchange, s.conn.peer)
	}
}
