package loop_test

import (
	"sync"
	"testing"

	"github.com/penstock-go/penstock/loop"
)

func TestGroupRefuses(t *testing.T) {
	if _, err := loop.NewGroup(0, loop.Options{}); err == nil {
		t.Error("a group of no loops should be refused")
	}
}

// TestGroupEndsTogether: when one loop cannot run, the others are stopped, and the group
// says why.
func TestGroupEndsTogether(t *testing.T) {
	g, err := loop.NewGroup(3, loop.Options{})
	if err != nil {
		t.Fatal(err)
	}
	spent := g.Loops()[1]
	spent.Stop()
	if err := spent.Run(); err != nil {
		t.Fatal(err)
	}
	if err := g.Run(); err == nil {
		t.Error("a group with a loop that has been run before should return its error")
	}
	for _, l := range g.Loops() {
		if err := l.Post(func() {}); err != loop.ErrStopped {
			t.Errorf("when a group has ended its loops should refuse posts; the error was %v", err)
		}
	}
}

// TestGroupUnderLoad: many clients at once, all echoed, over several loops.
func TestGroupUnderLoad(t *testing.T) {
	g := start(t, 3, loop.Options{})
	ln := listen(t, "tcp", "127.0.0.1:0", g.Loops(), accept)
	var clients sync.WaitGroup
	for range 50 {
		c := connect(t, ln.Addr())
		clients.Go(func() {
			defer c.Close()
			for range 50 {
				exchange(t, c, "one of many")
			}
		})
	}
	clients.Wait()
}
