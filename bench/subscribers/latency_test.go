package main

import (
	"testing"
	"time"
)

func TestBucketsAreInOrderAndNarrow(t *testing.T) {
	for value := int64(0); value < 1<<20; value++ {
		bucket := bucketOf(value)
		highest := highestOf(bucket)
		if highest < value || float64(highest-value) > float64(value)/31 {
			t.Fatalf("%d µs is in bucket %d, whose highest is %d, expected at most 1/31 above", value, bucket, highest)
		}
		if bucketOf(highest) != bucket || bucketOf(highest+1) != bucket+1 {
			t.Fatalf("bucket %d ends at %d, expected that to be its last value", bucket, highest)
		}
	}
}

func TestPercentiles(t *testing.T) {
	var h histogram
	for i := 1; i <= 100; i++ {
		h.record(time.Duration(i) * 10 * time.Microsecond)
	}
	tests := []struct{ share, low, high float64 }{{0, 10, 10}, {0.5, 510, 527}, {0.99, 1000, 1000}, {1, 1000, 1000}}
	for _, test := range tests {
		if got := h.percentile(test.share); got < test.low || got > test.high {
			t.Errorf("the percentile %v of 10, 20 … 1000 µs is %v, expected %v to %v", test.share, got, test.low, test.high)
		}
	}
	h.record(300 * time.Hour)
	h.record(-time.Second)
	if got := h.percentile(1); got != float64((300 * time.Hour).Microseconds()) {
		t.Errorf("the highest percentile is %v, expected the longest latency however long it is", got)
	}
}

func TestPercentileOfNothing(t *testing.T) {
	var h histogram
	if got := h.percentile(0.99); got != 0 {
		t.Errorf("the percentile of no latency is %v, expected 0", got)
	}
}
