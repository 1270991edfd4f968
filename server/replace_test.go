package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestDiscardReleasesWhatAResponseOwns(t *testing.T) {
	closed := 0
	count := func() { closed++ }
	Stream(200, "", pipeline.OnClose(pipeline.Empty[[]byte](), count)).Discard()
	Events(pipeline.OnClose(pipeline.Empty[Event](), count)).Discard()
	Later(pipeline.OnClose(pipeline.Empty[Response](), count)).Discard()
	if closed != 3 {
		t.Errorf("the sources of a stream, an event stream and a Later should be closed, and %d of the 3 were", closed)
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	File(200, "", file, 0, 5).Discard()
	if err := file.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file should have been closed, and closing it again gives %v", err)
	}
	Text(200, "hello").Discard() // owns nothing
}

func TestFieldsAreThoseThatAreSent(t *testing.T) {
	r := Text(200, "").With("A", "1").Add("Vary", "Accept").With("a", "2").Add("Vary", "Origin")
	var got []string
	for name, value := range r.Fields() {
		got = append(got, name+": "+value)
	}
	want := []string{"Content-Type: " + typeText, "Vary: Accept", "a: 2", "Vary: Origin"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the fields are %q; they should be %q", got, want)
	}
}

func TestMapLaterFollowsLatersToTheResponse(t *testing.T) {
	seen, closed := 0, 0
	inspect := func(src pipeline.Source[Response]) pipeline.Source[Response] {
		return pipeline.Inspect(src, func(r Response, err error) {
			if seen++; err == nil && r.Status() != 201 {
				t.Errorf("the stage should read the response that came, and was given one with status %d", r.Status())
			}
		})
	}
	later := func(r Response) Response {
		return Later(pipeline.OnClose(pipeline.Once(r), func() { closed++ }))
	}
	s := newSession(t, func(*Request) Response {
		deep := Text(201, "hello")
		for range 3 * maxFollowed {
			deep = later(deep)
		}
		return deep.MapLater(inspect)
	}, Options{})
	s.send(getRequest)
	s.wantAnswers("a Later that gives another, many times", "201")
	if seen != 1 || closed != 3*maxFollowed {
		t.Errorf("the stage should be given 1 value, and each of the %d sources be closed; it was given %d, and %d were", 3*maxFollowed, seen, closed)
	}
	if got := Text(200, "").MapLater(nil); got.Status() != 200 {
		t.Error("a response that is there should stay as it is")
	}
}

// followed is what MapLater gives a stage to read.
func followed(src pipeline.Source[Response]) pipeline.Source[Response] {
	return &followedResponse{source: src}
}

// lastLater gives a Later with inner, which it closes if nobody has read it.
type lastLater struct {
	*pipelinetest.Script[Response]
	inner pipeline.Source[Response] // nil once it was given away
}

func (s *lastLater) Poll(w pipeline.Waker) (Response, error) {
	r, err := s.Script.Poll(w)
	if err == nil {
		s.inner = nil
	}
	return r, err
}

func (s *lastLater) Close() {
	s.Script.Close()
	if inner := s.inner; inner != nil {
		s.inner = nil
		inner.Close()
	}
}

func TestFollowedResponseKeepsTheLaws(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[Response]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[Response] {
			inner := pipelinetest.Stream(turn, []Response{Empty(204)}, nil)
			return followed(pipelinetest.Watch(turn, &lastLater{
				Script: pipelinetest.NewScript(turn, []pipelinetest.Step[Response]{
					{Err: pipeline.ErrPending, When: pipelinetest.Spurious},
					{Value: Later(inner)},
				}),
				inner: inner,
			}))
		},
		Want: []Response{Empty(204)},
	})
	failure := errors.New("as the test wants it")
	pipelinetest.TestSource(t, pipelinetest.SourceCase[Response]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[Response] {
			return followed(pipelinetest.Stream[Response](turn, nil, failure))
		},
		WantEnd: failure,
	})
}
