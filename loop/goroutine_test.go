package loop

import (
	"strings"
	"testing"
)

func TestStackOfAGoroutine(t *testing.T) {
	number := make(chan uint64)
	release := make(chan struct{})
	go standStill(number, release)
	defer close(release)
	other := <-number
	if own := goroutineNumber(); own == 0 || own == other {
		t.Errorf("two goroutines should have two numbers; they are %d and %d", own, other)
	}
	if stack := stackOf(other); !strings.Contains(stack, "standStill") || strings.Contains(stack, "TestStackOfAGoroutine(") {
		t.Errorf("the stack should be that of the other goroutine alone, and is\n%s", stack)
	}
	if stack := stackOf(0); stack != "" {
		t.Errorf("a goroutine that is not there should have no stack; it has\n%s", stack)
	}
}

func standStill(number chan uint64, release chan struct{}) {
	number <- goroutineNumber()
	<-release
}

func TestInnermostFunction(t *testing.T) {
	for stack, want := range map[string]string{
		"":                         "",
		"goroutine 7 [running]:\n": "",
		"goroutine 7 [select]:\nruntime.gopark(0x1)\n\t/go/proc.go:1 +0x2\nsync.(*Mutex).Lock(...)\n\t/go/mutex.go:3\n" +
			"main.(*board).add(0xc0001, {0x2, 0x3})\n\t/src/a b/board.go:12 +0x1d\nmain.main()\n\t/src/main.go:4 +0x1\n": "main.(*board).add at /src/a b/board.go:12",
		"goroutine 7 [sleep]:\ntime.Sleep(0x5)\n\t/go/time.go:1 +0x2\nmain.wait[...](0x1)\n\t/src/wait.go:9 +0x1": "main.wait[...] at /src/wait.go:9",
		"goroutine 7 [running]:\nruntime.gopark(0x1)\n\t/go/proc.go:1 +0x2\n":                                     "",
	} {
		if got := innermost(stack); got != want {
			t.Errorf("the innermost function should be %q, and is %q, of\n%s", want, got, stack)
		}
	}
}

// TestLoopThatEndsAnswersItsWatchdog: it was asked, and no turn comes any more.
func TestLoopThatEndsAnswersItsWatchdog(t *testing.T) {
	l, p, _ := newStubLoop(t)
	p.onRun = func() { l.mark.Store(markAsked) }
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if mark := l.mark.Load(); mark != markResting {
		t.Errorf("a loop that has ended should have answered; its mark is %d", mark)
	}
}
