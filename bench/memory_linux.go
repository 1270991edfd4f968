package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// residentBytes returns the memory that the process has resident now, exactly: smaps_rollup
// walks the page tables, where VmRSS in status lags by what each processor has not yet added.
func residentBytes(pid int) (float64, error) {
	return readMemoryField(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Rss")
}

// peakResidentBytes returns the most memory that the process has had resident since it started.
func peakResidentBytes(pid int) (float64, error) {
	return readMemoryField(fmt.Sprintf("/proc/%d/status", pid), "VmHWM")
}

func readMemoryField(path, name string) (float64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("the memory of the server cannot be read: %w", err)
	}
	value, err := parseMemoryField(text, name)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return value, nil
}

// parseMemoryField finds the line "name: N kB" and returns N in bytes.
func parseMemoryField(text []byte, name string) (float64, error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		rest, found := strings.CutPrefix(lines.Text(), name+":")
		if !found {
			continue
		}
		number, found := strings.CutSuffix(strings.TrimSpace(rest), " kB")
		kibibytes, err := strconv.ParseUint(strings.TrimSpace(number), 10, 53)
		if !found || err != nil {
			return 0, fmt.Errorf("%q is not a number of kB", lines.Text())
		}
		return float64(kibibytes) * 1024, nil
	}
	return 0, fmt.Errorf("there is no line %q", name+":")
}
