package parser

import (
	"testing"
	"unsafe"
)

// That a suspended message goes on as if it had not been, for every stream there is, is
// held by the golden files and the fuzz targets: see session.suspend.

func TestSuspendOnlyInContent(t *testing.T) {
	p := newParser(Response)
	expect := func(want bool, where string) {
		t.Helper()
		if _, ok := p.Suspend(); ok != want {
			t.Errorf("Suspend says %t %s; %t was expected.", ok, where, want)
		}
	}
	expect(false, "before the message")
	p.Feed([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"))
	want(t, p, NeedData, "the head is not complete")
	expect(false, "within the head")
	p.Feed([]byte("\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n"))
	want(t, p, HeadReady, "the head is complete")
	expect(false, "before bytes that were fed")
	rest := p.Rest()
	p.Feed(rest[:4])
	want(t, p, BodyData, "a chunk has come in part")
	want(t, p, NeedData, "no more of it has")
	expect(true, "within a chunk")
	p.Feed(rest[4:14])
	want(t, p, BodyData, "the chunk is complete")
	want(t, p, NeedData, "the trailer section is not complete")
	expect(false, "within the trailer section")
	p.Feed(rest[14:])
	want(t, p, End, "all has come")
	expect(false, "at the end")
}

func TestResumeNeedsAPlace(t *testing.T) {
	used := newParser(Response)
	used.Feed([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	want(t, used, HeadReady, "the head is complete")
	want(t, used, NeedData, "the content has not begun")
	place, ok := used.Suspend()
	if !ok {
		t.Fatal("A response that ends with its connection could not be suspended behind its head.")
	}
	for name, resume := range map[string]func(){
		"at no place":             func() { newParser(Response).Resume(Suspended{}) },
		"by a parser that is not": func() { used.Resume(place) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("A message was resumed %s as after Init.", name)
				}
			}()
			resume()
		}()
	}
}

// TestSuspendedIsSmall: it is what is left of a parser for each stream that waits.
func TestSuspendedIsSmall(t *testing.T) {
	const bound = 40
	if size := unsafe.Sizeof(Suspended{}); size > bound {
		t.Errorf("A suspended message takes %d bytes; %d are the bound.", size, bound)
	}
}
