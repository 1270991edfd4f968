package client

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"unsafe"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// TestWaitingResponseIsSmall: a gateway holds one for each stream of events that it passes on.
func TestWaitingResponseIsSmall(t *testing.T) {
	const bound = 550
	if size := unsafe.Sizeof(call{}) + unsafe.Sizeof(conn{}); size > bound {
		t.Errorf("A response that waits takes %d bytes; %d are the bound.", size, bound)
	}
	x := newFixture(t, Options{}).do(&Request{})
	x.arrives("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
	x.response, _ = x.call.Poll(&x.waker)
	x.response.ReleaseHead()
	if x.response.Head() != nil || x.response.Length() != -1 {
		t.Error("A head that was released is still there.")
	}
	c := x.call.(*call)
	want := ""
	for _, part := range []string{"3\r\nabc\r\n", "4", "\r\nde", "fg\r\n", "0", "\r\nDigest", ": d\r\n"} {
		x.says(part)
		if want += part; (c.parser == nil) == strings.Contains(want, "Digest") || c.request != nil || x.script.conn.input != nil {
			t.Errorf("Behind %q the response holds a parser %t, its request %t, a buffer %t; a parser within the trailer section and else nothing was expected.",
				part, c.parser != nil, c.request != nil, x.script.conn.input != nil)
		}
	}
	x.says("\r\n")
	if x.got != "abcdefg" || x.err != io.EOF || x.response.Trailers().Get("digest") != "d" {
		t.Errorf("The content is %q, ends with %v and the trailer field Digest is %q.", x.got, x.err, x.response.Trailers().Get("digest"))
	}
	x.reused(true)
	x.finish()
}

// TestHeadStaysUntilClosed: also when the connection has another request by then.
func TestHeadStaysUntilClosed(t *testing.T) {
	f := newFixture(t, Options{})
	x := f.do(&Request{})
	x.says("HTTP/1.1 201 Created\r\nContent-Length: 1\r\nA: b\r\n\r\nx")
	y := f.do(&Request{})
	y.says("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nA: c\r\n\r\n")
	x.wants(201, "x", io.EOF)
	if head := x.response.Head(); head.Fields.Get("A") != "b" || x.response.Length() != 1 {
		t.Errorf("The head of an answer whose content has ended has A %q and the length %d.", head.Fields.Get("A"), x.response.Length())
	}
	x.response.Close()
	if x.response.Head() != nil {
		t.Error("The head is still there when the response is closed.")
	}
	y.finish()
	if y.call.(*call).parser != nil || x.call.(*call).parser != nil {
		t.Error("A parser is left.")
	}
}

func TestLength(t *testing.T) {
	for _, c := range []struct {
		method, head string
		want         int64
	}{
		{"GET", "200 OK\r\nContent-Length: 5", 5},
		{"HEAD", "200 OK\r\nContent-Length: 5", 0},
		{"GET", "304 Not Modified\r\nContent-Length: 5", 0},
		{"GET", "204 No Content", 0},
		{"GET", "200 OK\r\nTransfer-Encoding: chunked", -1},
		{"GET", "200 OK", -1},
	} {
		x := newFixture(t, Options{}).do(&Request{Method: c.method})
		x.arrives("HTTP/1.1 " + c.head + "\r\n\r\n")
		x.response, _ = x.call.Poll(&x.waker)
		if got := x.response.Length(); got != c.want {
			t.Errorf("The answer %q to %s has the length %d; %d was expected.", c.head, c.method, got, c.want)
		}
		x.finish()
	}
}

// TestRestIsKeptInASmallBuffer: content that came with the head does not hold a read buffer while
// nobody asks for it.
func TestRestIsKeptInASmallBuffer(t *testing.T) {
	f := newFixture(t, Options{})
	x := f.do(&Request{})
	x.arrives("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncontent")
	x.response, _ = x.call.Poll(&x.waker)
	x.loop.Settle()
	if x.script.conn.input != nil {
		t.Error("Nobody polls the content, and the buffer that it was read into is held.")
	}
	f.spoilBuffers()
	x.poll()
	x.wants(200, "content", io.EOF)
	x.reused(true)
	x.finish()
}

// TestCloseBeforeTheEnd: with the rest of the content there already, the connection is used again.
func TestCloseBeforeTheEnd(t *testing.T) {
	for rest, want := range map[string]bool{"abcde": true, "abcd": false} {
		x := newFixture(t, Options{}).do(&Request{})
		x.arrives("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + rest)
		x.response, _ = x.call.Poll(&x.waker)
		x.response.Close()
		x.reused(want)
		if _, err := x.response.Body.Poll(&x.waker); err != pipeline.ErrClosed {
			t.Errorf("A body that was closed gives %v.", err)
		}
		if _, err := x.call.Poll(&x.waker); err != io.EOF {
			t.Errorf("A call behind its response gives %v.", err)
		}
		x.finish()
	}
}

func TestCutContent(t *testing.T) {
	for head, want := range map[string]error{
		"Content-Length: 5":          io.ErrUnexpectedEOF,
		"Transfer-Encoding: chunked": io.ErrUnexpectedEOF,
		"Connection: close":          io.EOF,
	} {
		x := newFixture(t, Options{}).do(&Request{})
		x.says("HTTP/1.1 200 OK\r\n" + head + "\r\n\r\n")
		content := "2\r\nab"
		if !strings.HasPrefix(head, "T") {
			content = "ab"
		}
		x.says(content)
		x.hangsUp()
		x.wants(200, "ab", want)
		x.reused(false)
		x.finish()
	}
}

// TestPanicOfTheBody: it ends its own call and no other.
func TestPanicOfTheBody(t *testing.T) {
	body := allOf(t, "ab")
	body.ready = 0
	x := newFixture(t, Options{Logger: slog.New(slog.DiscardHandler)}).do(&Request{Method: "POST", Body: body, Length: 2})
	body.inPoll = func() { panic("the body has lost its way") }
	body.more(1)
	x.loop.Settle()
	x.poll()
	x.wants(0, "", ErrRequest)
	x.reused(false)
	if x.finish(); body.closes != 1 {
		t.Errorf("A body that panics was closed %d times.", body.closes)
	}
}

// streamed is a transport that reads what a source gives.
type streamed struct {
	script
	turn   *pipelinetest.Turn
	head   string
	source pipeline.Source[[]byte]
}

func (s *streamed) Readable() bool { return true }

func (s *streamed) Read(p []byte) (int, error) {
	if len(s.head) > 0 {
		n := copy(p, s.head)
		s.head = s.head[n:]
		return n, nil
	}
	chunk, err := s.source.Poll(s)
	if err == pipeline.ErrPending {
		return 0, loop.ErrAgain
	}
	if err == nil && len(chunk) == 0 {
		return s.Read(p)
	}
	return copy(p, chunk), err
}

// Wake makes an event of it, which never comes within a read.
func (s *streamed) Wake() { s.turn.Later(func() { s.conn.SocketEvent(loop.Readable) }) }

func (s *streamed) Close() {
	s.script.Close()
	s.source.Close()
}

// TestLawsOfTheBody: it is a source like any other, whether or not its head is needed.
func TestLawsOfTheBody(t *testing.T) {
	content := []string{"a", "bc", "def", "ghij"}
	for _, c := range []struct {
		head   string
		pieces []string
	}{
		{"Content-Length: 10", content},
		{"Content-Length: 0", nil},
		{"Server: until it closes", content},
		{"Transfer-Encoding: chunked", []string{"1\r", "\na\r\n", "2\r\nb", "c\r\n7\r\ndefghij", "\r\n0\r\nDigest: ", "d\r\n\r\n"}},
	} {
		for _, release := range []bool{false, true} {
			l := looptest.New(t)
			pipelinetest.TestSource(t, pipelinetest.SourceCase[[]byte]{
				Make: func(turn *pipelinetest.Turn) pipeline.Source[[]byte] {
					return bodyOf(t, turn, l, c.head, c.pieces, release)
				},
				Want: [][]byte{[]byte(strings.Join(content[:min(len(c.pieces), len(content))], ""))},
				Same: pipelinetest.SameBytes,
			})
			l.Settle()
		}
	}
}

// bodyOf returns the body of a response whose content is read from the given pieces.
func bodyOf(t *testing.T, turn *pipelinetest.Turn, l *looptest.Loop, head string, pieces []string, release bool) pipeline.Source[[]byte] {
	f := newFixtureOn(t, l, Options{})
	var chunks [][]byte
	for _, p := range pieces {
		chunks = append(chunks, []byte(p))
	}
	f.client.connect = func(a *dialAttempt) error {
		a.conn.transport = &streamed{
			script: script{t: t, conn: a.conn, room: -1},
			turn:   turn,
			head:   "HTTP/1.1 200 OK\r\n" + head + "\r\nConnection: close\r\n\r\n",
			source: pipelinetest.Watch(turn, pipelinetest.Stream(turn, chunks, nil)),
		}
		f.scripts = append(f.scripts, &script{t: t, conn: a.conn, attempt: a})
		return nil
	}
	call := newCall(f.pool, &Request{Target: "/"})
	_, _ = call.Poll(new(woken))
	f.connect()
	r, err := call.Poll(new(woken))
	if err != nil {
		t.Fatalf("The call gives %v.", err)
	}
	if release {
		r.ReleaseHead()
	}
	return r.Body
}
