package parser

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// A session is how a test has a parser read a stream of messages.
type session struct {
	kind     Kind
	limits   *Limits
	answerTo string // of every response
	eof      bool   // FeedEOF after the last byte
	messages int    // stop at the End of so many messages, 0: do not stop
	suspend  bool   // whenever there is no more data, if it can be
}

// A recorder writes down what a parser says, with positions that count from the first
// byte of the stream, and the data of a body in one piece.
type recorder struct {
	session
	parser Parser
	text   strings.Builder
	fed    int // bytes of the stream given to Feed
	data   []byte
	begin  int // of data
	ended  int // messages
	rest   []byte
}

// transcript returns what a parser says about stream when it is fed up to each of cuts,
// which ascend, and then the remainder. rest is what it had not consumed when it stopped
// at the End of the last message that the session asks for.
func (s session) transcript(t testing.TB, stream []byte, cuts ...int) (text string, rest []byte) {
	t.Helper()
	r := recorder{session: s}
	r.parser.Init(s.kind, s.limits)
	defer r.parser.Release()
	r.parser.AnswerTo(s.answerTo)
	from := 0
	for _, to := range append(cuts, len(stream)) {
		// A slice of its own, without room at its end: reading too far panics.
		piece := append(make([]byte, 0, to-from), stream[from:to]...)[: to-from : to-from]
		r.parser.Feed(piece)
		r.fed = to
		more := r.record(t)
		if !more {
			return r.text.String(), append(r.rest, stream[to:]...)
		}
		if len(r.parser.Rest()) > 0 {
			t.Fatalf("Next asked for data with %d bytes not consumed; NeedData means that all are.", len(r.parser.Rest()))
		}
		// What was lent is the caller's again.
		for i := range piece {
			piece[i] = '!'
		}
		from = to
	}
	if s.eof {
		r.parser.FeedEOF()
		r.record(t)
	}
	return r.text.String(), r.rest
}

// record writes events down until the parser needs more, and reports whether it does.
func (r *recorder) record(t testing.TB) bool {
	t.Helper()
	for {
		event, err := r.parser.Next()
		at := r.fed - len(r.parser.Rest())
		if err != nil {
			r.error(t, err)
			return false
		}
		switch event {
		case NeedData:
			if place, ok := r.parser.Suspend(); ok && r.suspend {
				r.parser.Release()
				r.parser.Resume(place)
			}
			return true
		case HeadReady:
			r.head(at)
			r.begin = at
		case BodyData:
			if len(r.parser.Data()) == 0 {
				t.Fatalf("BodyData at %d came without data; it is never empty.", at)
			}
			r.data = append(r.data, r.parser.Data()...)
		case End:
			r.end(at)
			if r.ended == r.messages {
				r.rest = append([]byte(nil), r.parser.Rest()...)
				return false
			}
			final := r.kind == Request || r.parser.Head().Status >= 200
			r.parser.Restart()
			if final {
				r.parser.AnswerTo(r.answerTo)
			}
		}
	}
}

func (r *recorder) error(t testing.TB, err error) {
	t.Helper()
	if _, again := r.parser.Next(); again != err {
		t.Fatalf("Next returned %v after %v; an error is returned again.", again, err)
	}
	r.flush()
	if err == io.EOF {
		r.text.WriteString("eof\n")
		return
	}
	var refused *Error
	if !errors.As(err, &refused) {
		t.Fatalf("Next returned %T; an error other than io.EOF is an *Error.", err)
	}
	fmt.Fprintf(&r.text, "error %d at %d: %s\n", refused.Status(), refused.Offset(), refused.Public())
}

func (r *recorder) head(at int) {
	h := r.parser.Head()
	w := &r.text
	if r.kind == Request {
		fmt.Fprintf(w, "%d head %s %q HTTP/1.%d host=%q", at, h.Method, h.Target, h.Minor, h.Host)
	} else {
		fmt.Fprintf(w, "%d head HTTP/1.%d %d %q", at, h.Minor, h.Status, h.Reason)
	}
	if h.ContentLength >= 0 {
		fmt.Fprintf(w, " length=%d", h.ContentLength)
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{
		{h.Chunked, "chunked"}, {h.KeepAlive, "keep-alive"}, {h.Upgrade, "upgrade"},
		{h.ExpectContinue, "expect-continue"}, {h.BadExpectation, "bad-expectation"},
	} {
		if flag.set {
			w.WriteString(" " + flag.name)
		}
	}
	w.WriteByte('\n')
	for name, value := range h.Fields.All() {
		fmt.Fprintf(w, "  %s=%q\n", name, value)
	}
}

func (r *recorder) end(at int) {
	r.flush()
	for name, value := range r.parser.Trailers().All() {
		fmt.Fprintf(&r.text, "  %s=%q\n", name, value)
	}
	fmt.Fprintf(&r.text, "%d end\n", at)
	r.ended++
}

func (r *recorder) flush() {
	if len(r.data) > 0 {
		fmt.Fprintf(&r.text, "data %q\n", r.data)
	}
	r.data = r.data[:0]
}

// everyCut returns what the parser says about stream when it comes whole, and checks
// that it says the same when it comes a byte at a time, with an empty piece between, and
// cut in two at every place.
func (s session) everyCut(t testing.TB, stream []byte) (text string, rest []byte) {
	t.Helper()
	text, rest = s.transcript(t, stream)
	check := func(how string, cuts ...int) {
		t.Helper()
		for _, s.suspend = range []bool{false, true} {
			if got, _ := s.transcript(t, stream, cuts...); got != text {
				t.Fatalf("%q fed %s, suspended there %t, gives\n%s\nbut whole\n%s\nHow a stream is cut must make no difference.",
					stream, how, s.suspend, got, text)
			}
		}
	}
	var bytewise []int
	for i := range stream {
		bytewise = append(bytewise, i)
		check(fmt.Sprintf("cut at %d", i), i)
	}
	check("a byte at a time", bytewise...)
	check("with empty pieces", 0, len(stream)/2, len(stream)/2)
	return text, rest
}
