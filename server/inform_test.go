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

// Whatever comes from elsewhere, an informational response has no field that concerns
// another connection (RFC 9110, section 7.6.1), and only a status that leaves the final
// response to come.
func TestInformRefusesWhatMustNotBePassedOn(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "TE", "trailer", "Transfer-Encoding", "UPGRADE", "Content-Length"} {
			if err := r.Inform(103, Field{Name: "Link", Value: "</a>"}, Field{Name: name, Value: "x"}); err == nil {
				t.Errorf("the field %s should be refused", name)
			}
		}
		for _, status := range []int{-1, 0, 99, 100, 101, 200, 999} {
			if err := r.Inform(status); err == nil {
				t.Errorf("the status %d should be refused", status)
			}
		}
		for _, status := range []int{102, 103, 150, 199} {
			if err := r.Inform(status, Field{Name: "X-Kept", Value: "a"}); err != nil {
				t.Errorf("the status %d should be sent, and was refused: %v", status, err)
			}
		}
		return Text(200, "hello")
	}, Options{})
	s.send(getRequest)
	s.wantAnswers("what can be sent, in order", "102", "103", "150", "199", "200")
}

// While a body is read and its answer is still to come, one comes as well, also ahead of 101.
func TestInformAheadOfAnUpgrade(t *testing.T) {
	var request *Request
	var answer *pipeline.Queue[Response]
	s := newSession(t, func(r *Request) Response {
		request, answer = r, pipeline.NewQueue[Response](r.Loop(), 1, pipeline.Refuse)
		return Later(answer)
	}, Options{})
	s.send(upgradeRequest("GET", "echo", ""))
	if err := request.Inform(103, Field{Name: "Link", Value: "</a>"}); err != nil {
		t.Fatal(err)
	}
	if err := answer.Push(Upgrade("echo", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] { return input })); err != nil {
		t.Fatal(err)
	}
	s.loop.Settle()
	s.wantAnswers("hints, then the upgrade", "103", "101")
}
