package program

import (
	"runtime"
	"testing"
)

func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, mostPercent}, {1 << 20, mostPercent}, {4 << 20, 300}, {8 << 20, 100}, {11 << 20, 50}, {15 << 20, 50}, {16 << 20, 50}, {1 << 40, 50},
	} {
		if got := growth(c.live); got != c.want {
			t.Errorf("with %d bytes in use the heap may grow by %d percent, and should by %d", c.live, got, c.want)
		}
	}
}

func TestAfterEachCollection(t *testing.T) {
	collected := make(chan struct{}, 100)
	afterEachCollection(func() {
		select {
		case collected <- struct{}{}:
		default:
		}
	})
	for range 3 {
		runtime.GC()
		<-collected
	}
}
