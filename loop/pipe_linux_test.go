package loop_test

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
)

// fillPipe puts a byte into p.
func fillPipe(t *testing.T, l *looptest.Loop, p *loop.Pipe) {
	t.Helper()
	h, peer := attachedPair(t, l)
	defer h.socket.Close()
	looptest.Send(t, peer, "x")
	l.Settle()
	if n, err := h.socket.SpliceIn(p, 1); n != 1 || err != nil {
		t.Fatalf("a byte could not be put into the pipe: %d, %v", n, err)
	}
}

func TestPipeIsLentAgain(t *testing.T) {
	l := looptest.New(t)
	first := lend(t, l)
	if held := l.Held().Pipes; held != 1 {
		t.Errorf("the loop says that %d pipes are lent; it is one", held)
	}
	l.TakeBackPipe(first)
	open := descriptors(t)
	if second := lend(t, l); second != first || descriptors(t) != open {
		t.Error("an empty pipe that was given back should be the next that is lent")
	}
	fillPipe(t, l, first)
	before := descriptors(t)
	l.TakeBackPipe(first)
	if after := descriptors(t); after != before-2 || l.Held().Pipes != 0 {
		t.Errorf("a pipe with bytes in it should be closed when it is given back; %d descriptors were open before and %d after", before, after)
	}
}

func TestLoopKeepsFewPipes(t *testing.T) {
	l := looptest.New(t)
	before := descriptors(t)
	var lent []*loop.Pipe
	for range loop.KeptPipes + 3 {
		lent = append(lent, lend(t, l))
	}
	for _, p := range lent {
		l.TakeBackPipe(p)
	}
	if after := descriptors(t); after != before+2*loop.KeptPipes {
		t.Errorf("of %d pipes that were given back the loop keeps %d descriptors; it should be two for each of %d",
			len(lent), after-before, loop.KeptPipes)
	}
}

func TestPipesAreBounded(t *testing.T) {
	l := looptest.New(t)
	var lent []*loop.Pipe
	for range loop.MaxPipes {
		lent = append(lent, lend(t, l))
	}
	if _, err := l.LendPipe(); err != loop.ErrNoPipe {
		t.Errorf("the pipe after the last should be refused with ErrNoPipe; the error was %v", err)
	}
	for _, p := range lent {
		l.TakeBackPipe(p)
	}
	l.TakeBackPipe(lend(t, l))
}

func TestPipeWithoutDescriptors(t *testing.T) {
	l := looptest.New(t)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few := limit
	few.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	_, err := l.LendPipe()
	if restoreErr := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); restoreErr != nil {
		t.Fatal(restoreErr)
	}
	if !errors.Is(err, unix.EMFILE) || l.Held().Pipes != 0 {
		t.Errorf("without a descriptor the error should wrap EMFILE; it is %v", err)
	}
}

// TestLoopClosesItsPipes: those that nobody uses, and those that were never given back.
func TestLoopClosesItsPipes(t *testing.T) {
	before := descriptors(t)
	l := looptest.New(t)
	idle, lost := lend(t, l), lend(t, l)
	fillPipe(t, l, lost)
	l.TakeBackPipe(idle)
	l.Abandon()
	if after := descriptors(t); after != before+1 { // the peer in fillPipe is closed with the test
		t.Errorf("a loop that has ended should leave no descriptor; %d were open before and %d after", before, after)
	}
	l.TakeBackPipe(lost)
	if _, err := l.LendPipe(); err != loop.ErrStopped {
		t.Errorf("a loop that has ended should refuse with ErrStopped; the error was %v", err)
	}
}

func TestPipesAllocateNothing(t *testing.T) {
	l := looptest.New(t)
	from, sender := attachedPair(t, l)
	to, receiver := attachedPair(t, l)
	defer from.socket.Close()
	defer to.socket.Close()
	l.TakeBackPipe(lend(t, l))
	text, rest := []byte("text"), make([]byte, 64)
	allocations := testing.AllocsPerRun(50, func() {
		_, _ = unix.Write(sender, text)
		l.Deliver(looptest.Event{FD: from.descriptor, Ready: loop.Readable})
		p, _ := l.LendPipe()
		_, _ = from.socket.SpliceIn(p, 64)
		_, _ = to.socket.SpliceOut(p, 64)
		l.TakeBackPipe(p)
		_, _ = unix.Read(receiver, rest)
	})
	if allocations != 0 {
		t.Errorf("moving bytes allocates %v times; it should never", allocations)
	}
}
