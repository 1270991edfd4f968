package server_test

import (
	"strings"
	"testing"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// The rows of hostile input that concern the framing within a body sent as chunks.

// wantChunksRefused sends each body to a handler that reads it, which fails, and to one
// that does not care, which the client must not notice otherwise than by the close.
func wantChunksRefused(t *testing.T, o server.Options, bodies map[string]string) {
	t.Helper()
	var cases []refusal
	for name, body := range bodies {
		cases = append(cases, refusal{name: name, input: chunked("/chunks", body), dispatched: "/chunks"})
	}
	wantRefused(t, o, cases)
	s := besiege(t, o, func(*server.Request) server.Response { return server.Text(200, "indifferent") })
	for name, body := range bodies {
		t.Run(name+", not read", func(t *testing.T) {
			for _, manner := range manners {
				p := s.dial(t)
				manner.send(p, chunked("/indifferent", body)+smuggled)
				p.wantLastAnswer("a handler that does not read the body answers, and nothing follows, sent "+manner.name, 200)
				s.wantDispatched(t, "nothing behind a malformed body is dispatched", "/indifferent")
			}
		})
	}
}

func TestHostile10BareLFInChunkFraming(t *testing.T) {
	t.Parallel()
	wantChunksRefused(t, server.Options{}, map[string]string{
		"after a size":            "5\nhello\r\n0\r\n\r\n",
		"after the last size":     "5\r\nhello\r\n0\n\r\n",
		"after data":              "5\r\nhello\n0\r\n\r\n",
		"in an extension":         "5;a\nhello\r\n0\r\n\r\n",
		"in an extension's value": "5;a=b\n\r\nhello\r\n0\r\n\r\n",
		"in a quoted extension":   "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
		"after a trailer":         "5\r\nhello\r\n0\r\nA: b\n\r\n",
		"for the last line":       "5\r\nhello\r\n0\r\n\n",
		"CR for it after a size":  "5\rhello\r\n0\r\n\r\n",
		"CR in an extension":      "5;a\rb\r\nhello\r\n0\r\n\r\n",
	})
}

func TestHostile11ControlsInChunkExtensions(t *testing.T) {
	t.Parallel()
	wantChunksRefused(t, server.Options{}, map[string]string{
		"NUL":        "5;a\x00\r\nhello\r\n0\r\n\r\n",
		"quoted NUL": "5;a=\"\x00\"\r\nhello\r\n0\r\n\r\n",
		"escape":     "5;a=\x1b\r\nhello\r\n0\r\n\r\n",
		"DEL":        "5;a=\"\x7f\"\r\nhello\r\n0\r\n\r\n",
		"last chunk": "5\r\nhello\r\n0;\x01\r\n\r\n",
		"quoted CR":  "5;a=\"\r\"\r\nhello\r\n0\r\n\r\n",
	})
}

func TestHostile12ChunkSizes(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{}
	for _, size := range []string{"8000000000000000", "ffffffffffffffff", "10000000000000005", strings.Repeat("f", 40),
		"-5", "+5", "0x5", "1_0", "", " 5", "\t5", "5 5", "5x", "g", ";a", "\u0665"} {
		bodies["size "+size] = size + "\r\nhello\r\n0\r\n\r\n"
	}
	wantChunksRefused(t, server.Options{}, bodies)
}

// Row 12, the other half: what a client declares costs nothing.
func TestHostile12DeclaredSizesCostNothing(t *testing.T) {
	s := besiege(t, server.Options{BodyLimit: -1}, func(r *server.Request) server.Response {
		return server.Later(pipeline.Map(pipeline.Collect(r.Body, 1<<62), func([]byte) (server.Response, error) {
			return server.Text(200, "never"), nil
		}))
	})
	s.wantBystanderServed(t, "before")
	before := heapInUse()
	for range 100 {
		s.dial(t).send(chunked("/x", "7fffffffffffffff\r\nhello"))
		s.dial(t).send(post("/x", "Content-Length: 9223372036854775807", "hello"))
	}
	s.await(t, "all of them are dispatched", func() bool { return len(s.dispatched) == 200 }, s.state)
	s.wantBystanderServed(t, "while others declare sizes without end")
	wantHeapGrowth(t, "200 declared sizes without end cost nothing", before, 16<<20)
}

// A declared length over the body's limit fails before anything of it came; without a
// declaration the limit counts what comes.
func TestHostile12BodiesOverTheirLimit(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{BodyLimit: 1000}, countBody)
	kilo := strings.Repeat("x", 1000)
	for name, input := range map[string]string{
		"declared": post("/x", "Content-Length: 1001", ""),
		"huge":     post("/x", "Content-Length: 9223372036854775807", "hello"),
		"chunked":  chunked("/x", "3e9\r\n"+kilo+"y\r\n0\r\n\r\n"),
		"endless":  chunked("/x", "7fffffffffffffff\r\n"+kilo+kilo),
	} {
		for _, manner := range manners {
			p := s.dial(t)
			manner.send(p, input+smuggled)
			p.wantLastAnswer("a body over its limit is too large: "+name+", sent "+manner.name, 413)
			s.wantDispatched(t, "nothing behind a body over its limit is dispatched", "/x")
		}
	}
	p := s.dial(t)
	p.send(chunked("/x", "3e8\r\n"+kilo+"\r\n0\r\n\r\n") + post("/y", "Content-Length: 1000", kilo))
	p.wantSaid("a chunked body at its limit is read", "/x", 1000)
	p.wantSaid("a declared body at its limit is read", "/y", 1000)
}

func TestHostile13NoCRLFAfterChunkData(t *testing.T) {
	t.Parallel()
	wantChunksRefused(t, server.Options{}, map[string]string{
		"longer":  "3\r\nabcX\r\n0\r\n\r\n",
		"missing": "3\r\nabc0\r\n\r\n",
		"CR only": "3\r\nabc\rX0\r\n\r\n",
		"space":   "3\r\nabc \r\n0\r\n\r\n",
	})
}

func TestHostile14ChunkOverhead(t *testing.T) {
	t.Parallel()
	wantChunksRefused(t, server.Options{HeadLimits: parser.Limits{ChunkOverhead: 256}}, map[string]string{
		"long extension":   "5;" + strings.Repeat("a", 300) + "\r\nhello\r\n0\r\n\r\n",
		"long size":        strings.Repeat("0", 300) + "5\r\nhello\r\n0\r\n\r\n",
		"many extensions":  strings.Repeat("1;abcdef\r\nx\r\n", 100) + "0\r\n\r\n",
		"one-byte chunks":  strings.Repeat("1\r\nx\r\n", 300) + "0\r\n\r\n",
		"space at a size":  "5" + strings.Repeat(" ", 300) + "\r\nhello\r\n0\r\n\r\n",
		"quoted extension": "5;a=\"" + strings.Repeat(";", 300) + "\"\r\nhello\r\n0\r\n\r\n",
	})
}

// Framing without end meets the cap, is answered, and then cut off: however much is sent
// behind it, the client is rid of within LingerLimit.
func TestHostile14EndlessChunkFraming(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, countBody)
	for name, piece := range map[string]string{
		"extension":       strings.Repeat("a", 1<<10),
		"one-byte chunks": strings.Repeat("1\r\nx\r\n", 200),
	} {
		p := s.dial(t)
		start := map[string]string{"extension": "5;"}[name]
		p.send(chunked("/x", start))
		taken := make(chan int64)
		go func() { taken <- p.sendEndlessly(piece) }()
		a := p.wantAnswer("endless framing is refused: "+name, 400)
		if !a.close {
			t.Errorf("the answer to endless framing says Connection: close: %s", name)
		}
		s.wantBystanderServed(t, "while the framing does not end")
		p.wantNothingMore("behind the refusal of endless framing comes nothing: " + name)
		t.Logf("%s: %d bytes were taken", name, <-taken)
		p.close()
		s.wantDispatched(t, "nothing of the framing is dispatched", "/x")
	}
}

// Row 15: what a trailer section must not say is dropped; the rest does not mix with the
// head's fields.
func TestHostile15Trailers(t *testing.T) {
	t.Parallel()
	s := besiege(t, server.Options{}, sayFields)
	for _, manner := range manners {
		p := s.dial(t)
		manner.send(p, chunked("/x", "5\r\nhello\r\n0\r\nContent-Length: 100\r\nHost: evil\r\nA: trailer\r\n"+
			"Transfer-Encoding: chunked\r\nAuthorization: Basic x\r\nCookie: a=b\r\ncontent-type: text/html\r\n"+
			"X-Forwarded-For: 1.2.3.4\r\nConnection: close\r\n\r\n")+get("/behind"))
		a := p.wantAnswer("a request with trailers is answered, sent "+manner.name, 200)
		if want := "head: Host=h Transfer-Encoding=chunked; trailers: A=trailer; host: h"; a.body != want {
			t.Errorf("forbidden trailers are dropped and none is merged, sent %s: there are %q, want %q", manner.name, a.body, want)
		}
		p.wantAnswer("the request behind a trailer section is served", 200)
		s.wantDispatched(t, "both requests are dispatched", "/x", "/behind")
	}
}

// sayFields is a handler that says what fields there are once the body was read.
func sayFields(r *server.Request) server.Response {
	var said strings.Builder
	said.WriteString("head:")
	sayAll(&said, r.Fields())
	return server.Later(pipeline.Map(pipeline.Collect(r.Body, 1<<20), func([]byte) (server.Response, error) {
		said.WriteString("; trailers:")
		sayAll(&said, r.Trailers())
		said.WriteString("; host: " + r.Host())
		return server.Text(200, said.String()), nil
	}))
}

func sayAll(b *strings.Builder, fields *parser.Fields) {
	for name, value := range fields.All() {
		b.WriteString(" " + name + "=" + value)
	}
}

// Trailers count against the limits of the head.
func TestHostile15TrailersOverTheLimit(t *testing.T) {
	t.Parallel()
	o := server.Options{HeadLimits: parser.Limits{Head: 256, Fields: 5}}
	body := func(trailers string) string { return chunked("/x", "5\r\nhello\r\n0\r\n"+trailers+"\r\n") }
	wantRefused(t, o, []refusal{
		{name: "bytes", input: body("A: " + strings.Repeat("x", 250) + "\r\n"), status: 431, dispatched: "/x"},
		{name: "dropped bytes", input: body("Cookie: " + strings.Repeat("x", 250) + "\r\n"), status: 431, dispatched: "/x"},
		{name: "endless", input: chunked("/x", "0\r\nA: "+strings.Repeat("x", 1000)), status: 431, dispatched: "/x"},
		{name: "lines", input: body(strings.Repeat("A: b\r\n", 4)), status: 431, dispatched: "/x"},
		{name: "dropped lines", input: body(strings.Repeat("TE: x\r\n", 4)), status: 431, dispatched: "/x"},
		{name: "malformed", input: body("A : b\r\n"), dispatched: "/x"},
		{name: "folded", input: body("A: b\r\n c\r\n"), dispatched: "/x"},
	})
}
