package parser

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestWithDefaults(t *testing.T) {
	want := Limits{Target: 8192, Head: 32768, Fields: 128, ChunkOverhead: 16384}
	if got := (Limits{Head: -1}).WithDefaults(); got != want {
		t.Errorf("Unset limits become %+v; the documented defaults are %+v.", got, want)
	}
	own := Limits{Target: 1, Head: 2, Fields: 3, ChunkOverhead: 4}
	if got := own.WithDefaults(); got != own {
		t.Errorf("The limits %+v become %+v; what is set must stay.", own, got)
	}
	if got := (Limits{Head: math.MaxInt}).WithDefaults().Head; got != 1<<30 {
		t.Errorf("The largest head limit becomes %d; 1 GiB was expected, so that offsets fit 32 bits.", got)
	}
}

func TestInitSharesResolvedLimits(t *testing.T) {
	limits := Limits{}.WithDefaults()
	var p Parser
	if p.Init(Request, &limits); p.limits != &limits {
		t.Errorf("Init copied resolved limits; they are shared by all parsers.")
	}
	unresolved := Limits{Fields: 1}
	if p.Init(Request, &unresolved); p.limits.Head != defaultHead || p.limits.Fields != 1 || unresolved.Head != 0 {
		t.Errorf("Init made %+v of %+v; a resolved copy was expected.", *p.limits, unresolved)
	}
}

// outcome returns the status that a stream is refused with in every cut, or 0.
func statusOf(t *testing.T, limits Limits, stream string) int {
	t.Helper()
	text, _ := session{limits: &limits}.everyCut(t, []byte(stream))
	var status int
	if _, after, found := strings.Cut(text, "error "); found {
		if _, err := fmt.Sscan(after, &status); err != nil {
			t.Fatalf("The transcript %q has no status: %v.", text, err)
		}
	}
	return status
}

func TestHostileRow19Target(t *testing.T) {
	for _, c := range []struct {
		target string
		status int
	}{
		{"/" + strings.Repeat("a", 39), 0},
		{"/" + strings.Repeat("a", 40), 414},
		{"/" + strings.Repeat("a", 500), 414},
		{"/" + strings.Repeat("a", 39) + "\x01", 414},
		{"/" + strings.Repeat("a", 38) + "\x01", 400},
	} {
		stream := "GET " + c.target + " HTTP/1.1\r\nHost: a\r\n\r\n"
		if got := statusOf(t, Limits{Target: 40, Head: 400}, stream); got != c.status {
			t.Errorf("A target of %d bytes where 40 are allowed gives status %d; %d was expected.", len(c.target), got, c.status)
		}
	}
	stream := "GET /" + strings.Repeat("a", 100)
	if got := statusOf(t, Limits{Target: 400, Head: 40}, stream); got != 414 {
		t.Errorf("A target that breaks the limit of the head gives status %d; 414 was expected.", got)
	}
}

func TestHostileRow33Head(t *testing.T) {
	head := get("A: b\r\n\r\n")
	if got := statusOf(t, Limits{Head: len(head)}, head); got != 0 {
		t.Errorf("A head of exactly the limit is refused with %d; it must be taken.", got)
	}
	for _, stream := range []string{
		head,
		get("A: " + strings.Repeat("b", 100)),
		get(strings.Repeat("a", 100)),
		get(strings.Repeat("a:b\r\n", 20)),
		strings.Repeat("M", 100),
	} {
		if got := statusOf(t, Limits{Head: len(head) - 1}, stream); got != 431 {
			t.Errorf("%q gives status %d where %d bytes are allowed; 431 was expected.", stream, got, len(head)-1)
		}
	}
	if got := statusOf(t, Limits{Head: len(head)}, "\r\n\r\n"+head); got != 0 {
		t.Errorf("Empty lines before a head of exactly the limit give status %d; they do not count.", got)
	}
}

func TestHostileRow33Fields(t *testing.T) {
	if got := statusOf(t, Limits{Fields: 3}, get("A: b\r\nC: d\r\n\r\n")); got != 0 {
		t.Errorf("Three fields are refused with %d where three are allowed.", got)
	}
	if got := statusOf(t, Limits{Fields: 3}, get("A: b\r\nC: d\r\nE: f\r\n\r\n")); got != 431 {
		t.Errorf("Four fields give status %d where three are allowed; 431 was expected.", got)
	}
}

func TestHostileRow15Limits(t *testing.T) {
	head, trailers := chunked(""), "Host: b\r\nC: d\r\n"
	stream := head + "0\r\n" + trailers + "\r\n"
	if got := statusOf(t, Limits{Fields: 4}, stream); got != 0 {
		t.Errorf("Two fields and two trailers are refused with %d where four are allowed.", got)
	}
	if got := statusOf(t, Limits{Fields: 3}, stream); got != 431 {
		t.Errorf("Two fields and two trailers, one of them dropped, give status %d where three are allowed; 431 was expected.", got)
	}
	if got := statusOf(t, Limits{Head: len(head) + len(trailers)}, stream); got != 0 {
		t.Errorf("A head and trailers of exactly the limit are refused with %d.", got)
	}
	if got := statusOf(t, Limits{Head: len(head) + len(trailers) - 1}, stream); got != 431 {
		t.Errorf("A head and trailers of one byte over the limit give status %d; 431 was expected.", got)
	}
	if got := statusOf(t, Limits{Head: len(head)}, head+"0\r\n\r\n"); got != 0 {
		t.Errorf("A head of exactly the limit and no trailers are refused with %d.", got)
	}
}

func TestHostileRow14(t *testing.T) {
	limits := Limits{ChunkOverhead: 40}
	extension := func(n int) string { return "1;" + strings.Repeat("x", n) + "\r\na\r\n0\r\n\r\n" }
	for _, c := range []struct {
		what   string
		body   string
		status int
	}{
		{"an extension within the limit", extension(35), 0},
		{"an extension beyond the limit", extension(100), 400},
		{"leading zeros without end", strings.Repeat("0", 1000), 400},
		{"white space without end", "1" + strings.Repeat(" ", 1000), 400},
		{"a few chunks of 1 byte", strings.Repeat("1\r\na\r\n", 37) + "0\r\n\r\n", 0},
		{"chunks of 1 byte without end", strings.Repeat("1\r\na\r\n", 100), 400},
		{"two bodies within the limit", extension(35) + chunked(extension(35)), 0},
		{"chunks of 2 bytes without end", strings.Repeat("2\r\naa\r\n", 100) + "0\r\n\r\n", 0},
	} {
		if got := statusOf(t, limits, chunked(c.body)); got != c.status {
			t.Errorf("With %s the status is %d where %d bytes of overhead are allowed; %d was expected.", c.what, got, limits.ChunkOverhead, c.status)
		}
	}
}

// Row 12: a declared size allocates nothing.
func TestHostileRow12Memory(t *testing.T) {
	for _, stream := range []string{
		post("Content-Length: 9223372036854775807\r\n", "hello"),
		chunked("7fffffffffffffff\r\nhello"),
	} {
		data := []byte(stream)
		var p Parser
		p.Init(Request, nil)
		allocations := testing.AllocsPerRun(100, func() {
			p.Feed(data)
			for event := HeadReady; event != NeedData; {
				var err error
				if event, err = p.Next(); err != nil {
					t.Fatalf("%q is refused: %v.", stream, err)
				}
			}
			p.Release()
		})
		if allocations > 1 {
			t.Errorf("%q takes %v allocations; one was expected, for the head.", stream, allocations)
		}
	}
}

// Rows 29 and 33: a head that comes a byte at a time is looked at once and buffered
// within its limit.
func TestBytewiseHeadIsLinear(t *testing.T) {
	const limit = 16 << 10
	limits := Limits{Head: limit, Target: limit, Fields: limit}.WithDefaults()
	for _, stream := range []string{
		"GET /" + strings.Repeat("a", limit),
		"GET / HTTP/1.1\r\nA: " + strings.Repeat("b", limit),
		"GET / HTTP/1.1\r\nA: " + strings.Repeat(" ", limit),
		"GET / HTTP/1.1\r\nA: " + strings.Repeat("\t", limit),
		"GET / HTTP/1.1\r\n" + strings.Repeat("a", limit),
		"GET / HTTP/1.1\r\n" + strings.Repeat("a:\r\n", limit),
	} {
		var p Parser
		p.Init(Request, &limits)
		inspected, largest, err := 0, 0, error(nil)
		for i := 0; i < len(stream) && err == nil; i++ {
			before := p.position
			p.Feed([]byte(stream[i : i+1]))
			_, err = p.Next()
			if err == nil {
				inspected += len(p.buffer.B) - before
				largest = max(largest, len(p.buffer.B))
			}
		}
		var refused *Error
		if !errors.As(err, &refused) || refused.Offset() != limit {
			t.Fatalf("%.30q is not refused at the limit of %d bytes but: %v.", stream, limit, err)
		}
		if inspected > largest {
			t.Errorf("%.30q: %d bytes were inspected for %d that came; each must be inspected once.", stream, inspected, largest)
		}
		if largest > limit {
			t.Errorf("%.30q: %d bytes were buffered; the limit is %d.", stream, largest, limit)
		}
		if p.buffer != nil {
			t.Errorf("%.30q: the buffer is kept after the error; it must go back to the pool.", stream)
		}
	}
}

// Row 34: nothing hashes names, and nothing compares them with each other.
func TestHostileRow34(t *testing.T) {
	const many = 10_000
	limits := Limits{Head: 1 << 20, Fields: many + 1}.WithDefaults()
	stream := []byte(get(strings.Repeat("Cookie-Collision: x\r\n", many) + "\r\n"))
	var p Parser
	p.Init(Request, &limits)
	p.Feed(stream)
	if event, err := p.Next(); event != HeadReady || err != nil {
		t.Fatalf("A head of %d fields of one name gives event %d, %v; HeadReady was expected.", many, event, err)
	}
	if p.Head().Fields.Len() != many+1 || p.position != len(stream) {
		t.Errorf("Of %d fields in %d bytes, %d were found and %d bytes inspected.", many+1, len(stream), p.Head().Fields.Len(), p.position)
	}
	if p.Release(); cap(p.head.Fields.spans) > fieldsKept {
		t.Errorf("After Release, room for %d fields is kept; %d are enough.", cap(p.head.Fields.spans), fieldsKept)
	}
}
