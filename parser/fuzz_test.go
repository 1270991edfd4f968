package parser

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// smallLimits make short streams reach every limit.
var smallLimits = Limits{Target: 40, Head: 300, Fields: 6, ChunkOverhead: 40}

// goldenStreams adds the stream of every golden case of a kind to a corpus.
func goldenStreams(f *testing.F, kind string, add func(stream []byte)) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for i, part := range strings.Split(string(content), "```") {
			if label, body, _ := strings.Cut(part, "\n"); i%2 == 1 && strings.HasPrefix(label, kind) {
				add(unescape(f, body))
			}
		}
	}
}

// cutAnyhow checks that a stream that comes whole, a byte at a time, and in pieces drawn
// from seed gives the same events.
func (s session) cutAnyhow(t *testing.T, stream []byte, seed uint64) string {
	t.Helper()
	text, _ := s.transcript(t, stream)
	random := rand.New(rand.NewPCG(seed, 0))
	pieces, bytewise := []int{}, []int{}
	for i := range stream {
		bytewise = append(bytewise, i)
		if random.IntN(8) == 0 {
			pieces = append(pieces, i)
		}
	}
	for _, cuts := range [][]int{bytewise, pieces} {
		for _, s.suspend = range []bool{false, true} {
			if got, _ := s.transcript(t, stream, cuts...); got != text {
				t.Fatalf("%q cut at %v, suspended there %t, gives\n%s\nbut whole\n%s", stream, cuts, s.suspend, got, text)
			}
		}
	}
	return text
}

func FuzzRequest(f *testing.F) {
	goldenStreams(f, "request", func(stream []byte) { f.Add(stream, uint64(1), false) })
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, small bool) {
		s := session{kind: Request, eof: true}
		if small {
			s.limits = &smallLimits
		}
		s.cutAnyhow(t, stream, seed)
	})
}

func FuzzResponse(f *testing.F) {
	methods := []string{"GET", "HEAD", "CONNECT"}
	goldenStreams(f, "response", func(stream []byte) {
		for i := range methods {
			f.Add(stream, uint64(1), byte(i), false)
		}
	})
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, method byte, small bool) {
		s := session{kind: Response, answerTo: methods[int(method)%len(methods)], eof: true}
		if small {
			s.limits = &smallLimits
		}
		s.cutAnyhow(t, stream, seed)
	})
}

// FuzzChunked holds the chunked decoder against that of net/http: what is taken here,
// is there too, with the same data and the same bytes left over.
func FuzzChunked(f *testing.F) {
	head := chunked("")
	goldenStreams(f, "request", func(stream []byte) {
		if body, found := bytes.CutPrefix(stream, []byte(head)); found {
			f.Add(body, uint64(1))
		}
	})
	f.Fuzz(func(t *testing.T, body []byte, seed uint64) {
		stream := append([]byte(head), body...)
		session{kind: Request, eof: true}.cutAnyhow(t, stream, seed)
		s := session{kind: Request, messages: 1}
		text, rest := s.transcript(t, stream)
		if !strings.HasSuffix(text, " end\n") {
			return
		}
		data, after := decodeChunked(t, stream)
		theirs, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(body)))
		sameContent(t, body, data, theirs, err)
		if !bytes.Equal(rest, after) || !bytes.HasSuffix(body, rest) {
			t.Fatalf("Behind the body %q, %q is left over, then %q.", body, rest, after)
		}
	})
}

// decodeChunked returns the content of the first message of a stream and what follows it.
func decodeChunked(t *testing.T, stream []byte) (data, rest []byte) {
	t.Helper()
	p := newParser(Request)
	p.Feed(stream)
	for {
		event, err := p.Next()
		if err != nil || event == NeedData {
			t.Fatalf("%q gives event %d, %v; it was taken a moment ago.", stream, event, err)
		}
		if event == End {
			return data, p.Rest()
		}
		data = append(data, p.Data()...)
	}
}
