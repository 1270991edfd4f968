package program

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// The heap of a server without a goroutine for each connection is small, and the garbage of its
// requests with it: at Go's default it would be collected every 4 MB. But a heap of many streams
// that wait should not be allowed to grow to several times its size. So
//
//   - it is collected when it comes to 16 MiB, and from about 11 MiB in use on, when it has grown
//     by half;
//   - when it was not collected for a while, and there is garbage all the same, or memory that is
//     free, it is collected once and what is free is given back: nothing else would do that soon.

const (
	collectAt    = 16 << 20 // bytes of heap
	leastPercent = 50
	mostPercent  = 400 // Go scales its least heap, 4 MiB, with it

	quiet    = 2 * time.Second // without a collection
	worth    = 4               // what is worth it: garbage and free memory of one part in so many of what is in use,
	smallest = 1 << 20         // and so many bytes
)

// collectRarely keeps to that for as long as the process runs. GOGC, when it is set, has the last
// word.
func collectRarely() {
	if os.Getenv("GOGC") != "" {
		return
	}
	c := newCollector()
	c.collected()
	afterEachCollection(c.collected)
}

// collector decides when to collect garbage.
type collector struct {
	mu      sync.Mutex
	samples []metrics.Sample // what was in use after the last collection; what is on the heap; what is free in it
	percent int              // that is set
	seen    uint64           // on the heap when it was last looked at
	timer   *time.Timer
}

func newCollector() *collector {
	return &collector{samples: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}}
}

// collected is called after each collection.
func (c *collector) collected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	metrics.Read(c.samples)
	if percent := growth(c.samples[0].Value.Uint64()); percent < c.percent*9/10 || percent > c.percent*11/10 {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
	c.seen = 0
	if c.timer == nil {
		c.timer = time.AfterFunc(quiet, c.look)
		return
	}
	c.timer.Reset(quiet)
}

// look is called when nothing was collected for a while, and again as long as the heap changes.
func (c *collector) look() {
	c.mu.Lock()
	metrics.Read(c.samples)
	live, now := c.samples[0].Value.Uint64(), c.samples[1].Value.Uint64()
	collect := now+c.samples[2].Value.Uint64() > live+live/worth+smallest
	if !collect && now != c.seen {
		c.timer.Reset(quiet)
	}
	c.seen = now
	c.mu.Unlock()
	if collect {
		debug.FreeOSMemory()
	}
}

// growth is by how many percent the heap may grow beyond what was in use after it was last
// collected.
func growth(live uint64) int {
	if live >= collectAt {
		return leastPercent
	}
	return int(min(mostPercent, max(leastPercent, (collectAt-live)*100/max(live, 1))))
}

// afterEachCollection has f called, on a goroutine of the runtime, when garbage was collected.
func afterEachCollection(f func()) {
	type leaf struct{ _ [16]byte } // large enough not to share its memory with another
	runtime.SetFinalizer(new(leaf), func(*leaf) {
		f()
		afterEachCollection(f)
	})
}
