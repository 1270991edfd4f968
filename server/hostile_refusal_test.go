package server_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// refusal is a request that is at fault, and how it must end: with one answer that says
// Connection: close, the end of the connection, and nothing that came behind ever being
// taken for a request.
type refusal struct {
	name  string
	input string
	// status is that of the answer; 0 stands for 400.
	status int
	// dispatched is the target that the handler is asked for, since the fault lies in
	// the body, behind a head that is sound.
	dispatched string
}

// manners are the ways in which an input is sent.
var manners = []struct {
	name string
	send func(p *peer, input string) bool
}{
	{"whole", (*peer).send},
	{"byte by byte", (*peer).sendBytewise},
}

const smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"

// wantRefused sends each case whole and byte by byte, alone and behind a good request,
// always with another request behind it.
func wantRefused(t *testing.T, o server.Options, cases []refusal) {
	t.Helper()
	s := besiege(t, o, countBody)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, manner := range manners {
				t.Run(manner.name, func(t *testing.T) { s.wantRefusal(t, c, "", manner.send) })
				t.Run(manner.name+", pipelined", func(t *testing.T) { s.wantRefusal(t, c, "/good", manner.send) })
			}
		})
	}
}

func (s *subject) wantRefusal(t *testing.T, c refusal, before string, send func(*peer, string) bool) {
	t.Helper()
	s.wantBystanderServed(t, "before the malformed request")
	p := s.dial(t)
	var input string
	var targets []string
	if before != "" {
		input, targets = get(before), append(targets, before)
	}
	send(p, input+c.input+smuggled)
	s.wantBystanderServed(t, "while the malformed request is there")
	if before != "" {
		p.wantAnswer("the good request before it is answered", 200)
	}
	status, reason := c.status, server.ReasonBadRequest
	if status == 0 {
		status = 400
	}
	if c.dispatched != "" {
		targets, reason = append(targets, c.dispatched), server.ReasonAnswered
	}
	p.wantLastAnswer("the malformed request is refused", status)
	s.wantClosed(t, "the connection of a malformed request is closed", 1, reason)
	s.wantDispatched(t, "nothing malformed, and nothing behind it, is dispatched", targets...)
	s.wantBystanderServed(t, "after the malformed request")
}

// countBody is a handler that reads the body and says how long it was.
func countBody(r *server.Request) server.Response {
	target := r.Target()
	return server.Later(pipeline.Map(pipeline.Collect(r.Body, 8<<20), func(body []byte) (server.Response, error) {
		return server.Text(200, said(target, len(body))), nil
	}))
}

// said is what countBody says.
func said(target string, n int) string { return fmt.Sprintf("%s had %d bytes", target, n) }

// wantSaid wants the answer of countBody.
func (p *peer) wantSaid(why, target string, n int) {
	p.t.Helper()
	if a := p.wantAnswer(why, 200); a.body != said(target, n) {
		p.t.Errorf("%s: the answer is %q, want %q", why, a.body, said(target, n))
	}
}

// heapInUse is what the heap takes once everything is gone that can go.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC() // what pools have kept goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// wantHeapGrowth wants the heap to have grown by at most limit bytes since before.
func wantHeapGrowth(t testing.TB, why string, before, limit int64) {
	t.Helper()
	if growth := heapInUse() - before; growth > limit {
		t.Errorf("%s: the heap has grown by %d bytes, want at most %d", why, growth, limit)
	}
}
