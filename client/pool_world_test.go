package client

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

// A poolWorld is a client on loops that the test turns by hand, whose connections lead nowhere: the
// test says which dial succeeds and which fails, what is answered, and what an upstream closes.
type poolWorld struct {
	t        *testing.T
	client   *Client
	upstream *Upstream
	loops    []*looptest.Loop
	attempts []*dialAttempt // that are on their way, the oldest first
	refuse   error          // of every dial from now on, at once
	dialed   []*poolWire    // all that ever were
	wires    []*poolWire    // that were connected
	callers  []*poolCaller
	events   []string          // of hooks
	states   map[uint64]string // what was told last of each connection
	closed   map[CloseReason]int
	most     int // dials and connections at one time, those beyond the limit left out
}

func newPoolWorld(t *testing.T, loops int, o Options) *poolWorld {
	return newWorldFor(t, loops, o, "http://127.0.0.1:8080")
}

func newWorldFor(t *testing.T, loops int, o Options, address string) *poolWorld {
	t.Helper()
	w := &poolWorld{t: t, closed: make(map[CloseReason]int), states: make(map[uint64]string)}
	for range loops {
		w.loops = append(w.loops, looptest.New(t))
	}
	w.recordHooks(&o)
	w.client, _ = New(o)
	w.client.connect = func(a *dialAttempt) error {
		if w.refuse != nil {
			return w.refuse
		}
		wire := &poolWire{conn: a.conn}
		a.conn.transport = wire
		w.dialed = append(w.dialed, wire)
		w.attempts = append(w.attempts, a)
		return nil
	}
	var err error
	if w.upstream, err = w.client.Upstream(address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	return w
}

func (w *poolWorld) recordHooks(o *Options) {
	note := func(what string, behind ...string) func(ConnectionInfo) {
		return func(i ConnectionInfo) {
			w.events = append(w.events, fmt.Sprintf("%s %d", what, i.Number))
			w.follows(i, what, behind...)
		}
	}
	if o.Hooks.Opened == nil {
		o.Hooks.Opened, o.Hooks.Acquired, o.Hooks.Released = note("opened", ""), note("acquired", "opened", "released"), note("released", "acquired")
	}
	o.Hooks.Closed = func(i ConnectionInfo, r CloseReason) {
		w.closed[r]++
		if w.states[i.Number] != "" {
			w.follows(i, "closed", "opened", "released")
		}
		w.events = append(w.events, fmt.Sprintf("closed %d: %v", i.Number, r))
	}
}

// follows checks the order of what the hooks are told of a connection.
func (w *poolWorld) follows(i ConnectionInfo, what string, behind ...string) {
	if last := w.states[i.Number]; !slices.Contains(behind, last) {
		w.t.Errorf("connection %d was %s behind being %q, and should be behind %q", i.Number, what, last, behind)
	}
	w.states[i.Number] = what
}

// end is the check at the end of a test: nothing is left.
func (w *poolWorld) end() {
	if w.t.Failed() {
		return
	}
	w.client.Close()
	w.settle()
	for _, c := range w.callers {
		c.cancel()
	}
	w.settle()
	s := &w.upstream.slots
	if s.taken != 0 || len(s.hungry) != 0 || s.need.Load() != 0 {
		w.t.Errorf("in the end %d slots were still taken and %d pools hungry (need %d); all should have come back", s.taken, len(s.hungry), s.need.Load())
	}
	if stats := w.upstream.Stats(); stats.Connections+stats.Idle+stats.Connecting+stats.Waiting != 0 {
		w.t.Errorf("in the end the upstream's counts were %+v; nothing should be left", stats)
	}
	for _, wire := range w.wires {
		if !wire.closed {
			w.t.Errorf("connection %d was not closed in the end", wire.conn.number)
		}
	}
	for _, wire := range w.dialed {
		if !wire.closed && wire.conn.number == 0 {
			w.t.Error("in the end an attempt to connect was not closed, and nobody waits for it")
		}
	}
	for number, state := range w.states {
		if state != "closed" {
			w.t.Errorf("in the end connection %d is %s; the hooks should have been told that it is closed", number, state)
		}
	}
	for i, l := range w.loops {
		if local := w.client.local(l.Loop); len(local.live) != 0 {
			w.t.Errorf("in the end loop %d still had %d pools with something in them", i, len(local.live))
		}
	}
	if len(w.upAttempts()) != 0 {
		w.t.Errorf("in the end %d dials were still on their way", len(w.upAttempts()))
	}
}

// settle turns all loops until nothing is ready on any of them.
func (w *poolWorld) settle() {
	for range 10_000 {
		n := 0
		for _, l := range w.loops {
			n += l.Poll()
			w.count()
		}
		if n == 0 {
			return
		}
	}
	w.t.Fatalf("the loops do not come to rest: they keep each other busy")
}

// upAttempts are the dials that are on their way.
func (w *poolWorld) upAttempts() []*dialAttempt {
	w.attempts = slices.DeleteFunc(w.attempts, func(a *dialAttempt) bool { return a.conn.closed || a.dial.over })
	return w.attempts
}

// count takes note of how many connections and dials there are.
func (w *poolWorld) count() {
	n := 0
	for _, a := range w.upAttempts() {
		if !a.dial.extra {
			n++
		}
	}
	for _, wire := range w.wires {
		if !wire.closed && !wire.conn.extra {
			n++
		}
	}
	w.most = max(w.most, n)
}

func (w *poolWorld) pool(i int) *pool { return w.client.local(w.loops[i].Loop).pool(w.upstream) }

// succeed has the oldest dial of a loop succeed, and returns its connection.
func (w *poolWorld) succeed(i int) *poolWire {
	w.t.Helper()
	for _, a := range w.upAttempts() {
		if a.dial.pool == w.pool(i) {
			return w.accept(a)
		}
	}
	w.t.Fatalf("no dial of loop %d is on its way; there should be one", i)
	return nil
}

func (w *poolWorld) accept(a *dialAttempt) *poolWire {
	wire := a.conn.transport.(*poolWire)
	w.wires = append(w.wires, wire)
	a.dial.attemptOver(a, nil)
	w.count()
	return wire
}

// fail has the oldest dial of a loop fail.
func (w *poolWorld) fail(i int, err error) {
	w.t.Helper()
	for _, a := range w.upAttempts() {
		if a.dial.pool == w.pool(i) {
			a.dial.attemptOver(a, err)
			return
		}
	}
	w.t.Fatalf("no dial of loop %d is on its way; there should be one", i)
}

// wantEvents checks what the hooks have been told since the last time.
func (w *poolWorld) wantEvents(why string, want ...string) {
	w.t.Helper()
	if !slices.Equal(w.events, want) {
		w.t.Errorf("%s: the hooks were told %q, and should be told %q", why, w.events, want)
	}
	w.events = nil
}

// poolWire is a connection's other end.
type poolWire struct {
	conn   *conn
	in     string // what has come and was not read
	ended  bool   // the upstream has closed it
	closed bool
}

func (p *poolWire) Read(b []byte) (int, error) {
	switch n := copy(b, p.in); {
	case n > 0:
		p.in = p.in[n:]
		return n, nil
	case p.ended:
		return 0, io.EOF
	}
	return 0, loop.ErrAgain
}

func (p *poolWire) Writev(bufs [][]byte) (n int, err error) {
	for _, b := range bufs {
		n += len(b)
	}
	return n, nil
}

func (p *poolWire) SpliceIn(*loop.Pipe, int) (int, error) { return 0, errors.New("there is no pipe") }
func (p *poolWire) Readable() bool                        { return p.in != "" || p.ended }
func (p *poolWire) PeerClosed() bool                      { return p.ended }
func (p *poolWire) CloseWrite() error                     { return nil }
func (p *poolWire) Reset()                                { p.closed = true }
func (p *poolWire) Close()                                { p.closed = true }

// send has bytes come.
func (p *poolWire) send(s string) {
	p.in += s
	p.conn.SocketEvent(loop.Readable)
}

// answer has an answer come without content.
func (p *poolWire) answer() { p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }

// hangUp has the upstream close the connection.
func (p *poolWire) hangUp() {
	p.ended = true
	p.conn.SocketEvent(loop.Readable | loop.HalfClosed)
}

// A poolCaller has sent a request, and reads the response to its end in turns of its own.
type poolCaller struct {
	world *poolWorld
	loop  *looptest.Loop
	task  loop.Task
	call  *call
	over  bool
	err   error // why it failed
	turns int   // in which it has ended; more than one is wrong
}

// begin sends a request from a loop.
func (w *poolWorld) begin(i int) *poolCaller { return w.beginRequest(i, &Request{Target: "/"}) }

func (w *poolWorld) beginRequest(i int, r *Request) *poolCaller {
	c := &poolCaller{world: w, loop: w.loops[i]}
	c.call = w.upstream.Do(c.loop.Loop, r).(*call)
	c.task.Init(c)
	w.callers = append(w.callers, c)
	c.Run()
	w.count()
	return c
}

func (c *poolCaller) Wake() { c.loop.Schedule(&c.task) }

func (c *poolCaller) Run() {
	if c.over {
		return
	}
	response, err := c.call.Poll(c)
	if response != nil {
		for err == nil {
			_, err = response.Body.Poll(c)
		}
	}
	if err == pipeline.ErrPending {
		return
	}
	if response != nil {
		response.Close()
	}
	c.turns++
	c.over, c.err = true, err
	c.call.Close()
}

// cancel has the caller go away.
func (c *poolCaller) cancel() {
	if !c.over {
		c.over, c.err = true, errors.New("cancelled")
		c.loop.Unschedule(&c.task)
		if c.call.handedOut {
			c.call.response.Close()
		}
		c.call.Close()
	}
}

// want checks how the caller's request has ended; nil is a good end.
func (c *poolCaller) want(why string, err error) {
	c.world.t.Helper()
	switch {
	case !c.over:
		c.world.t.Errorf("%s: the request should be over, and is not", why)
	case err == nil && c.err != io.EOF, err != nil && !errors.Is(c.err, err):
		c.world.t.Errorf("%s: the request has ended with %v, and should end with %v", why, c.err, err)
	}
}

// wantWaiting checks that the caller waits for a connection.
func (c *poolCaller) wantWaiting(why string) {
	c.world.t.Helper()
	if c.over || c.call.state != callWaiting {
		c.world.t.Errorf("%s: the request should wait for a connection; its state is %d, it has ended with %v", why, c.call.state, c.err)
	}
}

// wantOn checks that the caller's request is on a connection.
func (c *poolCaller) wantOn(why string, wire *poolWire) {
	c.world.t.Helper()
	if c.over || c.call.conn != wire.conn {
		c.world.t.Errorf("%s: the request should be on connection %d, and is not; it has ended with %v", why, wire.conn.number, c.err)
	}
}

// advance lets time go by on all loops.
func (w *poolWorld) advance(d time.Duration) {
	for _, l := range w.loops {
		l.Advance(d)
	}
	w.settle()
}
