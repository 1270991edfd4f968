package servertest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/servertest"
)

// spy is a test that keeps its failures to itself. A fatal one ends it, by a panic.
type spy struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (s *spy) Helper()           {}
func (s *spy) Output() io.Writer { return io.Discard }
func (s *spy) Failed() bool      { return len(s.failures) > 0 }
func (s *spy) Cleanup(f func())  { s.cleanups = append(s.cleanups, f) }
func (s *spy) Errorf(format string, args ...any) {
	s.failures = append(s.failures, fmt.Sprintf(format, args...))
}
func (s *spy) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	panic(s)
}

// watch runs test as one of its own, to its end, and returns how it failed.
func watch(test func(t testing.TB)) []string {
	s := &spy{}
	func() {
		defer func() {
			if stopped := recover(); stopped != nil && stopped != s {
				panic(stopped)
			}
		}()
		test(s)
	}()
	for _, cleanup := range slices.Backward(s.cleanups) {
		cleanup()
	}
	return s.failures
}

// wantFailure checks that there is one failure, with text in it.
func wantFailure(t *testing.T, failures []string, text string) {
	t.Helper()
	if len(failures) != 1 || !strings.Contains(failures[0], text) {
		t.Errorf("there should be one failure, with %q in it; the failures are %q", text, failures)
	}
}

// ticking is a timer that nobody clears.
type ticking struct{ timer loop.Timer }

func (*ticking) Expire() {}

func (*ticking) Run() {}

func (*ticking) SocketEvent(loop.Readiness) {}

func TestWhatIsLeftFailsTheTest(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for text, h := range map[string]func(s **servertest.Server) server.Handler{
		"1 timers were still armed": func(s **servertest.Server) server.Handler {
			return func(*server.Request) server.Response {
				var left ticking
				left.timer.Init(&left)
				(*s).Loop().SetTimer(&left.timer, time.Hour)
				return server.Empty(204)
			}
		},
		"1 sockets beside those of clients": func(s **servertest.Server) server.Handler {
			return func(*server.Request) server.Response {
				attachOne(t, (*s).Loop())
				return server.Empty(204)
			}
		},
		`the source "numbers" was not closed`: func(s **servertest.Server) server.Handler {
			return func(*server.Request) server.Response {
				_ = servertest.Track(*s, "numbers", pipeline.Empty[int]())
				return server.Empty(204)
			}
		},
		"servertest_test.lingerUntil at ": func(**servertest.Server) server.Handler {
			return func(*server.Request) server.Response {
				startLingering(release)
				return server.Empty(204)
			}
		},
	} {
		failures := watch(func(t testing.TB) {
			var s *servertest.Server
			s = servertest.New(t, h(&s), server.Options{})
			s.HurryUp()
			s.Client().Ask(servertest.Get("/"))
		})
		wantFailure(t, failures, text)
	}
}

// startLingering starts a goroutine that goes on until release, and returns when it runs.
func startLingering(release chan struct{}) {
	running := make(chan struct{})
	go lingerUntil(release, running)
	<-running
}

func lingerUntil(release, running chan struct{}) {
	close(running)
	<-release
}

// attachOne puts a socket on the loop that nobody closes but the loop.
func attachOne(t *testing.T, l *loop.Loop) {
	t.Helper()
	fd := socketOfMyOwn(t)
	if err := new(loop.Socket).Attach(l, fd, &ticking{}); err != nil {
		t.Fatal(err)
	}
}

// TestToleratedGoroutinesMayGoOn: they are named by one of their functions.
func TestToleratedGoroutinesMayGoOn(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	s := servertest.New(t, func(*server.Request) server.Response {
		startLingering(release)
		return server.Empty(204)
	}, server.Options{})
	s.TolerateGoroutines("servertest_test.lingerUntil")
	s.Client().Ask(servertest.Get("/"))
}

// TestScriptsLeaveNothing: the stack that a script ran on is kept for the next. A goroutine that is
// suspended in a coroutine of somebody's own is still found.
func TestScriptsLeaveNothing(t *testing.T) {
	failures := watch(func(t testing.TB) {
		s := servertest.New(t, func(r *server.Request) server.Response {
			return server.Script(r, func(co *pipeline.Co) server.Response {
				if _, err := pipeline.Await(co, r.After(time.Second)); err != nil {
					return server.Fail(err)
				}
				return server.Empty(204)
			})
		}, server.Options{})
		client := s.Client()
		client.Send(string(servertest.Get("/")))
		s.Advance(time.Second)
		client.Answer()
	})
	if failures != nil {
		t.Errorf("a server that has run a script failed its test: %q", failures)
	}
	failures = watch(func(t testing.TB) {
		s := servertest.New(t, func(r *server.Request) server.Response {
			never := pipeline.NewQueue[int](r.Loop(), 1, pipeline.Refuse)
			suspended := pipeline.Coroutine(func(co *pipeline.Co) (int, error) { return pipeline.Await(co, never) })
			_, _ = suspended.Poll(nobody{})
			return server.Empty(204)
		}, server.Options{})
		s.Client().Ask(servertest.Get("/"))
	})
	if len(failures) != 1 || !strings.Contains(failures[0], "pipeline.Await") {
		t.Errorf("a coroutine that was left suspended gave %q, one failure that names pipeline.Await was expected", failures)
	}
}

// nobody is not interested.
type nobody struct{}

func (nobody) Wake() {}

// TestNothingIsLeftWhenClientsLeave: whatever is on its way then ends with its connection,
// and goroutines are given the time that they need to end.
func TestNothingIsLeftWhenClientsLeave(t *testing.T) {
	pool := loop.NewPool(2, 2)
	defer pool.Close()
	closes := 0
	for _, h := range []server.Handler{
		func(r *server.Request) server.Response {
			events := pipeline.OnClose(pipeline.NewQueue[server.Event](r.Loop(), 1, pipeline.Refuse), func() { closes++ })
			return server.Events(events)
		},
		func(r *server.Request) server.Response {
			return server.Later(pipeline.Map(r.After(time.Hour), func(time.Duration) (server.Response, error) {
				return server.Empty(204), nil
			}))
		},
		func(r *server.Request) server.Response {
			ctx := r.Context()
			return server.Later(pipeline.Offload(r.Loop(), pool, func(offload context.Context) (server.Response, error) {
				<-ctx.Done()
				<-offload.Done()
				return server.Empty(204), nil
			}))
		},
	} {
		failures := watch(func(t testing.TB) {
			s := servertest.New(t, h, server.Options{})
			s.Client().Send(string(servertest.Get("/")))
			half := s.Client()
			half.Send("GET / HT")
			if n := s.Connections(); n != 2 {
				t.Errorf("two clients are connected; the server has %d connections", n)
			}
		})
		if len(failures) > 0 {
			t.Errorf("nothing is left when the clients leave; the failures are %q", failures)
		}
	}
	if closes != 1 {
		t.Errorf("the stream was closed %d times; once was expected", closes)
	}
}

// TestTrackedSourceIsNotPolledOnceClosed reports a poll behind Close.
func TestTrackedSourceIsNotPolledOnceClosed(t *testing.T) {
	failures := watch(func(t testing.TB) {
		s := servertest.New(t, greet, server.Options{})
		src := servertest.Track(s, "numbers", pipeline.FromSlice([]int{1}))
		if _, err := src.Poll(nil); err != nil {
			t.Errorf("the source should give what it has, and said %v", err)
		}
		src.Close()
		_, _ = src.Poll(nil)
	})
	wantFailure(t, failures, `the source "numbers" was polled after it was closed`)
}

func TestTheServersTime(t *testing.T) {
	s := servertest.New(t, greet, server.Options{})
	c := s.Client()
	s.Advance(36 * time.Hour / 2400)
	if date := s.Client().Ask(servertest.Get("/")).Field("Date"); date != "Thu, 01 Jan 2026 00:00:54 GMT" {
		t.Errorf("the Date is the server's time, 54 seconds into 2026; it is %q", date)
	}
	if !c.Ended() || !slices.Equal(s.Closed(), []server.CloseReason{server.ReasonHeadTimeout}) {
		t.Errorf("the first client should have been closed for sending nothing; ended %t, reasons %v", c.Ended(), s.Closed())
	}
}

func TestHooksAndLoggerAreTheTests(t *testing.T) {
	var reasons []server.CloseReason
	var log strings.Builder
	s := servertest.New(t, func(*server.Request) server.Response { panic("at the handler") }, server.Options{
		Hooks:  server.Hooks{Closed: func(r server.CloseReason) { reasons = append(reasons, r) }},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	c := s.Client()
	if result := c.Ask(servertest.Get("/")); result.Status != 500 || !strings.Contains(log.String(), "at the handler") {
		t.Errorf("the panic should be a 500 and be logged; there is %d, and the log %q", result.Status, log.String())
	}
	c.Reset()
	if !slices.Equal(reasons, s.Closed()) || len(reasons) != 1 {
		t.Errorf("the test's own hook should be called too; it got %v, the server %v", reasons, s.Closed())
	}
}

func TestServerWithoutHandlerIsRefused(t *testing.T) {
	wantFailure(t, watch(func(t testing.TB) { servertest.New(t, nil, server.Options{}) }), "needs a handler")
}

// TestRequestIsUsedOnce: one that is kept beyond its response is not the next one.
func TestRequestIsUsedOnce(t *testing.T) {
	var kept *server.Request
	s := servertest.New(t, func(r *server.Request) server.Response {
		if r == kept {
			t.Error("the second request of a connection should not be the first one, used again")
		}
		kept = r
		return server.Empty(204)
	}, server.Options{})
	c := s.Client()
	c.Ask(servertest.Get("/first"))
	c.Ask(servertest.Get("/second"))
}

func TestHijackedConnectionIsTheHandlers(t *testing.T) {
	s := servertest.New(t, func(*server.Request) server.Response {
		return server.Hijack(func(conn net.Conn, unread []byte, err error) {
			if err != nil {
				t.Errorf("the connection could not be taken over: %v", err)
				return
			}
			_, _ = conn.Write(append([]byte("taken over: "), unread...))
			_ = conn.Close()
		})
	}, server.Options{})
	c := s.Client()
	c.Send(string(servertest.Get("/")) + "more")
	got := ""
	s.Await(func() bool {
		got += c.Receive()
		return c.Ended()
	})
	if got != "taken over: more" {
		t.Errorf("the client should hear from the new owner, and got %q", got)
	}
}
