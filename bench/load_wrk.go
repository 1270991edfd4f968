package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
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
	Microseconds  float64 `json:"microseconds"`
	ConnectErrors int64   `json:"connect_errors"`
	ReadErrors    int64   `json:"read_errors"`
	WriteErrors   int64   `json:"write_errors"`
	StatusErrors  int64   `json:"status_errors"`
	Timeouts      int64   `json:"timeouts"`
	LatencyP50    float64 `json:"latency_p50"`
	LatencyP99    float64 `json:"latency_p99"`
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

// run loads the server at address for some whole seconds and returns what wrk counted. Any
// error that wrk saw is an error here: its requests would be missing in the figures.
func (w *wrkLoad) run(ctx context.Context, address string, connections, depth, seconds int) (wrkResult, error) {
	arguments := []string{
		"-t", strconv.Itoa(min(w.threads, connections)),
		"-c", strconv.Itoa(connections),
		"-d", fmt.Sprintf("%ds", seconds),
		"--timeout", "10s",
		// The same bytes whatever the port, so that one request fits all servers.
		"-H", "Host: localhost",
		"-s", "load.lua", "http://" + address + "/", "--", strconv.Itoa(depth),
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+30*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, w.path, arguments...).CombinedOutput()
	if ctx.Err() != nil {
		return wrkResult{}, fmt.Errorf("wrk was stopped: %w", ctx.Err())
	}
	if err != nil {
		return wrkResult{}, fmt.Errorf("wrk failed: %w; it printed: %s", err, bytes.TrimSpace(output))
	}
	return parseWrkOutput(output)
}

func parseWrkOutput(output []byte) (wrkResult, error) {
	start := bytes.LastIndex(output, []byte("\n{"))
	if start < 0 {
		return wrkResult{}, fmt.Errorf("wrk printed no line of results; it printed: %s", bytes.TrimSpace(output))
	}
	var result wrkResult
	if err := json.NewDecoder(bytes.NewReader(output[start:])).Decode(&result); err != nil {
		return wrkResult{}, fmt.Errorf("the line of results that wrk printed is not JSON: %w", err)
	}
	if result.Requests == 0 || result.Microseconds == 0 {
		return wrkResult{}, errors.New("wrk completed no request")
	}
	if result.ConnectErrors+result.ReadErrors+result.WriteErrors+result.StatusErrors+result.Timeouts > 0 {
		return wrkResult{}, fmt.Errorf("wrk saw errors: %d connecting, %d reading, %d writing, %d statuses, %d timeouts",
			result.ConnectErrors, result.ReadErrors, result.WriteErrors, result.StatusErrors, result.Timeouts)
	}
	return result, nil
}

// captureRequest lets wrk send to a listener that never answers, and returns the bytes of one
// request. That wrk pipelines exactly these bytes, pipelineDepth times, is checked too.
func (w *wrkLoad) captureRequest(ctx context.Context) ([]byte, error) {
	single, err := w.capture(ctx, 1)
	if err != nil {
		return nil, err
	}
	many, err := w.capture(ctx, pipelineDepth)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(many, bytes.Repeat(single, pipelineDepth)) {
		return nil, fmt.Errorf("wrk pipelines %q, expected %d times %q", many, pipelineDepth, single)
	}
	return single, nil
}

func (w *wrkLoad) capture(ctx context.Context, depth int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("no listener to see wrk's request: %w", err)
	}
	defer listener.Close()
	stopWatching := context.AfterFunc(ctx, func() { listener.Close() })
	defer stopWatching()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		w.run(ctx, listener.Addr().String(), 1, depth, 1) // fails: it gets no answer
	}()
	defer func() { cancel(); <-finished }()
	for {
		connection, err := listener.Accept()
		if err != nil {
			return nil, fmt.Errorf("wrk sent no request: %w", err)
		}
		bytesSent, err := readHeads(connection, depth)
		connection.Close()
		// wrk first connects without sending anything, to see whether it can.
		if err == nil {
			return bytesSent, nil
		}
		if len(bytesSent) > 0 {
			return nil, fmt.Errorf("wrk's request broke off after %q: %w", bytesSent, err)
		}
	}
}

// readHeads reads until count heads are complete and returns all that it read.
func readHeads(connection net.Conn, count int) ([]byte, error) {
	if err := connection.SetReadDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, err
	}
	var heads []byte
	buffer := make([]byte, 16<<10)
	for bytes.Count(heads, []byte("\r\n\r\n")) < count {
		n, err := connection.Read(buffer)
		heads = append(heads, buffer[:n]...)
		if err == io.EOF && n > 0 {
			continue
		}
		if err != nil {
			return heads, err
		}
	}
	return heads, nil
}
