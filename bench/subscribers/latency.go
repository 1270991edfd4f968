package main

import (
	"math/bits"
	"time"
)

// A histogram counts latencies in buckets: below 64 µs one for each microsecond, above it 32
// for each doubling, so that a percentile is exact to about 3 %.
type histogram struct {
	counts  [32 * 32]int64 // up to 2^36 µs; what is longer is in the last
	total   int64
	longest int64 // microseconds
}

func (h *histogram) record(latency time.Duration) {
	microseconds := max(latency.Microseconds(), 0)
	h.counts[min(bucketOf(microseconds), len(h.counts)-1)]++
	h.total++
	h.longest = max(h.longest, microseconds)
}

// percentile returns the latency in microseconds that a share of 0 to 1 does not exceed: the
// highest of its bucket, but never more than the longest.
func (h *histogram) percentile(share float64) float64 {
	rank := int64(share * float64(h.total))
	seen := int64(0)
	for bucket, count := range h.counts {
		seen += count
		if seen > rank {
			return float64(min(highestOf(bucket), h.longest))
		}
	}
	return float64(h.longest)
}

// bucketOf numbers the buckets: the upper six bits of a value of n bits, n > 6, select one of
// the 32 of its doubling.
func bucketOf(microseconds int64) int {
	shift := max(bits.Len64(uint64(microseconds))-6, 0)
	return shift*32 + int(microseconds>>shift)
}

// highestOf returns the highest value in the bucket.
func highestOf(bucket int) int64 {
	shift := max(bucket/32-1, 0)
	return int64(bucket-shift*32+1)<<shift - 1
}
