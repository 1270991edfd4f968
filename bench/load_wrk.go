package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

var errNoWrk = errors.New("wrk was not found in PATH: it makes the load and must be installed (Debian: apt install wrk)")

// wrkLoad runs wrk. Its zero value is not usable; findWrk makes one.
type wrkLoad struct {
	path    string
	version string
	threads int
}

// wrkResult is what wrk counted. The names are those of the line that load.lua prints.
type wrkResult struct {
	Requests      int64   `json:"requests"`
	Bytes         int64   `json:"bytes"`
	Microseconds  float64 `json:"microseconds"`
	ConnectErrors int64   `json:"connect_errors"`
	ReadErrors    int64   `json:"read_errors"`
	WriteErrors   int64   `json:"write_errors"`
	StatusErrors  int64   `json:"status_errors"`
	Timeouts      int64   `json:"timeouts"`
	LatencyP50    float64 `json:"latency_p50"`
	LatencyP90    float64 `json:"latency_p90"`
	LatencyP99    float64 `json:"latency_p99"`
	LatencyP999   float64 `json:"latency_p999"`
	LatencyMax    float64 `json:"latency_max"`
}

// findWrk returns errNoWrk when wrk is not installed.
func findWrk(threads int) (*wrkLoad, error) {
	path, err := exec.LookPath("wrk")
	if err != nil {
		return nil, errNoWrk
	}
	// wrk -v prints its version and usage, and ends with status 1.
	text, _ := exec.Command(path, "-v").CombinedOutput()
	version, _, _ := strings.Cut(string(text), " Copyright")
	return &wrkLoad{path: path, version: strings.TrimSpace(version), threads: threads}, nil
}

// run loads the server at address for some whole seconds and returns what wrk counted.
func (w *wrkLoad) run(ctx context.Context, address string, l load, seconds int) (loadResult, error) {
	arguments := []string{
		"-t", strconv.Itoa(min(w.threads, l.connections)),
		"-c", strconv.Itoa(l.connections),
		"-d", fmt.Sprintf("%ds", seconds),
		"--timeout", "10s",
		// The same bytes whatever the port, so that one request fits all servers.
		"-H", "Host: localhost",
		"-s", "load.lua", "http://" + address + l.asks.path,
		"--", strconv.Itoa(max(l.depth, 1)), strconv.Itoa(len(l.asks.body)),
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+30*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, w.path, arguments...).CombinedOutput()
	if ctx.Err() != nil {
		return loadResult{}, fmt.Errorf("wrk was stopped: %w", ctx.Err())
	}
	if err != nil {
		return loadResult{}, fmt.Errorf("wrk failed: %w; it printed: %s", err, bytes.TrimSpace(output))
	}
	return parseWrkOutput(output)
}

func parseWrkOutput(output []byte) (loadResult, error) {
	start := bytes.LastIndex(output, []byte("\n{"))
	if start < 0 {
		return loadResult{}, fmt.Errorf("wrk printed no line of results; it printed: %s", bytes.TrimSpace(output))
	}
	var result wrkResult
	if err := json.NewDecoder(bytes.NewReader(output[start:])).Decode(&result); err != nil {
		return loadResult{}, fmt.Errorf("the line of results that wrk printed is not JSON: %w", err)
	}
	if result.Requests == 0 || result.Microseconds == 0 {
		return loadResult{}, errors.New("wrk completed no request")
	}
	if result.ConnectErrors+result.ReadErrors+result.WriteErrors+result.StatusErrors+result.Timeouts > 0 {
		return loadResult{}, fmt.Errorf("wrk saw errors: %d connecting, %d reading, %d writing, %d statuses, %d timeouts",
			result.ConnectErrors, result.ReadErrors, result.WriteErrors, result.StatusErrors, result.Timeouts)
	}
	return loadResult{
		requests: result.Requests, bytes: result.Bytes, microseconds: result.Microseconds,
		latency: latencies{result.LatencyP50, result.LatencyP90, result.LatencyP99, result.LatencyP999, result.LatencyMax},
	}, nil
}
