package server

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// valve is a tunnel whose two directions have nothing to do with each other, as those of a
// proxied connection: the test gives what is sent, and reads what has come, outside of the
// turns of the connection.
type valve struct {
	*session
	input  pipeline.Source[[]byte]
	output *pipeline.Queue[[]byte]
	closed int
	woken  int // who reads the input
}

func newValve(t *testing.T, o Options) *valve {
	t.Helper()
	v := &valve{}
	v.session = newSession(t, func(r *Request) Response {
		v.output = pipeline.NewQueue[[]byte](r.Loop(), 1000, pipeline.Refuse)
		return Upgrade("valve", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			v.input = input
			return pipeline.OnClose(v.output, func() { v.closed++; input.Close() })
		})
	}, o)
	v.send(upgradeRequest("GET", "valve", ""))
	v.wantAnswers("an upgrade", "101")
	return v
}

func (v *valve) Wake() { v.woken++ }

// read takes what has come, and says why there is no more.
func (v *valve) read() (got string, err error) {
	for {
		chunk, err := v.input.Poll(v)
		if err != nil {
			v.loop.Settle()
			return got, err
		}
		got += string(chunk)
	}
}

func (v *valve) wantRead(why, want string, end error) {
	v.t.Helper()
	got, err := v.read()
	if got != want || !errors.Is(err, end) {
		v.t.Fatalf("%s: %.60q and then %v should be read of the input; there is %.60q, and then %v", why, want, end, got, err)
	}
}

// give has the stage give text.
func (v *valve) give(text string) {
	v.t.Helper()
	if err := v.output.Push([]byte(text)); err != nil {
		v.t.Fatal(err)
	}
	v.loop.Settle()
}

// endStage has the stage end.
func (v *valve) endStage(err error) {
	v.output.Finish(err)
	v.loop.Settle()
}

func (v *valve) wantStageClosed(why string) {
	v.t.Helper()
	if v.closed != 1 {
		v.t.Errorf("%s: the stage should be closed once, and was %d times", why, v.closed)
	}
	if _, err := v.input.Poll(v); err == nil || err == pipeline.ErrPending {
		v.t.Errorf("%s: the input of a stage that was closed should have ended, and gave %v", why, err)
	}
}

func TestTunnelThatWaitsIsSmall(t *testing.T) {
	v := newValve(t, Options{})
	v.wantRead("nothing has come", "", pipeline.ErrPending)
	if c := v.conn; c.core.exchange != nil || c.core.out != nil || c.input != nil || c.unwritten != nil || c.timer.Armed() && c.deadline != 0 {
		t.Errorf("the tunnel holds an exchange: %t, output: %t, a read buffer: %t, unwritten bytes: %t, a deadline: %v",
			c.core.exchange != nil, c.core.out != nil, c.input != nil, c.unwritten != nil, c.deadline)
	}
	v.loop.Advance(24 * time.Hour)
	v.wantOpen("no time runs in a tunnel")
	v.give("still there")
	if got := v.receive(); got != "still there" {
		t.Errorf("what the stage gives should be sent, and the client got %q", got)
	}
}

// Nobody reads the client's bytes but who reads the input, and that is woken.
func TestTunnelIsReadOnDemand(t *testing.T) {
	v := newValve(t, Options{})
	v.send("early")
	if !v.conn.socket.Readable() || v.woken != 0 {
		t.Errorf("what nobody has asked for should wait in the socket; it does: %t, with %d wakes", v.conn.socket.Readable(), v.woken)
	}
	v.wantRead("the client has sent", "early", pipeline.ErrPending)
	for _, text := range []string{"a", string(filler(100_000)), "b"} {
		before := v.woken
		v.send(text)
		if v.woken == before {
			t.Fatalf("who reads the input should be woken when %.10q has come", text)
		}
		got := ""
		for range 1000 { // a turn reads its share only
			more, err := v.read()
			if got += more; err != pipeline.ErrPending || len(got) >= len(text) {
				break
			}
		}
		if got != text {
			t.Fatalf("%d bytes should be read of the input, and %d were, or others", len(text), len(got))
		}
	}
}

func TestTunnelSendsOnlyWhatTheClientTakes(t *testing.T) {
	source := &endless{chunk: make([]byte, 16<<10)}
	s := newSession(t, func(*Request) Response {
		return Upgrade("endless", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			return pipeline.OnClose(source, input.Close)
		})
	}, Options{WriteTimeout: 10 * time.Second})
	s.send(upgradeRequest("GET", "endless", ""))
	stopped := source.polls
	s.loop.Advance(9 * time.Second)
	if source.polls != stopped || stopped > 10_000 {
		t.Errorf("the stage was polled %d times, and %d times more while the client read nothing", stopped, source.polls-stopped)
	}
	if s.receive() == "" || source.polls == stopped {
		t.Error("when the client reads on, the stage should be polled on")
	}
	s.loop.Advance(21 * time.Second)
	s.wantClosed("the client takes nothing for longer than the write timeout", ReasonWriteTimeout)
	if source.closed != 1 {
		t.Errorf("the stage was closed %d times; it should be once", source.closed)
	}
}

func TestClientEndsItsSideOfATunnel(t *testing.T) {
	v := newValve(t, Options{})
	v.send("last words")
	v.finish()
	v.wantRead("the client has ended its side", "last words", io.EOF)
	v.loop.Advance(time.Hour)
	v.wantOpen("the stage goes on")
	v.give("answer")
	if got := v.receive(); got != "answer" {
		t.Errorf("a client that has ended its side should get what the stage gives, and got %q", got)
	}
	v.endStage(nil)
	v.wantClosed("both sides have ended", ReasonAnswered)
	v.wantStageClosed("both sides have ended")
}

func TestStageEndsItsSideOfATunnel(t *testing.T) {
	v := newValve(t, Options{LingerTimeout: 2 * time.Second})
	v.wantRead("nothing has come", "", pipeline.ErrPending)
	v.give("bye")
	v.endStage(nil)
	if got := v.receive(); got != "bye" || !v.ended() {
		t.Errorf("the client should get what was given, and the end; it got %q, the end: %t", got, v.ended())
	}
	for range 10 {
		v.loop.Advance(1500 * time.Millisecond)
		v.send("more")
		v.wantRead("the input is read on", "more", pipeline.ErrPending)
	}
	v.wantOpen("the input is read on")
	v.send("last")
	v.finish()
	v.wantOpen("what the client has sent before its end has not been read")
	v.wantRead("the client has ended its side too", "last", io.EOF)
	v.wantClosed("both sides have ended", ReasonAnswered)
	v.wantStageClosed("both sides have ended")
}

func TestStageEndsAndNobodyReads(t *testing.T) {
	v := newValve(t, Options{LingerTimeout: 2 * time.Second})
	v.wantRead("nothing has come", "", pipeline.ErrPending)
	v.endStage(nil)
	v.send("more")
	v.loop.Advance(1900 * time.Millisecond)
	v.wantOpen("the input may still be read")
	v.loop.Advance(200 * time.Millisecond)
	v.wantClosed("nobody has read the input for the linger timeout", ReasonAnswered)
	v.wantStageClosed("nobody has read the input")
}

func TestStageEndsAndClosesItsInput(t *testing.T) {
	v := newValve(t, Options{LingerTimeout: 2 * time.Second})
	v.give("bye")
	v.input.Close()
	v.endStage(nil)
	v.wantStageClosed("nobody wants the input")
	v.wantOpen("the client may still be sending")
	v.send(strings.Repeat("x", 1000))
	if got := v.receive(); got != "bye" || !v.ended() {
		t.Errorf("the client should get what was given, and the end; it got %q, the end: %t", got, v.ended())
	}
	v.finish()
	v.wantClosed("both sides have ended", ReasonAnswered)
}

// The input may be closed behind the end of the stage as well.
func TestInputIsClosedBehindTheStage(t *testing.T) {
	v := newValve(t, Options{LingerTimeout: time.Hour})
	v.endStage(nil)
	v.wantOpen("the input may still be read")
	v.input.Close()
	v.loop.Settle()
	v.wantStageClosed("nobody wants the input")
	v.finish()
	v.wantClosed("both sides have ended", ReasonAnswered)
}

func TestStageOfATunnelFails(t *testing.T) {
	for _, how := range []string{"error", "panic"} {
		var log strings.Builder
		fails := false
		closes := 0
		s := newSession(t, func(*Request) Response {
			return Upgrade("failing", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
				return pipeline.OnClose(pipeline.Map(input, func(chunk []byte) ([]byte, error) {
					switch {
					case fails && how == "panic":
						panic("as the test wants it")
					case fails:
						return nil, errTeapot
					}
					return chunk, nil
				}), func() { closes++ })
			})
		}, Options{})
		s.local.options.Logger = slog.New(slog.NewTextHandler(&log, nil))
		s.send(upgradeRequest("GET", "failing", "") + "fine")
		fails = true
		s.send("not fine")
		s.wantClosed("the stage has failed: "+how, ReasonResponseFailed)
		if closes != 1 || log.Len() == 0 {
			t.Errorf("%s: the stage should be closed once, and was %d times; the log should say why, and says %q", how, closes, log.String())
		}
	}
}

func TestClientOfATunnelIsLost(t *testing.T) {
	v := newValve(t, Options{})
	v.wantRead("nothing has come", "", pipeline.ErrPending)
	v.conn.close(ReasonConnectionLost)
	v.wantStageClosed("the client is lost")
	v.wantRead("the client is lost", "", ErrClientGone)
}

// A read that fails is told as what it is, for io.EOF would be a proper end.
func TestReadOfATunnelFails(t *testing.T) {
	d := newDriver(t, 1, func(*driver) Handler {
		return func(*Request) Response {
			return Upgrade("echo", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] { return input })
		}
	}, Options{})
	d.whole, d.input, d.breaks = true, []byte(upgradeRequest("GET", "echo", "")+"a"), errors.New("reset by the test")
	d.run()
	if d.end != errCut || !strings.HasSuffix(string(d.output), "\r\n\r\na") || d.core.ending != endsByReset {
		t.Errorf("the tunnel should be cut behind what was sent; it has ended with %v, in the manner %d, behind %q", d.end, d.core.ending, d.output)
	}
}

func TestShutdownWaitsForATunnel(t *testing.T) {
	v := newValve(t, Options{})
	v.local.drain()
	v.loop.Advance(time.Minute)
	v.wantOpen("the tunnel is in hand")
	v.give("on")
	if got := v.receive(); got != "on" {
		t.Errorf("the tunnel should go on during the shutdown, and the client got %q", got)
	}
	v.local.cutAll()
	v.wantClosed("the time for the shutdown is over", ReasonShutdown)
	v.wantStageClosed("the time for the shutdown is over")
}

// An open-ended response ends with the client's side; a tunnel does not, whatever the
// handler has made of it.
func TestTunnelIsNotOpenEnded(t *testing.T) {
	s := newSession(t, func(r *Request) Response {
		return Later(pipeline.Once(Upgrade("half", func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			return pipeline.OnClose(pipeline.Concat(input, pipeline.Once([]byte(" and goodbye"))), input.Close)
		}).OpenEnded())).OpenEnded()
	}, Options{Hooks: Hooks{Response: func(*Request, int, int64) {}}}) // with which the request is kept
	s.send(upgradeRequest("GET", "half", "") + "hello")
	s.finish()
	if got := s.receive(); !strings.HasSuffix(got, "hello and goodbye") {
		t.Errorf("what the stage gives behind the client's end should be sent, and the client got %q", got)
	}
	s.wantClosed("both sides have ended", ReasonAnswered)
}
