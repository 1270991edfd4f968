package server_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/server"
)

// The rows of hostile input that go beyond a limit in number or size.

// One connection too many is told so, even if it has sent its request already.
func TestHostileTooManyConnections(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{MaxConnections: 2}, countBody)
	s.wantBystanderServed(t, "before")
	p := s.dial(t)
	p.send(get("/x"))
	p.wantSaid("as many connections as are allowed are served", "/x", 0)
	for range 20 {
		late := s.dial(t)
		late.send(get("/late"))
		a := late.wantLastAnswer("one connection too many is told so", 503)
		if a.fields.Get("Retry-After") == "" {
			t.Errorf("who is one too many is told when to come again: %q", a.fields)
		}
		s.await(t, "it is counted as closed", func() bool { return len(s.closed) > 0 }, s.state)
		s.note(func() { s.closed = nil })
		s.wantBystanderServed(t, "after one connection too many")
	}
	p.close()
	s.wantClosed(t, "the client has left", 1, server.ReasonClientClosed)
	p = s.dial(t)
	p.send(get("/y"))
	p.wantSaid("when one has left there is room for another", "/y", 0)
	s.wantDispatched(t, "no request of those too many is dispatched", "/x", "/y")
}

// Row 33: a head is limited in bytes and in lines, and costs a small multiple of itself.
func TestHostile33HeadOverItsLimits(t *testing.T) {
	t.Parallel()
	wantRefused(t, server.Options{HeadLimits: parser.Limits{Head: 512, Fields: 8}}, []refusal{
		{name: "lines", input: withLine(strings.Repeat("A: b\r\n", 7) + "A: b"), status: 431},
		{name: "empty values", input: withLine(strings.Repeat("A:\r\n", 7) + "A:"), status: 431},
		{name: "bytes", input: withLine("A: " + strings.Repeat("x", 500)), status: 431},
		{name: "endless lines", input: "GET /x HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A:\r\n", 500), status: 431},
	})
	s := besiege(t, server.Options{}, countBody)
	for _, lines := range []string{strings.Repeat("A: b\r\n", 130), "A: " + strings.Repeat("x", 33<<10) + "\r\n"} {
		p := s.dial(t)
		p.send("GET /x HTTP/1.1\r\nHost: h\r\n" + lines + "\r\n" + smuggled)
		p.wantLastAnswer("heads are limited by default", 431)
	}
	s.wantDispatched(t, "no head over its limits is dispatched")
}

func TestHostile33HeadsCostWhatTheyAre(t *testing.T) {
	s := besiege(t, server.Options{}, countBody)
	s.wantBystanderServed(t, "before")
	before := heapInUse()
	const clients = 200
	head := "GET /x HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A:\r\n", 100) + "B: " + strings.Repeat("x", 30<<10)
	var peers []*peer
	for range clients {
		p := s.dial(t)
		p.send(head)
		peers = append(peers, p)
	}
	s.wantBystanderServed(t, "beside large heads")
	wantHeapGrowth(t, "heads that are not whole cost a small multiple of themselves", before, int64(3*clients*len(head))+4<<20)
	for i, p := range peers {
		p.send("\r\n\r\n")
		p.wantSaid("head "+strconv.Itoa(i)+" is whole at last", "/x", 0)
	}
}

// collidingNames are 2^bits names that many hash functions take for the same.
func collidingNames(bits int) []string {
	names := []string{""}
	for range bits {
		var longer []string
		for _, name := range names {
			longer = append(longer, name+"Aa", name+"BB")
		}
		names = longer
	}
	return names
}

func headOfCollidingNames(bits int) string {
	return withLine(strings.Join(collidingNames(bits), ": x\r\n") + ": last")
}

// collidingOptions are limits within which there is room for many names.
var collidingOptions = server.Options{HeadLimits: parser.Limits{Head: 1 << 20, Fields: 10_000}}

// Row 34, as far as it is no measurement; see BenchmarkCollidingNames.
func TestHostile34CollidingNames(t *testing.T) {
	t.Parallel()
	last := strings.Repeat("BB", 13)
	s := besiege(t, collidingOptions, func(r *server.Request) server.Response { return server.Text(200, r.Field(last)) })
	p := s.dial(t)
	p.send(headOfCollidingNames(13))
	s.wantBystanderServed(t, "beside thousands of names")
	if a := p.wantAnswer("thousands of names are read", 200); a.body != "last" {
		t.Errorf("the last of thousands of names is found, not %q", a.body)
	}
	limited := besiege(t, server.Options{}, countBody)
	p = limited.dial(t)
	p.send(headOfCollidingNames(8))
	p.wantLastAnswer("thousands of names are refused by default", 431)
}

// Row 34 of the hostile input as a measurement: the time for each name must not grow with
// the number of names.
func BenchmarkCollidingNames(b *testing.B) {
	for _, bits := range []int{8, 10, 12, 13} {
		b.Run(fmt.Sprint(1<<bits), func(b *testing.B) {
			s := besiege(b, collidingOptions, func(*server.Request) server.Response { return server.Empty(204) })
			p := s.dial(b)
			head := headOfCollidingNames(bits)
			for b.Loop() {
				p.send(head)
				p.wantAnswer("many names are read", 204)
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(int(1)<<bits), "ns/name")
		})
	}
}
