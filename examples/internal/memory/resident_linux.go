// Package memory says how much memory a program has.
package memory

import (
	"bytes"
	"os"
	"strconv"
)

// Resident returns how many bytes of memory the process has, from
// /proc/self/statm: its second number is that of the resident pages; see proc(5). It is 0
// when the system does not say.
func Resident() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	numbers := bytes.Fields(statm)
	if len(numbers) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(numbers[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
