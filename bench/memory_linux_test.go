package main

import (
	"os"
	"testing"
)

func TestParseMemoryField(t *testing.T) {
	const text = "Name:\tbench\nVmHWM:\t   12 kB\nRss:                3 kB\nBroken:\t4 MB\n"
	tests := []struct {
		name  string
		bytes float64
		fails bool
	}{
		{"VmHWM", 12 << 10, false},
		{"Rss", 3 << 10, false},
		{"Broken", 0, true},
		{"Name", 0, true},
		{"Missing", 0, true},
	}
	for _, test := range tests {
		got, err := parseMemoryField([]byte(text), test.name)
		if got != test.bytes || (err != nil) != test.fails {
			t.Errorf("the field %s is %v bytes with error %v, expected %v bytes and an error: %v",
				test.name, got, err, test.bytes, test.fails)
		}
	}
}

func TestResidentBytesGrowWithTouchedMemory(t *testing.T) {
	const size = 16 << 20
	before, err := residentBytes(os.Getpid())
	if err != nil {
		t.Fatalf("the memory of this process cannot be read: %v", err)
	}
	touched := make([]byte, size)
	for i := range touched {
		touched[i] = 1
	}
	after, err := residentBytes(os.Getpid())
	if err != nil {
		t.Fatalf("the memory of this process cannot be read again: %v", err)
	}
	if after-before < size/2 {
		t.Errorf("touching %d bytes made the process grow by %v, expected about as much", size, after-before)
	}
	// status is a little behind smaps_rollup, by pages that a processor has not yet added.
	if peak, err := peakResidentBytes(os.Getpid()); err != nil || peak < after-(4<<20) {
		t.Errorf("the peak is %v bytes with error %v, expected about the %v resident now or more", peak, err, after)
	}
	touched[0] = 2 // in use until here
}
