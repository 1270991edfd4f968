package layer

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
)

// never is a response that does not come; closed counts how often it is closed.
func never(r *server.Request, closed *int) server.Response {
	queue := pipeline.NewQueue[server.Response](r.Loop(), 1, pipeline.Refuse)
	return server.Later(pipeline.OnClose(queue, func() { *closed++ }))
}

func TestTimeoutAnswersInPlaceOfTheHandler(t *testing.T) {
	for why, deep := range map[string]bool{"a Later that gives nothing": false, "a Later that gives such a one": true} {
		closed := 0
		var ctx context.Context
		response, body := ask(t, Timeout(1)(func(r *server.Request) server.Response {
			ctx = r.Context()
			response := never(r, &closed)
			if deep {
				response = server.Later(pipeline.Once(response))
			}
			return response
		}), request("GET"))
		if response.StatusCode != 503 || response.Header.Get("Retry-After") != "1" || body != "The answer did not come in time.\n" {
			t.Errorf("%s: the answer should be 503 with Retry-After, and is %d and %q", why, response.StatusCode, body)
		}
		if closed != 1 {
			t.Errorf("%s: it should be closed once, and was closed %d times", why, closed)
		}
		cause := (*TimeoutError)(nil)
		if !errors.As(context.Cause(ctx), &cause) || cause.After != 1 || !errors.Is(cause, context.DeadlineExceeded) {
			t.Errorf("%s: the context should say that the time was up, and says %v", why, context.Cause(ctx))
		}
	}
}

func TestTimeoutOfAResponseInTime(t *testing.T) {
	var ctx context.Context
	early := func(r *server.Request) server.Response {
		ctx = r.Context()
		return server.Later(pipeline.Map(r.After(1), func(time.Duration) (server.Response, error) {
			if ctx.Err() != nil {
				t.Error("the context should not be cancelled before the response is there")
			}
			return server.Text(200, "hello"), nil
		}))
	}
	if _, body := ask(t, Timeout(time.Hour)(early), request("GET")); body != "hello" {
		t.Errorf("a response that is in time should be sent, and %q was", body)
	}
	if ctx.Err() == nil || errors.As(context.Cause(ctx), new(*TimeoutError)) {
		t.Errorf("the context should end with the exchange, and says %v", context.Cause(ctx))
	}
}

// The body of a response that has come takes as long as it takes.
func TestTimeoutDoesNotLimitTheBody(t *testing.T) {
	h := func(r *server.Request) server.Response {
		slow := pipeline.Map(r.After(5*time.Millisecond), func(time.Duration) ([]byte, error) { return []byte("hello"), nil })
		return server.Later(pipeline.Once(server.Stream(200, "", slow)))
	}
	if _, body := ask(t, Timeout(1)(h), request("GET")); body != "hello" {
		t.Errorf("the body should be sent whole, and is %q", body)
	}
}

func TestNoTimeout(t *testing.T) {
	for _, d := range []time.Duration{0, -1} {
		h := func(r *server.Request) server.Response {
			return server.Later(pipeline.Map(r.After(1), func(time.Duration) (server.Response, error) { return server.Empty(204), nil }))
		}
		if response, _ := ask(t, Timeout(d)(h), request("GET")); response.StatusCode != 204 {
			t.Errorf("a timeout of %v should be none, and the answer is %d", d, response.StatusCode)
		}
	}
}

// timer gives one value, which comes after pending polls.
func timer(turn *pipelinetest.Turn, pending int) pipeline.Source[time.Duration] {
	var steps []pipelinetest.Step[time.Duration]
	for range pending {
		steps = append(steps, pipelinetest.Step[time.Duration]{Err: pipeline.ErrPending, When: pipelinetest.Later})
	}
	steps = append(steps, pipelinetest.Step[time.Duration]{Value: 1})
	return pipelinetest.Watch(turn, pipelinetest.NewScript(turn, steps))
}

func TestDeadlineKeepsTheLaws(t *testing.T) {
	failure := errors.New("as the test wants it")
	late := func() int { return -1 }
	forever := []pipelinetest.Step[time.Duration]{{Err: pipeline.ErrPending, When: pipelinetest.Never}}
	for _, c := range []struct {
		why  string
		make func(turn *pipelinetest.Turn) pipeline.Source[int]
		want []int
		end  error
	}{
		{"the source is first", func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return newDeadline(pipelinetest.Stream(turn, []int{7}, nil), pipelinetest.Watch(turn, pipelinetest.NewScript(turn, forever)), late)
		}, []int{7}, nil},
		{"the source fails first", func(turn *pipelinetest.Turn) pipeline.Source[int] {
			return newDeadline(pipelinetest.Stream[int](turn, nil, failure), pipelinetest.Watch(turn, pipelinetest.NewScript(turn, forever)), late)
		}, nil, failure},
		{"the timer is first", func(turn *pipelinetest.Turn) pipeline.Source[int] {
			silent := pipelinetest.NewScript(turn, []pipelinetest.Step[int]{{Err: pipeline.ErrPending, When: pipelinetest.Never}})
			return newDeadline(pipelinetest.Watch(turn, silent), timer(turn, 3), late)
		}, []int{-1}, nil},
		{"the source is too late", func(turn *pipelinetest.Turn) pipeline.Source[int] {
			slow := pipelinetest.NewScript(turn, []pipelinetest.Step[int]{{Err: pipeline.ErrPending, When: pipelinetest.AtOnce}, {Value: 7}})
			return newDeadline(pipelinetest.Watch(turn, slow), timer(turn, 0), late)
		}, []int{-1}, nil},
		{"the timer is there at once, and so is the source", func(turn *pipelinetest.Turn) pipeline.Source[int] {
			ready := pipelinetest.NewScript(turn, []pipelinetest.Step[int]{{Value: 7}})
			return newDeadline(pipelinetest.Watch(turn, ready), timer(turn, 0), late)
		}, []int{7}, nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			pipelinetest.TestSource(t, pipelinetest.SourceCase[int]{Make: c.make, Want: c.want, WantEnd: c.end})
		})
	}
}
