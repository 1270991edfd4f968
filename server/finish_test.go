package server

import (
	"fmt"
	"slices"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

func TestOnFinishIsCalledOnce(t *testing.T) {
	for _, c := range []struct {
		why    string
		answer func(r *Request) Response
		want   string
	}{
		{"complete", func(*Request) Response { return Text(201, "hello") }, "201 5"},
		{"a failure", func(*Request) Response { return Fail(&Error{418, "I am."}) }, "418 6"},
		{"a stream", func(*Request) Response { return Stream(200, "", pipeline.Once([]byte("hello"))) }, "200 5"},
		{"an event stream that ends", func(*Request) Response { return Events(pipeline.Once(Event{Data: "x"})) }, "200 9"},
	} {
		var told []string
		s := newSession(t, func(r *Request) Response {
			for _, who := range []string{"first", "second"} {
				r.OnFinish(func(status int, bytes int64) { told = append(told, fmt.Sprint(who, " ", status, " ", bytes)) })
			}
			return c.answer(r)
		}, Options{})
		s.send(getRequest)
		if want := []string{"first " + c.want, "second " + c.want}; !slices.Equal(told, want) {
			t.Errorf("%s: those who wait for the end were told %q; it should be %q", c.why, told, want)
		}
	}
}

// Who waits for the end of an event stream must not keep its request.
func TestOnFinishOfAnEventStream(t *testing.T) {
	told := ""
	var events *pipeline.Queue[Event]
	s := newSession(t, func(r *Request) Response {
		r.OnFinish(func(status int, bytes int64) { told = fmt.Sprint(status, " ", bytes) })
		events = pipeline.NewQueue[Event](r.Loop(), 1, pipeline.Refuse)
		return Events(events)
	}, Options{})
	s.send(getRequest)
	if err := events.Push(Event{Data: "x"}); err != nil {
		t.Fatal(err)
	}
	s.loop.Settle()
	if s.conn.core.exchange != nil || told != "" {
		t.Errorf("the request should be given back, and nobody told before the end: %q", told)
	}
	s.finish()
	if told != "200 9" {
		t.Errorf("at the end the status and the bytes should be told, and %q was", told)
	}
}

func TestOnFinishWhenTheClientLeaves(t *testing.T) {
	told := ""
	s := newSession(t, func(r *Request) Response {
		r.OnFinish(func(status int, bytes int64) { told = fmt.Sprint(status, " ", bytes) })
		return Later(pipeline.NewQueue[Response](r.Loop(), 1, pipeline.Refuse))
	}, Options{})
	s.send(getRequest)
	s.conn.close(ReasonConnectionLost)
	if told != "0 0" {
		t.Errorf("without an answer status 0 should be told, and %q was", told)
	}
}
