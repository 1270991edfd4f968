package server

import (
	"io"
	"net/netip"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// conn joins a socket to a core: it polls the core while the socket takes what
// comes out, and gives the core the bytes of the socket when it asks. It is the
// only place that knows both.
//
// A conn is small, because there are many that do nothing: an idle one holds no
// buffer, no parser and no request. Owned by the loop goroutine.
type conn struct {
	socket loop.Socket
	task   loop.Task
	timer  loop.Timer
	core   core

	input     *loop.ReadBuffer // holds the chunk that was read last, while it may be looked at
	unwritten *unwritten       // what the socket has not taken yet, or nil
	peer      *netip.AddrPort  // nil until somebody asks: the kernel is asked once
	deadline  time.Duration    // loop time at which waiting has lasted too long; 0: never

	readBudget int32 // bytes that may still be read in this turn
	lingered   int32 // bytes thrown away while lingering
	index      int32 // in local.connections; -1 once closed
	phase      phase
	inTurn     bool // Run is on the way
}

// What a connection may do in one turn, before the others have theirs: bytes
// that it reads, bytes that it writes, and requests that it has answered. Writing is a copy
// and takes some 15 microseconds for 64 KiB; what is read may cost a handler more than that.
const (
	turnReads    = 64 << 10
	turnWrites   = 256 << 10
	turnRequests = 32
)

func newConn(local *local, fd int) (*conn, error) {
	c := &conn{}
	c.core.local = local
	c.core.link = (*socketLink)(c)
	c.task.Init(c)
	c.timer.Init(c)
	if err := c.socket.Attach(local.loop, fd, c); err != nil {
		return nil, err
	}
	local.remember(c)
	c.setDeadline(local.options.HeadTimeout)
	return c, nil
}

// Wake has the connection polled again, in this turn or the next.
func (c *conn) Wake() { c.core.local.loop.Schedule(&c.task) }

// SocketEvent is called by the loop when the readiness of the socket changed.
func (c *conn) SocketEvent(r loop.Readiness) {
	switch {
	case c.phase == phaseHalfClosed:
		c.halfClosedEvent(r)
		return
	case r&loop.Broken != 0 && c.phase == phaseLinger:
		c.close(c.core.reason) // both sides have closed, or the client will not take the answer
		return
	case r&loop.Broken != 0:
		c.close(ReasonConnectionLost)
		return
	case r&loop.HalfClosed != 0 && c.core.openEnded():
		c.close(ReasonClientClosed)
		return
	case c.unwritten != nil && r&loop.Writable != 0, c.phase == phaseLinger:
		c.Wake()
	}
	if r&(loop.Readable|loop.HalfClosed) != 0 {
		c.inputArrived()
	}
	if r&loop.HalfClosed != 0 {
		c.noticeHalfClose()
	}
}

// inputArrived wakes whoever waits for input; nobody does when the handler has
// not asked for the body.
func (c *conn) inputArrived() {
	if t := c.core.tunnel(); t != nil {
		t.inputArrived()
		return
	}
	x := c.core.exchange
	if x == nil {
		c.Wake()
	} else if w := x.inputWaker; w != nil {
		x.inputWaker = nil
		w.Wake()
	}
}

// Run is the connection's turn: it moves bytes until nothing can be moved or its
// share is used up.
func (c *conn) Run() {
	c.inTurn, c.readBudget = true, turnReads
	c.move()
	c.inTurn = false
}

func (c *conn) move() {
	before := c.core.requests
	for written := int64(0); written < turnWrites && c.core.requests-before < turnRequests; {
		if c.unwritten != nil && !c.writeOn() {
			return
		}
		if c.phase == phaseLinger {
			c.lingerOn()
			return
		}
		s, err := c.core.Poll(c)
		if err != nil {
			c.wait(err)
			return
		}
		written += s.size()
		if !c.write(&s) {
			return
		}
		if c.phase == phaseEvents {
			c.phase = phaseHandler // the silence is over
		}
		if c.core.waits {
			c.core.recycleOutput()
			c.wait(pipeline.ErrPending)
			return
		}
	}
	// It is not waiting: the time that ran while it last did is over.
	c.phase, c.deadline = phaseHandler, 0
	c.Wake()
}

// wait is what a turn ends with when the core has nothing to hand out.
func (c *conn) wait(err error) {
	switch {
	case err != pipeline.ErrPending:
		c.leave(err)
	case c.core.openEnded() && c.socket.PeerClosed():
		c.close(ReasonClientClosed)
	case c.core.halfClosed():
		c.endOutput()
	default:
		if c.socket.PeerClosed() {
			c.noticeHalfClose()
		}
		c.setPhase(c.core.phase())
	}
}

// leave ends the connection after the last byte was written: gently when the
// client may still be sending, at once otherwise (RFC 9112, section 9.6).
func (c *conn) leave(err error) {
	switch {
	case c.core.ending == endsByHandover:
		c.handOver()
	case c.core.ending == endsByReset:
		c.socket.Reset()
		c.close(c.core.reason)
	case err == io.EOF && c.core.reason != ReasonClientClosed && (c.core.ending == endsLate || c.socket.Readable()):
		if c.socket.CloseWrite() != nil {
			c.close(c.core.reason)
			return
		}
		c.phase = phaseLinger
		c.setDeadline(c.core.local.options.LingerTimeout)
		c.Wake()
	default:
		c.close(c.core.reason)
	}
}

// lingerOn throws away what the client still sends, up to a limit.
func (c *conn) lingerOn() {
	local := c.core.local
	buffer := local.loop.LendReadBuffer()
	defer local.loop.TakeBackReadBuffer(buffer)
	for c.readBudget > 0 && int64(c.lingered) <= local.options.LingerLimit {
		n, err := c.socket.Read(buffer.Bytes[:])
		if err == loop.ErrAgain {
			return
		}
		if err != nil {
			c.close(c.core.reason)
			return
		}
		c.readBudget -= int32(n)
		c.lingered += int32(n)
	}
	if int64(c.lingered) > local.options.LingerLimit {
		c.close(c.core.reason)
		return
	}
	c.Wake()
}

// close ends the connection now, whatever state it is in.
func (c *conn) close(reason CloseReason) {
	if c.index < 0 {
		return
	}
	local := c.core.local
	local.forget(c)
	c.core.cancel(reason)
	(*socketLink)(c).Release()
	c.core.refuseHandover(ErrClientGone)
	if c.unwritten != nil {
		local.release(&c.unwritten.segment)
		local.takeBackUnwritten(c.unwritten)
		c.unwritten = nil
	}
	local.loop.ClearTimer(&c.timer)
	local.loop.Unschedule(&c.task)
	c.socket.Close()
	local.closed(reason)
}

// Abort is called by a topic that evicts the connection's subscription. What the client
// has not taken yet stands in the way of anything that would be sent behind it, so it is
// thrown away with the connection.
func (c *conn) Abort(error) {
	if c.unwritten == nil || c.core.stream == nil {
		c.Wake()
		return
	}
	c.socket.Reset()
	c.close(ReasonEvicted)
}

// Panicked is called by the loop when the connection's turn has panicked outside
// of what the core guards.
func (c *conn) Panicked(value any, stack []byte) {
	c.core.local.options.Logger.Error("a connection's turn panicked", "panic", value, "stack", string(stack))
	c.close(ReasonResponseFailed)
}

// socketLink is a conn seen as the link of its core.
type socketLink conn

// Poll reads from the socket. The chunk is in a buffer that is lent to the
// connection until the next Poll or Release.
func (l *socketLink) Poll(w pipeline.Waker) ([]byte, error) {
	c := (*conn)(l)
	local := c.core.local
	if !c.inTurn {
		// What follows from this poll belongs to a turn: a new share of bytes, 100 Continue,
		// and the time in which the body has to come.
		c.Wake()
	}
	if c.readBudget <= 0 {
		l.Release()
		w.Wake()
		return nil, pipeline.ErrPending
	}
	if c.socket.Readable() {
		if c.input == nil {
			c.input = local.loop.LendReadBuffer()
		}
		n, err := c.socket.Read(c.input.Bytes[:])
		if err == nil {
			c.readBudget -= int32(n)
			if x := c.core.exchange; x != nil {
				x.arrived += int64(n)
			}
			return c.input.Bytes[:n:n], nil
		}
		if err != loop.ErrAgain {
			l.Release()
			return nil, err
		}
	}
	l.Release()
	if x := c.core.exchange; x != nil {
		x.inputWaker = w
	}
	return nil, pipeline.ErrPending
}

// Wake has the connection polled again.
func (l *socketLink) Wake() { (*conn)(l).Wake() }

// Release gives the read buffer back.
func (l *socketLink) Release() {
	if l.input != nil {
		l.core.local.loop.TakeBackReadBuffer(l.input)
		l.input = nil
	}
}

// Close is there for the contract of a source; the socket is closed by the conn.
func (l *socketLink) Close() { l.Release() }

// Forget drops the client's address. Who asks for it again has the kernel asked again.
func (l *socketLink) Forget() { l.peer = nil }

func (l *socketLink) RemoteAddr() netip.AddrPort {
	if l.peer == nil {
		address, err := l.socket.RemoteAddr()
		if err != nil {
			return netip.AddrPort{} // the client has gone
		}
		l.peer = &address
	}
	return *l.peer
}

func (l *socketLink) LocalAddr() netip.AddrPort {
	address, _ := l.socket.LocalAddr()
	return address
}
