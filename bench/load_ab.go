package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var errNoAB = errors.New("ab was not found in PATH: it makes a connection for each request and must be installed (Debian: apt install apache2-utils)")

// More requests than any server answers in a second. ab keeps a record for each.
const abRequestsPerSecond = 200_000

// abLoad runs ab, ApacheBench, which speaks HTTP/1.0 in one thread. Its zero value is not
// usable; findAB makes one.
type abLoad struct {
	path    string
	version string
}

// findAB returns errNoAB when ab is not installed.
func findAB() (*abLoad, error) {
	path, err := exec.LookPath("ab")
	if err != nil {
		return nil, errNoAB
	}
	text, _ := exec.Command(path, "-V").Output()
	version, _, _ := strings.Cut(string(text), "\n")
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "This is "), " <")
	return &abLoad{path: path, version: version}, nil
}

// run loads the server at address for some whole seconds and returns what ab counted.
func (a *abLoad) run(ctx context.Context, address string, l load, seconds int) (loadResult, error) {
	folder, err := os.MkdirTemp("", "penstock-ab-")
	if err != nil {
		return loadResult{}, fmt.Errorf("no folder for what ab writes: %w", err)
	}
	defer os.RemoveAll(folder)
	percentages := filepath.Join(folder, "percentages.csv")
	arguments := []string{
		"-q", "-c", strconv.Itoa(l.connections), "-H", "Host: localhost", "-e", percentages,
		// -t sets a number of requests, which -n behind it replaces.
		"-t", strconv.Itoa(seconds), "-n", strconv.Itoa(seconds * abRequestsPerSecond),
	}
	if l.keepAlive {
		arguments = append(arguments, "-k")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+30*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, a.path, append(arguments, "http://"+address+l.asks.path)...).CombinedOutput()
	if ctx.Err() != nil {
		return loadResult{}, fmt.Errorf("ab was stopped: %w", ctx.Err())
	}
	if err != nil {
		return loadResult{}, fmt.Errorf("ab failed: %w; it printed: %s", err, bytes.TrimSpace(output))
	}
	table, err := os.ReadFile(percentages)
	if err != nil {
		return loadResult{}, fmt.Errorf("ab wrote no percentiles: %w", err)
	}
	return parseABOutput(string(output), string(table), l.keepAlive)
}

// parseABOutput reads what ab printed and its table of percentiles. ab knows none above the
// 99th but the longest.
func parseABOutput(output, table string, keepAlive bool) (loadResult, error) {
	count := func(name string) float64 {
		line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `:\s+([0-9.]+)`).FindStringSubmatch(output)
		if line == nil {
			return 0 // ab leaves out what did not happen
		}
		value, _ := strconv.ParseFloat(line[1], 64) // of digits and points: 0 when there are two points
		return value
	}
	requests := count("Complete requests")
	if requests == 0 || count("Time taken for tests") == 0 {
		return loadResult{}, fmt.Errorf("ab completed no request; it printed: %s", strings.TrimSpace(output))
	}
	if failed, others := count("Failed requests"), count("Non-2xx responses"); failed+others > 0 {
		return loadResult{}, fmt.Errorf("ab saw %v failed requests and %v with another status than 2xx", failed, others)
	}
	// ab opens a new connection when the server gives one up, and counts it as no failure.
	if kept := count("Keep-Alive requests"); keepAlive && kept < requests*0.99 {
		return loadResult{}, fmt.Errorf("%v of %v requests left their connection open, expected nearly all", kept, requests)
	}
	result := loadResult{
		requests:     int64(requests),
		microseconds: count("Time taken for tests") * 1e6,
		latency: latencies{
			p50: percentileOf(table, 50), p90: percentileOf(table, 90), p99: percentileOf(table, 99),
		},
	}
	longest := regexp.MustCompile(`(?m)^\s*100%\s+(\d+)`).FindStringSubmatch(output)
	if longest != nil {
		milliseconds, _ := strconv.ParseFloat(longest[1], 64) // of digits
		result.latency.longest = milliseconds * 1e3
	}
	return result, nil
}

// percentileOf returns a line of the table, "percentage,milliseconds", in microseconds, or 0.
func percentileOf(table string, percentage int) float64 {
	for line := range strings.Lines(table) {
		if text, found := strings.CutPrefix(strings.TrimSpace(line), strconv.Itoa(percentage)+","); found {
			milliseconds, _ := strconv.ParseFloat(text, 64) // 0: not known
			return milliseconds * 1e3
		}
	}
	return 0
}
