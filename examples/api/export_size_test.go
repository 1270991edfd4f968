//go:build !race

package main

// How many rows are exported by the test of the memory, and by that of the program's end.
const (
	exportedAtOnce   = 1_000_000
	exportedAtTheEnd = 60_000
)
