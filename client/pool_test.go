package client

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/pipeline"
)

func TestConnectionIsReused(t *testing.T) {
	w := newPoolWorld(t, 1, Options{})
	first := w.begin(0)
	first.wantWaiting("its connection is on its way")
	wire := w.succeed(0)
	first.wantOn("its dial has succeeded", wire)
	wire.answer()
	w.settle()
	first.want("it was answered", nil)
	second := w.begin(0)
	second.wantOn("a connection is idle", wire)
	wire.answer()
	w.settle()
	second.want("it was answered", nil)
	if s := w.upstream.Stats(); s != (Stats{Connections: 1, Idle: 1, Opened: 1, Reused: 1}) {
		t.Errorf("after two requests one after the other the counts are %+v; one connection should have been opened and reused once", s)
	}
}

// TestConnectionUsedLastIsUsedFirst: so those that are too many grow old.
func TestConnectionUsedLastIsUsedFirst(t *testing.T) {
	w := newPoolWorld(t, 1, Options{IdleTimeout: 10 * time.Second})
	w.begin(0)
	w.begin(0)
	early, late := w.succeed(0), w.succeed(0)
	early.answer()
	w.settle()
	w.advance(4 * time.Second)
	late.answer()
	w.settle()
	for range 3 {
		w.advance(4 * time.Second)
		w.begin(0).wantOn("two are idle, and this was used last", late)
		late.answer()
		w.settle()
	}
	if !early.closed || late.closed || w.closed[ReasonIdleTimeout] != 1 {
		t.Errorf("the connection that nobody used for longer than its time should be closed (it is: %t), and the other not (%t), for %q; the reasons are %v",
			early.closed, late.closed, ReasonIdleTimeout, w.closed)
	}
	w.advance(11 * time.Second)
	if !late.closed || w.closed[ReasonIdleTimeout] != 2 {
		t.Errorf("in the end the other should be closed as well; the reasons are %v", w.closed)
	}
}

func TestTooManyIdle(t *testing.T) {
	w := newPoolWorld(t, 1, Options{MaxIdle: 2})
	var wires []*poolWire
	for range 4 {
		w.begin(0)
	}
	for range 4 {
		wires = append(wires, w.succeed(0))
	}
	for _, wire := range wires {
		wire.answer()
		w.settle()
	}
	if !wires[0].closed || !wires[1].closed || wires[2].closed || wires[3].closed || w.closed[ReasonTooManyIdle] != 2 {
		t.Errorf("of four idle connections the two that became idle first should be closed; the reasons are %v", w.closed)
	}
}

func TestNoneIsKept(t *testing.T) {
	w := newPoolWorld(t, 1, Options{MaxIdle: -1})
	c := w.begin(0)
	wire := w.succeed(0)
	wire.answer()
	w.settle()
	c.want("it was answered", nil)
	if !wire.closed || w.closed[ReasonTooManyIdle] != 1 {
		t.Errorf("with a negative MaxIdle no connection should be kept; the reasons are %v", w.closed)
	}
}

// TestIdleConnectionIsWatched: what its upstream does is noticed at once, and if its event is still
// to come, by the request that would get it.
func TestIdleConnectionIsWatched(t *testing.T) {
	for what, test := range map[string]struct {
		does   func(*poolWire)
		reason CloseReason
	}{
		"closes":           {(*poolWire).hangUp, ReasonUpstreamClosed},
		"closes, unheard":  {func(p *poolWire) { p.ended = true }, ReasonUpstreamClosed},
		"speaks":           {func(p *poolWire) { p.send("HTTP/1.1 408 Timeout\r\n\r\n") }, ReasonUnasked},
		"speaks, unheard":  {func(p *poolWire) { p.in = "x" }, ReasonUnasked},
		"answers too much": {(*poolWire).answer, ReasonUnasked},
	} {
		t.Run(what, func(t *testing.T) {
			w := newPoolWorld(t, 1, Options{})
			w.begin(0)
			wire := w.succeed(0)
			wire.answer()
			w.settle()
			test.does(wire)
			if heard := !strings.Contains(what, "unheard"); heard && (!wire.closed || w.closed[test.reason] != 1) {
				t.Errorf("the idle connection should be closed at once because %v; the reasons are %v", test.reason, w.closed)
			}
			next := w.begin(0)
			next.wantWaiting("the idle connection is no good")
			if w.closed[test.reason] != 1 {
				t.Errorf("the connection should be closed because %v; the reasons are %v", test.reason, w.closed)
			}
			next.wantOn("a new one was made", w.succeed(0))
		})
	}
}

// TestCancelledCallLeavesItsDial to the next.
func TestCancelledCallLeavesItsDial(t *testing.T) {
	w := newPoolWorld(t, 1, Options{})
	first, second := w.begin(0), w.begin(0)
	first.cancel()
	wire := w.succeed(0)
	second.wantOn("the dial of the one that has gone serves it", wire)
	spare := w.succeed(0)
	if spare.closed {
		t.Error("the dial that nobody waits for should be kept idle when it succeeds")
	}
	w.begin(0).wantOn("it is idle", spare)
}

func TestFailedDialFailsTheOldest(t *testing.T) {
	w := newPoolWorld(t, 1, Options{})
	first, second := w.begin(0), w.begin(0)
	w.fail(0, unix.EMFILE)
	w.settle()
	first.want("a dial has failed", ErrConnect)
	first.want("and that is why", unix.EMFILE)
	second.wantOn("the other dial is its", w.succeed(0))
}

// TestStaleConnectionIsReplaced by a new one: the idle ones are as old.
func TestStaleConnectionIsReplaced(t *testing.T) {
	w := newPoolWorld(t, 1, Options{MaxConnections: 2})
	w.begin(0)
	w.begin(0)
	a, b := w.succeed(0), w.succeed(0)
	a.answer()
	b.answer()
	w.settle()
	w.events = nil
	c := w.begin(0)
	c.wantOn("it is idle", b)
	b.hangUp()
	w.settle()
	c.wantWaiting("its connection was stale, and it waits for a new one")
	c.wantOn("that was made", w.succeed(0))
	w.wantEvents("a connection was stale", "acquired 2", "released 2", "closed 2: "+ReasonStale.String(), "opened 3", "acquired 3")
	if a.closed {
		t.Error("the other idle connection should be left alone")
	}
}

// TestRetryTakesNoKeptConnection: those that come free are as old as the one that was stale.
func TestRetryTakesNoKeptConnection(t *testing.T) {
	w := newPoolWorld(t, 1, Options{})
	w.begin(0)
	w.begin(0)
	a, b := w.succeed(0), w.succeed(0)
	b.answer()
	w.settle()
	c := w.begin(0)
	c.wantOn("it is idle", b)
	b.hangUp()
	w.settle()
	a.answer()
	w.settle()
	c.wantWaiting("the connection that came free was used before")
	w.begin(0).wantOn("which is right for a new request", a)
	c.wantOn("its own was made", w.succeed(0))
}

func TestClose(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 2})
	idle, busy := w.begin(0), w.begin(0)
	a, b := w.succeed(0), w.succeed(0)
	a.answer()
	w.settle()
	idle.want("it was answered", nil)
	busy.wantOn("it was not yet", b)
	w.begin(0).wantOn("the connection is idle", a)
	waiting := w.begin(0)
	other := w.begin(1)
	w.client.Close()
	w.client.Close()
	w.begin(1).want("the client was closed", ErrClientClosed)
	w.settle()
	waiting.want("the client was closed", ErrClientClosed)
	other.want("on every loop", ErrClientClosed)
	busy.wantOn("what has a connection goes on", b)
	a.answer()
	b.answer()
	w.settle()
	busy.want("and comes to its end", nil)
	if !a.closed || !b.closed || w.closed[ReasonClientClosed] != 2 {
		t.Errorf("both connections should be closed because the client was; the reasons are %v", w.closed)
	}
	if _, err := w.client.Upstream("http://127.0.0.1:1"); err != nil {
		t.Errorf("an upstream can be asked for, though not be used; the error is %v", err)
	}
}

func TestCloseEndsDialsAndIdle(t *testing.T) {
	w := newPoolWorld(t, 1, Options{})
	w.begin(0)
	wire := w.succeed(0)
	wire.answer()
	w.settle()
	c := w.begin(0)
	d := w.begin(0)
	c.cancel()
	w.client.Close()
	w.settle()
	d.want("the client was closed", ErrClientClosed)
	if n := len(w.upAttempts()); n != 0 {
		t.Errorf("%d dials are still on their way; they should have been given up", n)
	}
}

// TestBodyIsClosedOnce, whatever the pool does with a request.
func TestBodyIsClosedOnce(t *testing.T) {
	closed := 0
	body := func() pipeline.Source[[]byte] { return &countedBody{closed: &closed} }
	w := newPoolWorld(t, 1, Options{MaxConnections: 1, AtLimit: Refuse})
	w.begin(0)
	w.beginRequest(0, &Request{Target: "/", Method: "POST", Body: body(), Length: -1}).want("there may be no other", ErrPoolFull)
	w.fail(0, errors.New("nobody is there"))
	w.settle()
	if closed != 1 {
		t.Errorf("the body of a request that was refused was closed %d times; it should be once", closed)
	}
}

// TestPanicOfABodyHarmsNoOther request that ends together with it.
func TestPanicOfABodyHarmsNoOther(t *testing.T) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the loop's is made of it
	defer slog.SetDefault(before)
	w := newPoolWorld(t, 1, Options{MaxConnections: 1})
	var callers []*poolCaller
	for range 4 {
		callers = append(callers, w.beginRequest(0, &Request{Method: "POST", Target: "/", Body: panickingBody{}}))
	}
	w.client.Close()
	w.settle()
	for _, c := range callers {
		c.want("the client was closed", ErrClientClosed)
	}
}

type panickingBody struct{}

func (panickingBody) Poll(pipeline.Waker) ([]byte, error) { return nil, pipeline.ErrPending }
func (panickingBody) Close()                              { panic("a body of the test") }

type countedBody struct{ closed *int }

func (b *countedBody) Poll(pipeline.Waker) ([]byte, error) { return nil, pipeline.ErrPending }
func (b *countedBody) Close()                              { *b.closed++ }
