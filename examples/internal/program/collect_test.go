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

// forced is how often the program has asked for a collection.
func forced() uint32 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NumForcedGC
}

var kept [][]byte

func TestGarbageOfAQuietProgramIsCollected(t *testing.T) {
	c := newCollector()
	runtime.GC()
	c.collected()
	defer c.timer.Stop()
	before := forced()
	for range 8 << 10 {
		kept = append(kept[:0], make([]byte, 1<<10)) // the one before is garbage
	}
	c.look()
	if forced() != before+1 {
		t.Errorf("when the heap has grown by much it should be collected once, and was %d times", forced()-before)
	}
	c.collected() // as the runtime tells it
	c.look()
	if forced() != before+1 {
		t.Errorf("a heap without garbage should be left alone, and was collected %d times", forced()-before)
	}
}
