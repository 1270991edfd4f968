package parser

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// want calls Next and checks what it returns.
func want(t *testing.T, p *Parser, event Event, why string) {
	t.Helper()
	if got, err := p.Next(); got != event || err != nil {
		t.Fatalf("Next returned event %d, %v instead of %d: %s.", got, err, event, why)
	}
}

func newParser(kind Kind) *Parser {
	p := new(Parser)
	p.Init(kind, nil)
	return p
}

func TestEndStaysUntilRestart(t *testing.T) {
	p := newParser(Request)
	p.Feed([]byte(get("\r\n") + "BAD"))
	want(t, p, HeadReady, "the first request is whole")
	want(t, p, End, "it has no content")
	want(t, p, End, "what was not asked for is not parsed")
	if got := string(p.Rest()); got != "BAD" {
		t.Errorf("After End, Rest returns %q; the bytes behind the message were expected.", got)
	}
	p.Restart()
	want(t, p, NeedData, "the next request has only begun")
	if got := len(p.Rest()); got != 0 {
		t.Errorf("After NeedData, Rest returns %d bytes; all are consumed.", got)
	}
}

func TestRestartBeforeEndPanics(t *testing.T) {
	p := newParser(Request)
	defer func() {
		if recover() == nil {
			t.Errorf("Restart before End did not panic; it would lose the framing of the connection.")
		}
	}()
	p.Restart()
}

func TestStarted(t *testing.T) {
	p := newParser(Request)
	for _, step := range []struct {
		feed    string
		started bool
	}{{"", false}, {"\r\n", false}, {"\r", false}, {"\n", false}, {"G", true}, {"ET / HTTP/1.1\r\nHost: a\r\n\r", true}} {
		p.Feed([]byte(step.feed))
		want(t, p, NeedData, "the head is not complete")
		if p.Started() != step.started {
			t.Errorf("After %q, Started is %v; empty lines do not start a message, and anything else does.", step.feed, p.Started())
		}
	}
	p.Feed([]byte("\n"))
	want(t, p, HeadReady, "the head is complete")
	want(t, p, End, "it has no content")
	if p.Restart(); p.Started() {
		t.Errorf("Started is true after Restart; no byte of the next message has come.")
	}
}

func TestIdle(t *testing.T) {
	p := newParser(Request)
	for _, step := range []struct {
		feed string
		idle bool
	}{{"", true}, {"\r", false}, {"\n", false}, {"G", false}, {"ET / HTTP/1.1\r\nHost: a\r\n\r", false}} {
		p.Feed([]byte(step.feed))
		want(t, p, NeedData, "the head is not complete")
		if p.Idle() != step.idle {
			t.Errorf("After %q, Idle is %v; nothing may have been looked at, not even of an empty line.", step.feed, p.Idle())
		}
	}
	p.Feed([]byte("\n"))
	want(t, p, HeadReady, "the head is complete")
	want(t, p, End, "it has no content")
	if p.Idle() {
		t.Errorf("Idle is true before Restart; the message is still being looked at.")
	}
	if p.Restart(); !p.Idle() {
		t.Errorf("Idle is false after Restart; nothing of the next message has come.")
	}
}

func TestDataIsLentFromInput(t *testing.T) {
	p := newParser(Request)
	input := []byte(post("Content-Length: 5\r\n", "hello"))
	p.Feed(input)
	want(t, p, HeadReady, "the head is whole")
	if p.Data() != nil {
		t.Errorf("Data returns %q after HeadReady; it has something after BodyData only.", p.Data())
	}
	want(t, p, BodyData, "the content is there")
	data := p.Data()
	if &data[0] != &input[len(input)-5] || len(data) != 5 || cap(data) != 5 {
		t.Errorf("Data returned a copy, or more than the content: %q of capacity %d.", data, cap(data))
	}
	want(t, p, End, "the content is complete")
	if p.Data() != nil {
		t.Errorf("Data returns %q after End; it has something after BodyData only.", p.Data())
	}
}

func TestFeedReplacesRest(t *testing.T) {
	p := newParser(Request)
	input := []byte(post("Content-Length: 5\r\n", "hello"))
	p.Feed(input)
	want(t, p, HeadReady, "the head is whole")
	rest := slices.Clone(p.Rest())
	clear(input)
	p.Feed(rest)
	want(t, p, BodyData, "the rest was fed again")
	if got := string(p.Data()); got != "hello" {
		t.Errorf("After Feed with a copy of Rest, Data returns %q; the same content was expected.", got)
	}
}

func TestStringsOutliveTheParser(t *testing.T) {
	p := newParser(Request)
	input := []byte("GET /path HTTP/1.1\r\nHost: a\r\nName: value\r\n\r\n")
	p.Feed(input)
	want(t, p, HeadReady, "the head is whole")
	method, target, host := p.Head().Method, p.Head().Target, p.Head().Host
	name, value := p.Head().Fields.At(1)
	clear(input)
	p.Release()
	if got := strings.Join([]string{method, target, host, name, value}, " "); got != "GET /path a Name value" {
		t.Errorf("After its input was overwritten and the parser released, the head's strings are %q.", got)
	}
}

func TestEOFBetweenMessages(t *testing.T) {
	p := newParser(Request)
	p.Feed([]byte(get("\r\n\r\n")))
	p.FeedEOF()
	want(t, p, HeadReady, "the request is whole")
	want(t, p, End, "it has no content")
	p.Restart()
	for range 2 {
		if _, err := p.Next(); err != io.EOF {
			t.Fatalf("Between messages at the end Next returned %v; io.EOF was expected, each time.", err)
		}
	}
}

func TestEOFWithinMessage(t *testing.T) {
	for _, stream := range []string{"G", get(""), get("\r"), post("Content-Length: 5\r\n", "hell"), chunked("1"), chunked("0\r\n\r")} {
		p := newParser(Request)
		p.Feed([]byte(stream))
		p.FeedEOF()
		var err error
		for err == nil {
			_, err = p.Next()
		}
		var refused *Error
		if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &refused) {
			t.Errorf("%q and then the end gives %v; an Error that wraps io.ErrUnexpectedEOF was expected.", stream, err)
		} else if refused.Offset() != int64(len(stream)) {
			t.Errorf("%q and then the end is refused at byte %d; its length %d was expected.", stream, refused.Offset(), len(stream))
		}
	}
}

func TestRelease(t *testing.T) {
	limits := Limits{}.WithDefaults()
	p := new(Parser)
	p.Init(Response, &limits)
	for _, stream := range []string{"HTTP/1.1 20", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r", "X",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n"} {
		p.AnswerTo("HEAD")
		p.AnswerTo("GET")
		p.Feed([]byte(stream))
		for event := HeadReady; event != NeedData && event != End; {
			event, _ = p.Next()
		}
		p.Release()
		if p.Trailers().Len() != 0 || p.trailers.raw != "" {
			t.Errorf("After %q and Release the trailers are still there.", stream)
		}
		if p.buffer != nil || p.input != nil || p.err != nil || p.head.Fields.raw != "" || p.Started() || p.answered != answeredOther {
			t.Errorf("After %q and Release the parser still holds something of it.", stream)
		}
		if p.kind != Response || p.limits != &limits {
			t.Errorf("After Release the kind or the limits are gone; they must stay as Init set them.")
		}
	}
	p.Feed([]byte("HTTP/1.1 204 \r\n\r\n"))
	want(t, p, HeadReady, "a released parser starts afresh")
	want(t, p, End, "a 204 has no content")
}

func TestHeadHasNothingOfTheLast(t *testing.T) {
	p := newParser(Request)
	p.Feed([]byte("POST http://b/ HTTP/1.1\r\nHost: a\r\nConnection: close, upgrade\r\nExpect: 100-continue, x\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n0\r\nT: v\r\n\r\nGET / HTTP/1.0\r\n\r\n"))
	want(t, p, HeadReady, "the first head is whole")
	want(t, p, End, "its content is empty")
	if p.Trailers().Get("t") != "v" {
		t.Fatalf("The trailer T is missing at End.")
	}
	p.Restart()
	want(t, p, HeadReady, "the second head is whole")
	h := p.Head()
	if h.Method != "GET" || h.Target != "/" || h.Host != "" || h.Minor != 0 || h.ContentLength != -1 || h.Chunked ||
		h.KeepAlive || h.ExpectContinue || h.BadExpectation || h.Upgrade || h.Fields.Len() != 0 {
		t.Errorf("The second head is %+v; something of the first was left in it.", *h)
	}
	want(t, p, End, "the second request has no content")
	if p.Trailers().Len() != 0 {
		t.Errorf("The second request has %d trailers; they are the first's.", p.Trailers().Len())
	}
}

func TestErrorText(t *testing.T) {
	p := newParser(Request)
	p.Feed([]byte("GET / HTTP/1.1\r\nHost: a\r\nUser Agent: x\r\n\r\n"))
	_, err := p.Next()
	const text = "parser: byte 29 of the request: White space comes before the colon of a field line; the colon was expected right after the name."
	if err == nil || err.Error() != text {
		t.Errorf("The error reads %q; %q was expected.", err, text)
	}
}

func TestResponseErrorText(t *testing.T) {
	p := newParser(Response)
	p.Feed([]byte("X"))
	_, err := p.Next()
	if err == nil || !strings.HasPrefix(err.Error(), "parser: byte 0 of the response: ") {
		t.Errorf("The error reads %q; it must say that it is about a response.", err)
	}
}

func TestFaultTexts(t *testing.T) {
	for f, text := range faultTexts {
		if fault(f) == faultNone {
			continue
		}
		if text.status < 400 || !strings.HasSuffix(text.sentence, ".") {
			t.Errorf("Fault %d has the status %d and the sentence %q; an error status and a whole sentence were expected.", f, text.status, text.sentence)
		}
	}
}
