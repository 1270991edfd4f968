package servertest_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

func TestAnswerHasAllOfIt(t *testing.T) {
	h := func(r *server.Request) server.Response {
		if err := r.Inform(103, server.Field{Name: "Link", Value: "</style.css>"}); err != nil {
			return server.Fail(err)
		}
		chunks := pipeline.FromSlice([][]byte{[]byte("one "), []byte("two")})
		return server.Stream(202, "text/plain", chunks).Add("X-Part", "1").Add("X-Part", "2").
			Trailers(func() []server.Field { return []server.Field{{Name: "Digest", Value: "42"}} })
	}
	got := servertest.Answer(t, h, servertest.Get("/"))
	want := servertest.Result{
		Status: 202,
		Fields: []server.Field{
			{Name: "Server", Value: "penstock"}, {Name: "Date", Value: "Thu, 01 Jan 2026 00:00:00 GMT"},
			{Name: "Content-Type", Value: "text/plain"}, {Name: "X-Part", Value: "1"}, {Name: "X-Part", Value: "2"},
			{Name: "Transfer-Encoding", Value: "chunked"},
		},
		Body:          "one two",
		Trailers:      []server.Field{{Name: "Digest", Value: "42"}},
		Informational: []servertest.Informational{{Status: 103, Fields: []server.Field{{Name: "Link", Value: "</style.css>"}}}},
		Complete:      true,
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("the answer should be\n%+v\nand is\n%+v", want, *got)
	}
}

// TestAnswerIsTheProtocols: it is not the handler that answers what is no request.
func TestAnswerIsTheProtocols(t *testing.T) {
	called := false
	h := func(*server.Request) server.Response { called = true; return server.Empty(204) }
	result := servertest.Answer(t, h, "GET /\r\n\r\n")
	if result.Status != 400 || !result.Closed || called {
		t.Errorf("a malformed request should be answered 400 without the handler; the answer is %+v, the handler called: %t", result, called)
	}
	continued := servertest.Answer(t, length, servertest.Post("/", "text/plain", "12").With("Expect", "100-continue"))
	if continued.Status != 200 || continued.Body != "2" {
		t.Errorf("a body that is there needs no 100; the answer is %+v", continued)
	}
	chunked := servertest.Answer(t, length, servertest.NewRequest("PUT", "/").WithChunks("12345", strings.Repeat("6", 20)))
	if chunked.Body != "25" {
		t.Errorf("a chunked body of 25 bytes should be read; the answer is %+v", chunked)
	}
	if head := servertest.Answer(t, greet, servertest.NewRequest("HEAD", "/")); head.Body != "" || !head.Complete {
		t.Errorf("the answer to HEAD has no body; it is %+v", head)
	}
}

// TestAnswerThatIsCut says so.
func TestAnswerThatIsCut(t *testing.T) {
	h := func(*server.Request) server.Response {
		chunks := pipeline.FromSlice([][]byte{[]byte("one "), []byte("two")})
		return server.Stream(200, "", pipeline.Map(chunks, func(chunk []byte) ([]byte, error) {
			if string(chunk) == "two" {
				return nil, errors.New("the second is missing")
			}
			return chunk, nil
		}))
	}
	if result := servertest.Answer(t, h, servertest.Get("/")); result.Complete || result.Status != 200 || result.Body != "one " {
		t.Errorf("a body that is cut should not be complete; the answer is %+v", result)
	}
	old := servertest.Answer(t, func(*server.Request) server.Response {
		return server.Stream(200, "", pipeline.FromSlice([][]byte{[]byte("until the close")}))
	}, "GET / HTTP/1.0\r\n\r\n")
	if !old.Complete || old.Body != "until the close" || !old.Closed {
		t.Errorf("the close is the end of a body for HTTP/1.0; the answer is %+v", old)
	}
}

// TestAnswerAwaitsWorkers: what a handler waits for on other goroutines comes back.
func TestAnswerAwaitsWorkers(t *testing.T) {
	pool := loop.NewPool(1, 1)
	defer pool.Close()
	for range 3 {
		result := servertest.Answer(t, func(r *server.Request) server.Response {
			return server.Later(pipeline.Offload(r.Loop(), pool, func(context.Context) (server.Response, error) {
				return server.Text(200, "worked"), nil
			}))
		}, servertest.Get("/"))
		if result.Body != "worked" {
			t.Errorf("the worker's answer should come, and is %+v", result)
		}
	}
}

// TestAnswerChecksWhatIsLeft at once, not only at the end of the test.
func TestAnswerChecksWhatIsLeft(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	failures := watch(func(t testing.TB) {
		s := servertest.New(t, func(*server.Request) server.Response {
			startLingering(release)
			return server.Empty(204)
		}, server.Options{})
		s.HurryUp()
		s.Answer(servertest.Get("/"))
		if !t.Failed() {
			t.Errorf("the goroutine should have been found by now")
		}
	})
	wantFailure(t, failures, "servertest_test.lingerUntil")
}

// TestNoAnswerInTime says what there is instead.
func TestNoAnswerInTime(t *testing.T) {
	for request, text := range map[servertest.Request]string{
		"GET / HTTP/1.1":    "0 requests that are not finished",
		servertest.Get("/"): "1 requests that are not finished, and",
	} {
		wantFailure(t, watch(func(t testing.TB) {
			s := servertest.New(t, func(r *server.Request) server.Response {
				return server.Later(pipeline.Map(r.After(time.Hour), func(time.Duration) (server.Response, error) {
					return server.Empty(204), nil
				}))
			}, server.Options{})
			s.HurryUp()
			s.Answer(request)
		}), text)
	}
}

// TestAwaitGivesUp when what it waits for does not come.
func TestAwaitGivesUp(t *testing.T) {
	wantFailure(t, watch(func(t testing.TB) {
		s := servertest.New(t, greet, server.Options{})
		s.HurryUp()
		s.Await(func() bool { return false })
	}), "what the test awaits has not come")
}
