package main

import "strconv"

// A measure is one number of a sample. Ratio says that servers are compared in it. The first
// measure of a scenario is the one that it is about.
type measure struct {
	Key           string `json:"key"`
	Title         string `json:"title"`
	Unit          unit   `json:"unit"`
	Ratio         bool   `json:"ratio"`
	LowerIsBetter bool   `json:"lower_is_better"`
}

// A target is what Penstock must reach: a ratio to another kind, or with against empty the
// value itself.
type target struct {
	key     string
	against string
	atLeast bool // else at most
	bound   float64
}

const (
	keyCPU         = "cpu_microseconds_per_request"
	keyUserCPU     = "user_microseconds_per_request"
	keySystemCPU   = "system_microseconds_per_request"
	keyRate        = "requests_per_second"
	keyBytesRate   = "bytes_per_second"
	keyFailed      = "failed_requests"
	keyPeakMemory  = "peak_resident_bytes"
	keyCoresUsed   = "cores_used"
	keyLatencyP50  = "latency_p50_microseconds"
	keyLatencyP90  = "latency_p90_microseconds"
	keyLatencyP99  = "latency_p99_microseconds"
	keyLatencyP999 = "latency_p999_microseconds"
	keyLatencyMax  = "latency_max_microseconds"

	// Behind the keys of what a scenario measures once more for comparison.
	suffixAlone = "_alone"

	keyGibibyteCPU         = "cpu_microseconds_per_gibibyte"
	keyGibibyteCPUBuffered = keyGibibyteCPU + "_buffered"

	keyIdleMemory  = "idle_bytes_per_connection"
	keyUnderWay    = "most_bytes_under_way"
	keyEchoSeconds = "seconds"

	keyDeliveryCPU   = "cpu_microseconds_per_delivery"
	keyDeliveryRate  = "deliveries_per_second"
	keyDeliveryBytes = "bytes_per_delivery"

	keySubscriberMemory = "bytes_per_subscriber"
	keyGoroutinesBefore = "goroutines_before"
	keyGoroutines       = "goroutines"
	keyGoroutinesAdded  = "goroutines_added"

	keyReaderMemory = "bytes_per_reader"

	keyHeld         = "most_bytes_in_ahead_of_out"
	keyAhead        = "most_bytes_written_ahead_of_read"
	keyKernelQueues = "most_bytes_in_the_gateways_sockets"
	keyStreamMemory = "bytes_per_stream"
	keyAsked        = "requests"

	keyLatencyRatio = "latency_p99_ratio"
	keyCPURatio     = "cpu_ratio"
	keyCPUAdded     = "cpu_microseconds_added"

	// Before the keys of one of the two runs of the soak.
	keySoakWith         = "with_stalled_"
	keySoakWithout      = "without_stalled_"
	keySoakLatencyRatio = "latency_p99_ratio"
	keySoakMissing      = "missing_deliveries"
	keySoakReopened     = "stalled_reopened"
	keySoakGrowth       = "resident_bytes_growth"
	keySoakGrowthRatio  = "resident_bytes_growth_ratio"
)

// keyResidentAt is the server's memory with so many connections.
func keyResidentAt(connections int) string { return "resident_bytes@" + strconv.Itoa(connections) }

// less and more are measures in which servers are compared, figure is one in which they are not.
func less(key, title string, u unit) measure { return measure{key, title, u, true, true} }
func more(key, title string, u unit) measure { return measure{key, title, u, true, false} }
func figure(key, title string, u unit) measure {
	return measure{key, title, u, false, true}
}

var (
	measureCPU  = less(keyCPU, "CPU of the server per request", unitMicrosecond)
	measureRate = more(keyRate, "requests per second", unitOne)
	measurePeak = less(keyPeakMemory, "peak memory of the server", unitMebibyte)

	measuresLatency = []measure{
		figure(keyLatencyP50, "median of latency", unitMillisecondFine),
		figure(keyLatencyP90, "90th percentile of latency", unitMillisecondFine),
		figure(keyLatencyP99, "99th percentile of latency", unitMillisecondFine),
		figure(keyLatencyP999, "99.9th percentile of latency", unitMillisecondFine),
		figure(keyLatencyMax, "longest latency", unitMillisecondFine),
	}
	measuresOfCPU = []measure{
		figure(keyUserCPU, "of it in user mode", unitMicrosecond),
		figure(keySystemCPU, "of it in the kernel", unitMicrosecond),
	}
	measuresBesides = []measure{
		figure(keyPeakMemory, "peak memory of the server", unitMebibyte),
		figure(keyFailed, "failed requests", unitOne),
	}

	measureBytesRate   = more(keyBytesRate, "bytes per second", unitMebibytePerSecond)
	measureGibibyteCPU = less(keyGibibyteCPU, "CPU of the server per GiB", unitMillisecond)
)

// measuresOfLoad are those of a scenario in which requests are counted; the first ones are
// those that it is about.
func measuresOfLoad(first ...measure) []measure {
	var all []measure
	for _, part := range [][]measure{first, measuresOfCPU, measuresLatency, measuresBesides} {
		all = append(all, part...)
	}
	return all
}

// measuresOfUpload are those of a scenario in which bodies are posted.
func measuresOfUpload() []measure {
	return []measure{
		measureGibibyteCPU, measureBytesRate, measurePeak,
		figure(keyCPU, "CPU of the server per upload", unitMillisecond),
		figure(keyUserCPU, "of it in user mode", unitMillisecond),
		figure(keySystemCPU, "of it in the kernel", unitMillisecond),
		figure(keyFailed, "failed uploads", unitOne),
	}
}

// measuresOfPipelining leave the latency out: wrk counts it from the first request of a write
// to the last answer.
func measuresOfPipelining() []measure {
	all := []measure{measureCPU, measureRate}
	all = append(all, measuresOfCPU...)
	return append(all, measuresBesides...)
}
