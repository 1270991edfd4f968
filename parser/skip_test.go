package parser

import (
	"io"
	"testing"
)

func TestSkip(t *testing.T) {
	p := newParser(Response)
	p.Feed([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"))
	expect := func(want Event) {
		t.Helper()
		if got, err := p.Next(); got != want || err != nil {
			t.Fatalf("The parser gives event %d, %v; event %d was expected.", got, err, want)
		}
	}
	remaining := func(want int64) {
		t.Helper()
		if got := p.Remaining(); got != want {
			t.Fatalf("%d bytes can be skipped; %d were expected.", got, want)
		}
	}
	remaining(0) // no head yet
	expect(HeadReady)
	remaining(0) // two bytes were fed and are not consumed
	expect(BodyData)
	remaining(8)
	p.Skip(3)
	expect(NeedData)
	p.Feed([]byte("f"))
	remaining(0)
	expect(BodyData)
	p.Skip(4)
	expect(End)
	remaining(0)

	p.Restart()
	p.Feed([]byte("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"))
	expect(HeadReady)
	p.Skip(9)
	p.FeedEOF()
	remaining(0)
	if _, err := p.Next(); err == nil || err == io.EOF {
		t.Fatalf("A message that was cut after 9 of 10 bytes, all skipped, ends with %v.", err)
	}
}

func TestSkipOfWhatIsNotContent(t *testing.T) {
	for _, head := range []string{
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n",
	} {
		p := newParser(Response)
		p.Feed([]byte(head))
		if event, err := p.Next(); event != HeadReady {
			t.Fatalf("%q gives event %d, %v.", head, event, err)
		}
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Two bytes of content were skipped behind %q.", head)
				}
			}()
			p.Skip(2)
		}()
	}
}
