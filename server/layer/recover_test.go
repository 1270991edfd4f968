package layer

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
)

func TestRecoverChoosesTheAnswer(t *testing.T) {
	const value = "as the test wants it"
	panics := func(pipeline.Waker) (server.Response, error) { panic(value) }
	worker := &pipeline.PanicError{Value: value, Stack: []byte("TestRecoverChoosesTheAnswer")}
	for _, c := range []struct {
		why     string
		handler server.Handler
	}{
		{"the handler panics", func(*server.Request) server.Response { panic(value) }},
		{"the source of a Later panics", func(*server.Request) server.Response {
			return server.Later(pollFunc(panics))
		}},
		{"a later Later panics", func(*server.Request) server.Response {
			return server.Later(pipeline.Once(server.Later(pollFunc(panics))))
		}},
		{"a function given to Map panics", func(*server.Request) server.Response {
			return server.Later(pipeline.Once(server.Empty(200))).Map(func(server.Response) server.Response { panic(value) })
		}},
		{"work on a pool panics", func(*server.Request) server.Response {
			return server.Later(pipeline.Fail[server.Response](fmt.Errorf("wrapped: %w", worker)))
		}},
		{"work on a pool panics, and a layer is between", func(*server.Request) server.Response {
			return server.Later(pipeline.Fail[server.Response](worker)).Map(func(r server.Response) server.Response { return r })
		}},
	} {
		calls := 0
		h := Recover(func(r *server.Request, got any, stack []byte) server.Response {
			calls++
			if got != value || !bytes.Contains(stack, []byte("TestRecoverChoosesTheAnswer")) {
				t.Errorf("%s: the answer should be made of the value and the stack of the panic, and %v was given with\n%s", c.why, got, stack)
			}
			return server.Text(503, r.Path())
		})(c.handler)
		response, body := ask(t, h, request("GET"))
		if response.StatusCode != 503 || body != "/" || calls != 1 {
			t.Errorf("%s: the answer should be what was chosen, once, and is %d and %q after %d calls", c.why, response.StatusCode, body, calls)
		}
	}
}

// A source that has panicked is closed, once, and so is one that has not.
func TestRecoverClosesTheLater(t *testing.T) {
	for why, poll := range map[string]pollFunc{
		"after a panic": func(pipeline.Waker) (server.Response, error) { panic("as the test wants it") },
		"after a value": func(pipeline.Waker) (server.Response, error) { return server.Empty(204), nil },
	} {
		closed := 0
		h := Recover(func(*server.Request, any, []byte) server.Response { return server.Empty(204) })
		ask(t, h(func(*server.Request) server.Response {
			return server.Later(pipeline.OnClose[server.Response](poll, func() { closed++ }))
		}), request("GET"))
		if closed != 1 {
			t.Errorf("%s the source should be closed once, and was closed %d times", why, closed)
		}
	}
}

// panicking panics in place of each value.
type panicking struct {
	*pipelinetest.Script[server.Response]
}

func (s panicking) Poll(w pipeline.Waker) (server.Response, error) {
	r, err := s.Script.Poll(w)
	if err == nil {
		panic("as the test wants it")
	}
	return r, err
}

// A source that has panicked is not polled again.
func TestRecoveredKeepsTheLaws(t *testing.T) {
	pipelinetest.TestSource(t, pipelinetest.SourceCase[server.Response]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[server.Response] {
			script := pipelinetest.NewScript(turn, []pipelinetest.Step[server.Response]{
				{Err: pipeline.ErrPending, When: pipelinetest.Spurious}, {}, {},
			})
			answer := func(*server.Request, any, []byte) server.Response { return server.Empty(503) }
			return &recovered{answer: answer, source: pipelinetest.Watch(turn, panicking{script})}
		},
		Want: []server.Response{server.Empty(503)},
	})
	failure := errors.New("as the test wants it")
	pipelinetest.TestSource(t, pipelinetest.SourceCase[server.Response]{
		Make: func(turn *pipelinetest.Turn) pipeline.Source[server.Response] {
			return &recovered{source: pipelinetest.Stream(turn, []server.Response{server.Empty(204)}, failure)}
		},
		Want:    []server.Response{server.Empty(204)},
		WantEnd: failure,
	})
}

// What the chosen answer panics with is the server's to answer.
func TestRecoverThatPanicsItself(t *testing.T) {
	h := Recover(func(*server.Request, any, []byte) server.Response { panic("again") })
	for _, handler := range []server.Handler{
		func(*server.Request) server.Response { panic("once") },
		func(*server.Request) server.Response {
			return server.Later(pollFunc(func(pipeline.Waker) (server.Response, error) { panic("once") }))
		},
	} {
		if response, _ := ask(t, h(handler), request("GET")); response.StatusCode != 500 {
			t.Errorf("the answer should be 500, and is %d", response.StatusCode)
		}
	}
}

// pollFunc is a source that only knows how to be polled.
type pollFunc func(pipeline.Waker) (server.Response, error)

func (f pollFunc) Poll(w pipeline.Waker) (server.Response, error) { return f(w) }
func (pollFunc) Close()                                           {}
