package client

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop/looptest"
)

// TestOneSlotForTwoLoops: both always want it, and each has it by turns.
func TestOneSlotForTwoLoops(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 1})
	var served [2]int
	var current [2][]*poolCaller
	for i := range 2 {
		current[i] = []*poolCaller{w.begin(i), w.begin(i)}
	}
	for range 20 {
		w.settle()
		for _, a := range w.upAttempts() {
			w.accept(a)
		}
		for _, wire := range w.wires {
			if !wire.closed && wire.conn.call != nil {
				wire.answer()
			}
		}
		w.settle()
		for i := range 2 {
			for n, c := range current[i] {
				if c.over {
					c.want("it was answered", nil)
					served[i]++
					current[i][n] = w.begin(i)
				}
			}
		}
	}
	if served[0]+served[1] != 20 || served[0] != 10 {
		t.Errorf("of 20 requests over the one connection, %d were of the first loop and %d of the second; it should go from one to the other", served[0], served[1])
	}
	if w.most != 1 {
		t.Errorf("there were %d connections and dials at a time; there may be 1", w.most)
	}
}

// TestIdleSlotMoves to the loop that needs it.
func TestIdleSlotMoves(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 2})
	w.begin(0)
	w.begin(0)
	a, b := w.succeed(0), w.succeed(0)
	a.answer()
	w.settle()
	b.answer()
	w.settle()
	c := w.begin(1)
	c.wantWaiting("all connections are the other loop's")
	w.settle()
	if !a.closed || b.closed || w.closed[ReasonYielded] != 1 {
		t.Errorf("the connection that has been idle for longest should be given up, and no other; the reasons are %v", w.closed)
	}
	c.wantOn("it has been given its slot", w.succeed(1))
}

// TestSlotOfReleaseMoves: nothing is idle when the need is there, and what comes free is not kept.
func TestSlotOfReleaseMoves(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 2})
	w.begin(0)
	w.begin(0)
	a, b := w.succeed(0), w.succeed(0)
	own, other := w.begin(0), w.begin(1)
	w.settle()
	other.wantWaiting("both connections are in use")
	a.answer()
	w.settle()
	own.wantWaiting("the other loop has none")
	other.wantOn("and so it was given this one's slot", w.succeed(1))
	b.answer()
	w.settle()
	own.wantOn("now both have one", b)
}

// TestBalance: who holds two more than another that needs one gives one up.
func TestBalance(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 4})
	for range 3 {
		w.begin(0)
	}
	w.begin(1)
	a, b, c := w.succeed(0), w.succeed(0), w.succeed(0)
	w.succeed(1)
	w.begin(0)
	own, other := w.begin(0), w.begin(1)
	w.settle()
	a.answer()
	w.settle()
	if !a.closed {
		t.Error("a loop with 3 connections, which are all needed, should give one up for a loop with 1 that needs another")
	}
	other.wantOn("it was given its slot", w.succeed(1))
	w.begin(1)
	w.settle()
	b.answer()
	c.answer()
	w.settle()
	if b.closed || c.closed {
		t.Error("with 2 connections each, no loop should give one up")
	}
	own.wantOn("its own loop has kept its connections", c)
}

// TestFairShareIsKept: whoever has no more than another does not give up a connection for it, but
// after a while.
func TestFairShareIsKept(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 2})
	w.begin(0)
	w.begin(1)
	a, b := w.succeed(0), w.succeed(1)
	w.begin(0)
	hungry := w.begin(1)
	w.settle()
	kept := 0
	for !a.closed && kept < 2*patience {
		w.begin(0)
		a.answer()
		w.settle()
		kept++
	}
	if kept != patience+1 {
		t.Errorf("with one connection each, and requests waiting on both, the first loop has used its own for %d requests; it should be for %d, before it gives it up", kept, patience+1)
	}
	hungry.wantOn("the other loop's own connection is in use for long", w.succeed(1))
	if b.closed {
		t.Error("the other loop's own connection should be left alone")
	}
}

// TestSpareDialMoves: nobody waits for it where it is.
func TestSpareDialMoves(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 1})
	gone := w.begin(0)
	c := w.begin(1)
	w.settle()
	c.wantWaiting("the other loop's dial is on its way for another request")
	gone.cancel()
	w.settle()
	c.wantOn("that request has gone, and so its dial was given up", w.succeed(1))
	if w.most != 1 {
		t.Errorf("there were %d connections and dials at a time; there may be 1", w.most)
	}
}

// TestHungerEnds when nobody waits any more, and a slot that comes too late goes back.
func TestHungerEnds(t *testing.T) {
	w := newPoolWorld(t, 3, Options{MaxConnections: 1})
	w.begin(0)
	wire := w.succeed(0)
	first, second := w.begin(1), w.begin(2)
	w.settle()
	wire.answer()
	for range 3 {
		w.loops[0].Poll() // the slot is on its way to loop 1
	}
	first.cancel()
	w.settle()
	second.wantOn("the slot that loop 1 did not need any more was passed on", w.succeed(2))
	w.begin(1).cancel()
	w.settle()
	if need := w.upstream.slots.need.Load(); need != 0 {
		t.Errorf("nobody waits any more, and the need is %d; it should be 0", need)
	}
}

// TestSlotsOfEndedLoopComeBack: its connections were closed with it.
func TestSlotsOfEndedLoopComeBack(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 2})
	third := looptest.New(t)
	w.loops = append(w.loops, third)
	w.begin(2)
	w.begin(2)
	w.succeed(2)
	w.succeed(2)
	third.Abandon()
	w.loops = w.loops[:2]
	wires := w.wires
	w.wires = nil // the loop has closed them, as it closes sockets
	first, second, waits := w.begin(0), w.begin(1), w.begin(0)
	w.settle()
	first.wantOn("the slots of the loop that has ended are free", w.succeed(0))
	second.wantOn("all of them", w.succeed(1))
	waits.wantWaiting("and no more than those")
	if s := w.upstream.Stats(); s.Connections != 2 || s.Opened != 4 {
		t.Errorf("the counts are %+v; 2 connections should be open, and 4 have been opened", s)
	}
	if taken, hungry := w.upstream.slots.take(w.client.local(third.Loop).pool(w.upstream), Wait); taken || hungry {
		t.Error("a loop that has ended should neither be given a slot nor be waited for")
	}
	for _, wire := range wires {
		w.client.local(third.Loop).pool(w.upstream).discard(wire.conn, ReasonFailed) // as in the loop's last turn
	}
	if taken := w.upstream.slots.taken; taken != 2 {
		t.Errorf("what the ended loop gives back does not count any more, and %d slots are taken; it should be 2", taken)
	}
}

// TestDialThatFailsFreesItsSlot for whoever needs it most.
func TestDialThatFailsFreesItsSlot(t *testing.T) {
	w := newPoolWorld(t, 2, Options{MaxConnections: 1})
	first, own, other := w.begin(0), w.begin(0), w.begin(1)
	w.settle()
	w.fail(0, unix.ECONNREFUSED)
	w.settle()
	first.want("its dial has failed", ErrConnect)
	own.wantWaiting("the other loop has no slot")
	other.wantOn("and has been given one", w.succeed(1))
}
