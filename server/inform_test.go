package server

import (
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

func TestInformGoesAheadOfTheAnswer(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		if err := r.Inform(103, Field{Name: "Link", Value: "</style.css>; rel=preload"}); err != nil {
			t.Errorf("the informational response was refused: %v", err)
		}
		return Text(200, "hello")
	}, Options{})
	const hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\nHTTP/1.1 200 OK\r\n"
	s.send(getRequest)
	if got := s.wantAnswers("hints, then the answer", "103", "200"); !strings.HasPrefix(got, hints) {
		t.Errorf("the informational response should come whole and first, and the client got:\n%s", got)
	}
	s.send("GET / HTTP/1.0\r\n\r\n")
	s.wantAnswers("a client of HTTP/1.0 gets none", "200")
}

func TestInformLeavesWhileTheAnswerIsStillToCome(t *testing.T) {
	var request *Request
	var answer *pipeline.Queue[Response]
	s := newSession(t, func(r *Request) Response {
		request, answer = r, pipeline.NewQueue[Response](r.Loop(), 1, pipeline.Refuse)
		return Later(answer)
	}, Options{})
	s.send(getRequest)
	for range 2 {
		if err := request.Inform(102); err != nil {
			t.Fatal(err)
		}
		s.loop.Settle()
		s.wantAnswers("it does not wait for the answer", "102")
	}
	if err := answer.Push(Text(200, "hello")); err != nil {
		t.Fatal(err)
	}
	s.loop.Settle()
	s.wantAnswers("then the answer", "200")
}

func TestInformRefusesWhatMustNotBeSent(t *testing.T) {
	var request *Request
	s := newSession(t, func(r *Request) Response {
		request = r
		for status, field := range map[int]Field{200: {}, 101: {}, 100: {}, 103: {Name: "A", Value: "b\nc"}, 104: {Name: "Content-Length", Value: "1"}} {
			fields := []Field{field}
			if field == (Field{}) {
				fields = nil
			}
			if r.Inform(status, fields...) == nil {
				t.Errorf("the status %d with the fields %v should be refused", status, fields)
			}
		}
		return Stream(200, "", pipeline.NewQueue[[]byte](r.Loop(), 1, pipeline.Refuse))
	}, Options{})
	s.send(getRequest)
	s.wantAnswers("nothing of that", "200")
	if request.Inform(103) == nil {
		t.Error("behind the final head it should be refused")
	}
}
