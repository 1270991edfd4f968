package server_test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// The rows of hostile input that try to use up memory, time or attention.

// dialNarrow connects a peer whose kernel holds little of what it does not read.
func (s *subject) dialNarrow(t testing.TB) *peer {
	t.Helper()
	p := s.dial(t)
	if err := p.conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatalf("a receive buffer can be made small: %v", err)
	}
	return p
}

// unrecorded is a target whose answers are not kept count of, for requests without end.
const unrecorded = bystanding + "greedy"

// bounded is what kernels may take at most between a client that never reads and a server
// that never asks: two send buffers and a receive buffer at the size to which Linux lets
// them grow.
const bounded = 32 << 20

// Row 27: nobody reads the answers, so the requests are not parsed any more.
func TestHostile27AnswersNeverRead(t *testing.T) {
	s := besiege(t, server.Options{WriteTimeout: 4 * short}, countBody)
	s.wantBystanderServed(t, "before")
	before := heapInUse()
	const clients = 4
	taken := make(chan int64, clients)
	for range clients {
		p := s.dialNarrow(t)
		go func() { taken <- p.sendEndlessly(strings.Repeat(get(unrecorded), 50)) }()
	}
	most := int64(0)
	for len(taken) < clients {
		s.wantBystanderServed(t, "beside clients that never read")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most = max(most, int64(m.HeapInuse))
	}
	s.wantClosed(t, "a client that takes nothing is given up", clients, server.ReasonWriteTimeout)
	for range clients {
		if n := <-taken; n > bounded {
			t.Errorf("a server whose answers are not read takes no more requests: it took %d bytes of them", n)
		}
	}
	if most-before > 32<<20 {
		t.Errorf("requests that are not asked for cost nothing: the heap grew by %d bytes", most-before)
	}
}

// Row 28, as far as it is no measurement: greedy clients on the same loop do not keep a
// bystander from being served. See BenchmarkGreedyNeighbours for its latency.
func TestHostile28GreedyNeighbours(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	for range 4 {
		s.greedy(t)
	}
	for range 20 {
		s.wantBystanderServed(t, "beside greedy clients")
	}
	late := s.dial(t)
	late.send(get("/late"))
	late.wantSaid("who comes while others are greedy is served", "/late", 0)
}

// Row 28 of the hostile input as a measurement: the median latency of a client alone, and
// beside four clients on the same loop that pipeline without end. The ratio of the two is
// to stay below 5 where the clients have cores of their own.
func BenchmarkGreedyNeighbours(b *testing.B) {
	for _, neighbours := range []int{0, 1, 4} {
		b.Run(fmt.Sprint(neighbours), func(b *testing.B) {
			s := besiege(b, server.Options{}, countBody)
			for range neighbours {
				s.greedy(b)
			}
			var latencies []time.Duration
			for b.Loop() {
				start := time.Now()
				s.wantBystanderServed(b, "beside greedy clients")
				latencies = append(latencies, time.Since(start))
			}
			slices.Sort(latencies)
			b.ReportMetric(float64(latencies[len(latencies)/2]), "ns-median")
			b.ReportMetric(float64(latencies[len(latencies)*99/100]), "ns-p99")
		})
	}
}

// greedy connects a client that pipelines without end and reads all the answers. It
// returns when the first of them have come.
func (s *subject) greedy(t testing.TB) *peer {
	t.Helper()
	p := s.dial(t)
	go p.sendEndlessly(strings.Repeat(get(unrecorded), 500))
	p.wantAnswer("a greedy client is served too", 200)
	go func() { _, _ = io.Copy(io.Discard, p.reader) }()
	return p
}

// trickle sends a byte at a time, each behind a request of the bystander, until the server
// has answered.
func (p *peer) trickle(s *subject, why string) answer {
	p.t.Helper()
	type outcome struct {
		answer
		err error
	}
	outcomes := make(chan outcome, 1)
	go func() {
		a, err := p.tryAnswer("GET")
		outcomes <- outcome{a, err}
	}()
	for {
		p.send("x")
		s.wantBystanderServed(p.t, "between the bytes")
		select {
		case o := <-outcomes:
			if o.err != nil {
				p.t.Fatalf("%s: %v", why, o.err)
			}
			return o.answer
		default:
		}
	}
}

// Row 29: the time for a head is one deadline, however often a byte comes.
func TestHostile29SlowHead(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{HeadTimeout: unhurried, HeadLimits: parser.Limits{Head: 1 << 20}}, countBody)
	for _, before := range []string{"", get("/good")} {
		p := s.dial(t)
		if before != "" {
			p.send(before)
			p.wantSaid("the first request is served", "/good", 0)
		}
		p.send("GET /x HTTP/1.1\r\nHost: h\r\nA: ")
		a := p.trickle(s, "a head that does not end is answered")
		if a.status != 408 || !a.close {
			t.Errorf("a head that comes too slowly is answered with 408 and Connection: close, not %d %q", a.status, a.fields)
		}
		p.send("\r\n\r\n" + smuggled)
		p.wantGone("behind a head that came too late comes nothing")
		s.wantClosed(t, "it is closed at its deadline", 1, server.ReasonHeadTimeout)
	}
	s.wantDispatched(t, "no late head is dispatched", "/good")

	p := s.dial(t)
	p.wantEnd("a client that says nothing at all is answered nothing")
	s.wantClosed(t, "it is closed at its deadline", 1, server.ReasonHeadTimeout)
}

// Row 29: what was there of the heads is given back.
func TestHostile29SlowHeadsGiveMemoryBack(t *testing.T) {
	s := besiege(t, server.Options{HeadTimeout: unhurried}, countBody)
	s.wantBystanderServed(t, "before")
	before := heapInUse()
	const clients = 200
	head := "GET /x HTTP/1.1\r\nHost: h\r\nA: " + strings.Repeat("x", 30<<10)
	var peers []*peer
	for range clients {
		p := s.dial(t)
		p.send(head)
		peers = append(peers, p)
	}
	s.wantBystanderServed(t, "beside slow heads")
	for _, p := range peers {
		p.wantLastAnswer("a head that does not end is given up", 408)
	}
	s.wantClosed(t, "all are closed at their deadline", clients, server.ReasonHeadTimeout)
	wantHeapGrowth(t, "the memory of slow heads is given back", before, clients*4<<10+4<<20)
	runtime.KeepAlive(peers)
}

// Row 30: a connection between two requests is not kept for ever.
func TestHostile30Idle(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{IdleTimeout: unhurried}, countBody)
	for _, requests := range []int{1, 3} {
		p := s.dial(t)
		for range requests {
			p.send(get("/x"))
			p.wantSaid("a request is answered", "/x", 0)
		}
		p.wantEnd("a connection that idles is closed in order, without an answer")
	}
	s.await(t, "both are closed for idling", func() bool {
		n := 0
		for _, reason := range s.closed {
			if reason == server.ReasonIdleTimeout {
				n++
			}
		}
		return n == 2
	}, s.state)
}

// Row 30: empty lines are no requests, and do not keep a connection alive.
func TestHostile30EmptyLinesAreIdle(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{IdleTimeout: unhurried, LingerTimeout: short}, countBody)
	p := s.dial(t)
	p.send(get("/x"))
	p.wantSaid("a request is answered", "/x", 0)
	for ended := false; !ended; {
		taken := p.send("\r\n")
		s.wantBystanderServed(t, "beside a client that sends empty lines")
		s.note(func() {
			ended = slices.ContainsFunc(s.closed, func(r server.CloseReason) bool { return r != server.ReasonClientClosed })
		})
		if !taken && !ended {
			t.Fatal("a client that sends empty lines is closed in the end, not served on and on")
		}
	}
}

// Row 31: a body has to come at a rate, not only now and then.
func TestHostile31SlowBody(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{BodyTimeout: short, BodyRate: 1 << 30}, countBody)
	for _, head := range []string{post("/x", "Content-Length: 1000000", ""), chunked("/x", "f4240\r\n")} {
		p := s.dial(t)
		p.send(head)
		a := p.trickle(s, "a body that does not end is answered")
		if a.status != 408 || !a.close {
			t.Errorf("a body that comes too slowly is answered with 408 and Connection: close, not %d %q", a.status, a.fields)
		}
		p.send(smuggled)
		p.wantGone("behind a body that came too slowly comes nothing")
		s.wantDispatched(t, "nothing of a slow body is dispatched", "/x")
	}
}

// Row 31: the time runs for a client that is asked only.
func TestHostile31BodyThatIsNotAskedFor(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{BodyTimeout: unhurried, BodyRate: -1}, func(r *server.Request) server.Response {
		target := r.Target()
		body := then(r.After(3*unhurried), pipeline.Collect(r.Body, 100))
		return server.Later(pipeline.Map(body, func(body []byte) (server.Response, error) {
			return server.Text(200, said(target, len(body))), nil
		}))
	})
	p := s.dial(t)
	p.send(post("/x", expecting, ""))
	p.wantAnswer("a body that is asked for late is still waited for", 100)
	p.send("hello")
	p.wantSaid("and read", "/x", 5)
}

// Row 32: a client that does not read an answer without end is given up, and the source
// behind it was asked for no more than fits in between.
func TestHostile32SlowReader(t *testing.T) {
	t.Parallel()
	chunk := make([]byte, 16<<10)
	s := newSubject()
	s.start(t, server.Options{WriteTimeout: short}, func(r *server.Request) server.Response {
		switch r.Path() {
		case "/text":
			return server.Text(200, strings.Repeat("x", 16<<20))
		case "/file":
			return server.File(200, "", fileOf(t, strings.Repeat("x", 16<<20)), 0, 16<<20)
		case "/error":
			return server.Fail(&server.Error{Code: 404, Message: strings.Repeat("x", 8<<10)})
		case "/length":
			return server.Stream(200, "", track(s, r.Target(), endless{chunk})).Length(1 << 40)
		}
		return server.Stream(200, "", track(s, r.Target(), endless{chunk}))
	})
	for _, target := range []string{"/stream", "/length", "/text", "/file"} {
		p := s.dialNarrow(t)
		p.send(get(target) + smuggled)
		s.wantBystanderServed(t, "beside a client that does not read")
		s.wantClosed(t, "a client that does not read is given up: "+target, 1, server.ReasonWriteTimeout)
		s.wantDispatched(t, "nothing behind the answer is dispatched", target)
	}
	s.wantReleased(t, "the sources are closed", 2)
	s.wantUnpolled(t, bounded/len(chunk))
	p := s.dialNarrow(t)
	go p.sendEndlessly(strings.Repeat(get("/error"), 20))
	s.wantClosed(t, "a client that does not read error answers is given up too", 1, server.ReasonWriteTimeout)
	s.note(func() { s.dispatched = nil })
}

// wantUnpolled checks that no tracked source was polled more than n times.
func (s *subject) wantUnpolled(t testing.TB, n int) {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, tr := range s.tracked {
		if polls := tr.polled(); polls > n {
			t.Errorf("a source is polled only while the client takes what it gives, not %d times, at most %d", polls, n)
		}
	}
}

// Row 21: a client that was refused and does not leave is not kept for ever either.
func TestHostile21RefusedAndStaying(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{LingerTimeout: short}, countBody)
	p := s.dial(t)
	p.send(withLine("A : b"))
	p.wantAnswer("a malformed request is refused", 400)
	s.wantClosed(t, "who stays after that is closed", 1, server.ReasonBadRequest)
}
