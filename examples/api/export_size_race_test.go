//go:build race

package main

// Fewer under the race detector, which makes the database slower by far. What it is to find shows
// in these.
const (
	exportedAtOnce   = 20_000
	exportedAtTheEnd = 3_000
)
