package server

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// bracketed is a stage that shows what it was given: each chunk in brackets, and a point at the end.
func bracketed(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	inner := pipeline.Map(src, func(b []byte) ([]byte, error) { return []byte("[" + string(b) + "]"), nil })
	return pipeline.Concat(inner, pipeline.Once([]byte(".")))
}

// newStaged returns a subscriber whose stream goes through stages.
func newStaged(t *testing.T, o Options, ping time.Duration, stages ...pipeline.Stage[[]byte, []byte]) *subscriber {
	t.Helper()
	s := &subscriber{}
	s.session = newSession(t, func(r *Request) Response {
		s.events = pipeline.NewQueue[Event](r.Loop(), 1000, pipeline.Refuse)
		response := Events(pipeline.OnClose(s.events, func() { s.closed++ }))
		for _, stage := range stages {
			response = response.MapBody(stage)
		}
		return response.Ping(ping)
	}, o)
	s.send(getRequest)
	s.wantAnswers("the head of the stream", "200")
	return s
}

func TestCommentsGoThroughTheStages(t *testing.T) {
	const ping = 10 * time.Second
	s := newStaged(t, Options{}, ping, bracketed, bracketed)
	s.push(Event{Data: "x"})
	if got := s.receive(); got != "d\r\n[[data: x\n\n]]\r\n" {
		t.Errorf("the event should come through both stages, and came as %q", got)
	}
	s.loop.Advance(ping - time.Millisecond)
	if got := s.receive(); got != "" {
		t.Errorf("before its interval is over nothing should be sent, and the client got %q", got)
	}
	for range 3 {
		s.loop.Advance(time.Millisecond)
		if got := s.receive(); got != "7\r\n[[:\n\n]]\r\n" {
			t.Errorf("after its interval a comment should come through both stages, and the client got %q", got)
		}
		s.loop.Advance(ping - time.Millisecond)
	}
}

// A stage that keeps comments to itself must not have the server give them up.
func TestCommentsThatAStageKeepsAreSentOn(t *testing.T) {
	const ping = 10 * time.Second
	given := 0
	s := newStaged(t, Options{}, ping, func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
		return pipeline.Filter(src, func(b []byte) bool {
			if bytes.Equal(b, comment) {
				given++
			}
			return given == 3
		})
	})
	s.loop.Advance(2 * ping)
	if got := s.receive(); given != 2 || got != "" {
		t.Errorf("in two intervals the stage should be given two comments and keep them; it was given %d, and the client %q", given, got)
	}
	s.loop.Advance(ping)
	if got := s.receive(); got != "3\r\n:\n\n\r\n" {
		t.Errorf("the third comment should be let through, and the client got %q", got)
	}
}

func TestShutdownEndsStreamsThroughTheirStages(t *testing.T) {
	for _, hooked := range []bool{true, false} { // with the request and without
		var hooks Hooks
		if hooked {
			hooks.Response = func(*Request, int, int64) {}
		}
		s := newStaged(t, Options{Hooks: hooks}, time.Minute, bracketed)
		s.push(Event{Data: "x"})
		s.receive()
		s.local.drain()
		s.loop.Settle()
		if got := s.receive(); got != "1\r\n.\r\n0\r\n\r\n" {
			t.Errorf("the stage should see the end and add to it, and the client got %q", got)
		}
		s.wantGone("the server is shut down", ReasonAnswered)
	}
}

func TestShutdownEndsAnOpenEndedStreamThroughItsStages(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		lines := pipeline.NewQueue[[]byte](r.Loop(), 1, pipeline.Refuse)
		return Stream(200, "text/plain", lines).MapBody(bracketed).OpenEnded().Trailers(func() []Field {
			return []Field{{Name: "X-Trailer", Value: "yes"}}
		})
	}, Options{})
	s.send(getRequest)
	s.wantAnswers("the head of the stream", "200")
	s.local.drain()
	s.loop.Settle()
	if got := s.receive(); got != "1\r\n.\r\n0\r\nX-Trailer: yes\r\n\r\n" {
		t.Errorf("the stream should end properly, and the client got %q", got)
	}
	s.wantClosed("the server is shut down", ReasonAnswered)
}

// What is on its way to the client lies in the source, which must not be closed meanwhile.
func TestShutdownDoesNotCloseASourceWhoseChunkIsOnItsWay(t *testing.T) {
	for _, stages := range [][]pipeline.Stage[[]byte, []byte]{nil, {bracketed}} {
		s := newStaged(t, Options{WriteTimeout: -1}, time.Minute, stages...)
		for range 100 {
			s.push(Event{Data: string(filler(64 << 10))})
			if s.conn.unwritten != nil {
				break
			}
		}
		if s.conn.unwritten == nil {
			t.Fatal("a client that reads nothing should have the connection wait to write")
		}
		s.local.drain()
		s.loop.Settle()
		if s.closed != 0 {
			t.Error("the source should not be closed while a chunk of it is still to be written")
		}
		var got string
		for s.reason == nil {
			more := s.receive()
			if more == "" {
				t.Fatal("the stream should end when the client has read it, and nothing comes")
			}
			got += more
		}
		if got += s.receive(); !strings.HasSuffix(got, "\r\n0\r\n\r\n") {
			t.Errorf("the stream should end properly, and ends with %q", got[max(0, len(got)-20):])
		}
		s.wantGone("the server is shut down", ReasonAnswered)
	}
}

// An open-ended response that comes when the server is being shut down would hold that up.
func TestEventsThatComeDuringTheShutdownEndAtOnce(t *testing.T) {
	for want, stage := range map[string]pipeline.Stage[[]byte, []byte]{"Content-Length: 0\r\n": nil, "\r\n1\r\n.\r\n0\r\n\r\n": bracketed} {
		var later *pipeline.Queue[Response]
		s := newSession(t, func(r *Request) Response {
			later = pipeline.NewQueue[Response](r.Loop(), 1, pipeline.Refuse)
			return Later(later)
		}, Options{})
		s.send(getRequest)
		s.local.drain()
		s.loop.Settle()
		s.wantOpen("the request is still to be answered")
		closed := 0
		response := Events(pipeline.OnClose(pipeline.NewQueue[Event](s.loop.Loop, 1, pipeline.Refuse), func() { closed++ }))
		if stage != nil {
			response = response.MapBody(stage)
		}
		if err := later.Push(response); err != nil {
			t.Fatal(err)
		}
		s.loop.Settle()
		if got := s.wantAnswers("the stream that came too late", "200"); !strings.Contains(got, want) {
			t.Errorf("the stream should end at once, with %q, and the client got %q", want, got)
		}
		s.wantClosed("the server is shut down", ReasonAnswered)
		if closed != 1 {
			t.Errorf("the source should be closed once, and was closed %d times", closed)
		}
	}
}

func TestInletKeepsTheLaws(t *testing.T) {
	pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
		Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return &inlet{source: src} },
		In:    []byte("data: x\n\ndata: y\n\n"),
		Model: func(in []byte, end error) ([][]byte, error) { return [][]byte{in}, end },
		Same:  pipelinetest.SameBytes,
	})
}

// A stage polls again when it is woken, and need not before: so what is added wakes whoever waits.
func TestInletWakesWhoWaits(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	queue := pipeline.NewQueue[[]byte](turn, 1, pipeline.Refuse)
	f := &flow{source: queue}
	f.addInlet()
	in := f.inlet()
	wantPoll := func(why, want string, wantErr error) {
		t.Helper()
		if chunk, err := in.Poll(turn); string(chunk) != want || err != wantErr {
			t.Errorf("%s: Poll should give %q and %v, and gave %q and %v", why, want, wantErr, chunk, err)
		}
	}
	wantPoll("nothing is there", "", pipeline.ErrPending)
	f.addComment()
	if !turn.Woken() {
		t.Error("who waits should be woken for a comment")
	}
	wantPoll("a comment was added", string(comment), nil)
	wantPoll("one comment is one", "", pipeline.ErrPending)
	f.addComment()
	if err := queue.Push([]byte("data: x\n\n")); err != nil {
		t.Fatal(err)
	}
	for turn.Step() {
	}
	wantPoll("an event has come before the comment", "data: x\n\n", nil)
	wantPoll("a stream that is not silent needs no comment", "", pipeline.ErrPending)
	turn.Woken()
	f.addEnd()
	if !turn.Woken() {
		t.Error("who waits should be woken for the end")
	}
	wantPoll("the end was added", "", io.EOF)
	wantPoll("the end is for good", "", io.EOF)
	in.Close()
	f.addEnd()
	if turn.Woken() {
		t.Error("nobody should be woken for a source that is closed")
	}
}
