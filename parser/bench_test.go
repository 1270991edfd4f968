package parser_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/parser"
)

// browserHead is the request that benchmarks of HTTP parsers have used since
// picohttpparser's.
const browserHead = "GET /wp-content/uploads/2010/03/hello-kitty-darth-vader-pink.jpg HTTP/1.1\r\n" +
	"Host: www.kittyhell.com\r\n" +
	"User-Agent: Mozilla/5.0 (Macintosh; U; Intel Mac OS X 10.6; ja-JP-mac; rv:1.9.2.3) Gecko/20100401 Firefox/3.6.3 Pathtraq/0.9\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
	"Accept-Language: ja,en-us;q=0.7,en;q=0.3\r\n" +
	"Accept-Encoding: gzip,deflate\r\n" +
	"Accept-Charset: Shift_JIS,utf-8;q=0.7,*;q=0.7\r\n" +
	"Keep-Alive: 115\r\n" +
	"Connection: keep-alive\r\n" +
	"Cookie: wp_ozh_wsa_visits=2; wp_ozh_wsa_visit_lasttime=xxxxxxxxxx; " +
	"__utma=xxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.xxxxxxxxxx.x; " +
	"__utmz=xxxxxxxxx.xxxxxxxxxx.x.x.utmccn=(referral)|utmcsr=reader.livedoor.com|utmcct=/reader/|utmcmd=referral\r\n" +
	"\r\n"

const shortHead = "GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"

func TestHeadTakesOneAllocation(t *testing.T) {
	if len(browserHead) != 703 {
		t.Errorf("The browser's head has %d bytes; the well-known one has 703.", len(browserHead))
	}
	for _, head := range []string{browserHead, shortHead} {
		data := []byte(head)
		var p parser.Parser
		p.Init(parser.Request, nil)
		allocations := testing.AllocsPerRun(100, func() {
			p.Feed(data)
			for event := parser.NeedData; event != parser.End; {
				var err error
				if event, err = p.Next(); err != nil {
					t.Fatalf("%q was refused: %v.", head, err)
				}
			}
			p.Restart()
		})
		if allocations != 1 {
			t.Errorf("%q takes %v allocations; one was expected, the string of the head.", head, allocations)
		}
	}
}

// Heads that came together share their copy, and a string that is kept holds no more than
// a bounded part of it in memory.
func TestHeadsThatCameTogetherShareACopy(t *testing.T) {
	const heads = 64
	data := []byte(strings.Repeat(shortHead, heads))
	var p parser.Parser
	p.Init(parser.Request, nil)
	var targets []string
	read := func() {
		targets = targets[:0]
		p.Feed(data)
		for range heads {
			for event := parser.NeedData; event != parser.End; {
				var err error
				if event, err = p.Next(); err != nil {
					t.Fatalf("A head was refused: %v.", err)
				}
			}
			targets = append(targets, p.Head().Target+p.Head().Host)
			p.Restart()
		}
	}
	read()
	for _, target := range targets {
		if target != "/localhost:8080" {
			t.Fatalf("A head that shares its copy has target and host %q; %q was sent.", target, "/localhost:8080")
		}
	}
	const perTarget = 1 // for the sum of target and host, which this test makes
	allocations := testing.AllocsPerRun(100, read) - heads*perTarget
	if most := float64(heads*len(shortHead)/512 + 1); allocations > most {
		t.Errorf("%d heads in one piece take %v allocations; at most %v were expected.", heads, allocations, most)
	}
}

func BenchmarkBrowserHead(b *testing.B) { benchmarkHead(b, browserHead) }

func BenchmarkShortHead(b *testing.B) { benchmarkHead(b, shortHead) }

func benchmarkHead(b *testing.B, head string) {
	data := []byte(head)
	var p parser.Parser
	p.Init(parser.Request, nil)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		p.Feed(data)
		if event, err := p.Next(); event != parser.HeadReady || err != nil {
			b.Fatalf("The head was not recognized: event %d, %v.", event, err)
		}
		if event, err := p.Next(); event != parser.End || err != nil {
			b.Fatalf("The message did not end with its head: event %d, %v.", event, err)
		}
		p.Restart()
	}
}

// BenchmarkPipelinedHeads reads 16 short heads that came together. One operation is one
// head.
func BenchmarkPipelinedHeads(b *testing.B) {
	const heads = 16
	data := []byte(strings.Repeat(shortHead, heads))
	var p parser.Parser
	p.Init(parser.Request, nil)
	b.SetBytes(int64(len(shortHead)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%heads == 0 {
			p.Feed(data)
		}
		if event, err := p.Next(); event != parser.HeadReady || err != nil {
			b.Fatalf("The head was not recognized: event %d, %v.", event, err)
		}
		if event, err := p.Next(); event != parser.End || err != nil {
			b.Fatalf("The message did not end with its head: event %d, %v.", event, err)
		}
		p.Restart()
	}
}

// BenchmarkNetHTTP reads the same head with net/http, for scale.
func BenchmarkNetHTTP(b *testing.B) {
	for name, head := range map[string]string{"Browser": browserHead, "Short": shortHead} {
		b.Run(name, func(b *testing.B) {
			source := strings.NewReader(head)
			reader := bufio.NewReader(source)
			b.SetBytes(int64(len(head)))
			b.ReportAllocs()
			for b.Loop() {
				source.Reset(head)
				reader.Reset(source)
				if _, err := http.ReadRequest(reader); err != nil {
					b.Fatalf("net/http refused the head: %v.", err)
				}
			}
		})
	}
}

// BenchmarkBytewiseHead feeds the browser's head a byte at a time.
func BenchmarkBytewiseHead(b *testing.B) {
	data := []byte(browserHead)
	var p parser.Parser
	p.Init(parser.Request, nil)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		event := parser.NeedData
		for i := range data {
			p.Feed(data[i : i+1])
			event, _ = p.Next()
		}
		if event != parser.HeadReady {
			b.Fatalf("The head was not complete with its last byte: event %d.", event)
		}
		if event, err := p.Next(); event != parser.End || err != nil {
			b.Fatalf("The message did not end with its head: event %d, %v.", event, err)
		}
		p.Restart()
	}
}

// BenchmarkChunkedBody reads a body of 64 chunks of 1 KiB.
func BenchmarkChunkedBody(b *testing.B) {
	chunk := "400\r\n" + strings.Repeat("x", 1024) + "\r\n"
	data := []byte("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
		strings.Repeat(chunk, 64) + "0\r\n\r\n")
	var p parser.Parser
	p.Init(parser.Request, nil)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		p.Feed(data)
		event := parser.NeedData
		for event != parser.End {
			var err error
			if event, err = p.Next(); err != nil {
				b.Fatalf("The body was refused: %v.", err)
			}
		}
		p.Restart()
	}
}
