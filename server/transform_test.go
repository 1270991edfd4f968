package server

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// mark is what the layers of these tests do to every response.
func mark(r Response) Response { return r.With("X-Seen", "yes") }

func TestMapSeesEveryResponseThatIsSent(t *testing.T) {
	teapot := &Error{418, "I am a teapot."}
	for _, c := range []struct {
		why    string
		answer func(r *Request) Response
		status string
		body   string
	}{
		{"complete", func(*Request) Response { return Text(200, "hello") }, "200", "hello"},
		{"a stream", func(*Request) Response { return Stream(200, "", pipeline.Once([]byte("hello"))) }, "200", "hello"},
		{"later", func(*Request) Response { return Later(pipeline.Once(Text(201, "hello"))) }, "201", "hello"},
		{"later, twice", func(*Request) Response { return Later(pipeline.Once(Later(pipeline.Once(Text(202, "hello"))))) }, "202", "hello"},
		{"a failure", func(*Request) Response { return Fail(teapot) }, "418", "I am a teapot."},
		{"a later that fails", func(*Request) Response { return Later(pipeline.Fail[Response](teapot)) }, "418", "I am a teapot."},
		{"a later that gives nothing", func(*Request) Response { return Later(pipeline.Empty[Response]()) }, "500", ""},
	} {
		calls := 0
		s := newSession(t, func(r *Request) Response {
			return c.answer(r).Map(func(r Response) Response {
				calls++
				if r.outline.kind() == kindLater {
					t.Errorf("%s: the function was given a response that is still to come", c.why)
				}
				return mark(r)
			})
		}, Options{})
		s.send(getRequest)
		if got := s.wantAnswers(c.why, c.status); !strings.Contains(got, "X-Seen: yes\r\n") || !strings.Contains(got, c.body) || calls != 1 {
			t.Errorf("%s: the answer should have the field and the body %q, after 1 call; after %d it is:\n%s", c.why, c.body, calls, got)
		}
	}
}

func TestMapOfALaterClosesIt(t *testing.T) {
	closed := 0
	s := newSession(t, func(r *Request) Response {
		waiting := pipeline.NewQueue[Response](r.Loop(), 1, pipeline.Refuse)
		return Later(pipeline.OnClose(waiting, func() { closed++ })).Map(mark)
	}, Options{})
	s.send(getRequest)
	s.conn.close(ReasonConnectionLost)
	if closed != 1 {
		t.Errorf("the source should be closed once with the connection, and was closed %d times", closed)
	}
}

func TestLayersCanLookAtAResponse(t *testing.T) {
	r := Text(200, "a").With("X-One", "1").With("x-one", "2").Add("X-Two", "3")
	for name, want := range map[string]string{"X-ONE": "2", "x-two": "3", "content-type": typeText} {
		if got, found := r.Field(name); got != want || !found {
			t.Errorf("the field %s is %q (%t); it should be %q", name, got, found, want)
		}
	}
	if _, found := r.Field("X-Three"); found {
		t.Error("a field that was not set should not be found")
	}
	if body, found := r.Complete(); string(body) != "a" || !found {
		t.Errorf("the body is %q (%t); it should be there", body, found)
	}
	if body, _ := r.WithBody([]byte("b")).Complete(); string(body) != "b" {
		t.Errorf("the body was replaced by b, and is %q", body)
	}
	stream := Stream(200, "text/csv", pipeline.Empty[[]byte]()).Length(7)
	if length, streams := stream.Streams(); length != 7 || !streams {
		t.Errorf("the stream declares 7 bytes, and says %d (%t)", length, streams)
	}
	mapped := stream.MapBody(func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return src })
	if length, _ := mapped.Streams(); length != -1 {
		t.Errorf("what a stage makes of a stream has a length that nobody knows, and it says %d", length)
	}
	if _, found := stream.Complete(); found {
		t.Error("a stream should not pass for complete")
	}
	if length, _ := stream.Streams(); length != 7 {
		t.Errorf("the stream itself was changed: it says %d", length)
	}
	failure := errors.New("as the test wants it")
	if Fail(failure).Err() != failure || r.Err() != nil {
		t.Error("Err should be the error of a Fail, and of nothing else")
	}
}

func TestValuesAreAllLinesOfAField(t *testing.T) {
	r := Text(200, "").With("Vary", "gone").With("Vary", "Accept").Add("Set-Cookie", "a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT").
		Add("vary", "Origin, Cookie").Add("set-cookie", "b=2")
	for name, want := range map[string][]string{
		"VARY":         {"Accept", "Origin, Cookie"},
		"Set-Cookie":   {"a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT", "b=2"},
		"content-type": {typeText},
		"X-None":       nil,
	} {
		if got := slices.Collect(r.Values(name)); !slices.Equal(got, want) {
			t.Errorf("the lines of %s are %q; they should be %q", name, got, want)
		}
	}
	for value := range r.Values("Vary") {
		if value != "Accept" {
			t.Errorf("who has seen enough at the first line should be given no other, and got %q", value)
		}
		break
	}
	if last, _ := r.Field("Vary"); last != "Origin, Cookie" {
		t.Errorf("Field should give the last line, and gave %q", last)
	}
}

// respondingError answers itself.
type respondingError struct{}

func (respondingError) Error() string      { return "as the test wants it" }
func (respondingError) Response() Response { return JSON(422, map[string]string{"problem": "x"}) }

func TestErrorThatAnswersItself(t *testing.T) {
	s := newSession(t, func(*Request) Response {
		return Later(pipeline.Fail[Response](respondingError{})).Map(mark)
	}, Options{})
	s.send(getRequest)
	got := s.wantAnswers("the error's own answer", "422")
	if !strings.HasSuffix(got, `{"problem":"x"}`) || !strings.Contains(got, "X-Seen: yes\r\n") {
		t.Errorf("the answer should be what the error has made, with the layer's field:\n%s", got)
	}
}
