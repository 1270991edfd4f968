package client

import (
	"io"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/pipeline"
)

func TestLimit(t *testing.T) {
	w := newPoolWorld(t, 1, Options{MaxConnections: 2, MaxWaiting: 2})
	first, second := w.begin(0), w.begin(0)
	third, fourth, fifth := w.begin(0), w.begin(0), w.begin(0)
	if n := len(w.upAttempts()); n != 2 {
		t.Errorf("%d dials are on their way; there should be as many as there may be connections, 2", n)
	}
	fifth.want("two wait because of the limit already", ErrPoolFull)
	if s := w.upstream.Stats(); s != (Stats{Connecting: 2, Waiting: 4}) {
		t.Errorf("two are waiting for their dials and two because of the limit, and the counts are %+v", s)
	}
	a, b := w.succeed(0), w.succeed(0)
	first.wantOn("it was first", a)
	second.wantOn("it was second", b)
	b.answer()
	w.settle()
	third.wantOn("a connection came free, and it has waited longest", b)
	fourth.wantWaiting("none came free for it")
	a.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	w.settle()
	first.want("it was answered", nil)
	fourth.wantWaiting("the connection that came free cannot be used")
	fourth.wantOn("and its slot was", w.succeed(0))
	if w.most != 2 {
		t.Errorf("there were %d connections and dials at a time; there may be 2", w.most)
	}
}

// TestAcquireTimeout: its time runs only while there are as many connections as there may be.
func TestAcquireTimeout(t *testing.T) {
	w := newPoolWorld(t, 1, Options{MaxConnections: 1, Timeouts: Timeouts{Acquire: time.Second, Connect: time.Minute}})
	first, second := w.begin(0), w.begin(0)
	w.advance(1100 * time.Millisecond)
	first.wantWaiting("its dial has its own time")
	second.want("it has waited because of the limit for too long", ErrAcquireTimeout)
	third := w.begin(0)
	w.fail(0, unix.ECONNREFUSED)
	w.settle()
	first.want("its dial has failed", ErrConnect)
	w.advance(5 * time.Second)
	third.wantWaiting("since then it does not wait because of the limit any more, but for its dial")
	third.wantOn("that has succeeded", w.succeed(0))
}

func TestRefuse(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 1, AtLimit: Refuse})
	first := w.begin(0)
	w.begin(0).want("there is a connection, and there may be no other", ErrPoolFull)
	wire := w.succeed(0)
	w.begin(1).want("on the other loop it is the same", ErrPoolFull)
	wire.answer()
	w.settle()
	first.want("it was answered", nil)
	next := w.begin(1)
	next.wantWaiting("the other loop has an idle connection, which it gives up")
	w.settle()
	next.wantOn("that was given up", w.succeed(1))
	if !wire.closed || w.closed[ReasonYielded] != 1 {
		t.Errorf("the idle connection should be closed because it was given up; the reasons are %v", w.closed)
	}
}

// TestRefusedWhenIdleIsGone: the idle connection that a request waits for was used meanwhile.
func TestRefusedWhenIdleIsGone(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 1, AtLimit: Refuse})
	w.begin(0)
	wire := w.succeed(0)
	wire.answer()
	w.settle()
	late := w.begin(1)
	w.begin(0).wantOn("the connection is idle there", wire)
	w.settle()
	late.want("there is no idle connection any more", ErrPoolFull)
}

func TestOverflow(t *testing.T) {
	w := newPoolWorld(t, 1, Options{MaxConnections: 1, AtLimit: Overflow})
	first, second := w.begin(0), w.begin(0)
	kept, extra := w.succeed(0), w.succeed(0)
	first.wantOn("it was first", kept)
	second.wantOn("it has one beyond the limit", extra)
	extra.answer()
	kept.answer()
	w.settle()
	first.want("it was answered", nil)
	second.want("it was answered", nil)
	if !extra.closed || kept.closed || w.closed[ReasonOverflow] != 1 {
		t.Errorf("the connection beyond the limit should be closed behind its request, and the other kept; the reasons are %v", w.closed)
	}
}

// TestOverflowLeavesIdleConnectionsAlone: who need not wait is not hungry.
func TestOverflowLeavesIdleConnectionsAlone(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 1, AtLimit: Overflow})
	w.begin(0)
	wire := w.succeed(0)
	wire.answer()
	w.settle()
	w.begin(1)
	if w.pool(0).share.visited {
		t.Error("another loop was asked for its connection, although the request had one beyond the limit at once")
	}
	w.settle()
	if wire.closed {
		t.Error("the idle connection of another loop was closed, although the request had one beyond the limit at once")
	}
}

// TestManyFailAtOnce: one after the other, and not one within the other.
func TestManyFailAtOnce(t *testing.T) {
	const n = 10_000
	w := newWorldFor(t, 1, Options{MaxConnections: 1, MaxWaiting: n}, "unix:/nowhere")
	first := w.begin(0)
	deepest := 0
	callers := make([]*poolCaller, n)
	for i := range callers {
		callers[i] = w.beginRequest(0, &Request{Method: "POST", Target: "/", Body: &deepBody{deepest: &deepest}})
	}
	w.refuse = unix.ECONNREFUSED
	w.fail(0, unix.ECONNREFUSED)
	w.settle()
	first.want("its dial has failed", ErrConnect)
	for _, c := range callers {
		if c.want("its dial was refused at once", unix.ECONNREFUSED); t.Failed() {
			break
		}
	}
	if deepest > 60 {
		t.Errorf("the stack was up to %d calls deep; it should not grow with the number of requests that fail", deepest)
	}
	at := w.begin(0)
	at.want("a dial that is refused at once fails the request within its Poll", ErrConnect)
}

// deepBody looks how deep the stack is when it is closed.
type deepBody struct{ deepest *int }

func (b *deepBody) Poll(pipeline.Waker) ([]byte, error) { return nil, io.EOF }
func (b *deepBody) Close() {
	var callers [200]uintptr
	*b.deepest = max(*b.deepest, runtime.Callers(0, callers[:]))
}
