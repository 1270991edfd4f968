package program

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The heap of a server without a goroutine for each connection is small, and the garbage of its
// requests with it: at Go's default it would be collected every 4 MB. But a heap of many streams
// that wait should not be allowed to grow to several times its size. So it is collected when it
// comes to 16 MiB, and from about 11 MiB in use on, when it has grown by half.

const (
	collectAt    = 16 << 20 // bytes of heap
	leastPercent = 50
	mostPercent  = 400 // Go scales its least heap, 4 MiB, with it
)

// collectRarely keeps to that for as long as the process runs. GOGC, when it is set, has the last
// word.
func collectRarely() {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	set := 0
	adjust := func() {
		metrics.Read(live)
		if percent := growth(live[0].Value.Uint64()); percent < set*9/10 || percent > set*11/10 {
			set = percent
			debug.SetGCPercent(percent)
		}
	}
	adjust()
	afterEachCollection(adjust)
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
