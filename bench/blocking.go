package main

import (
	"context"
	"errors"
	"fmt"
)

const (
	// The server waits a second in each blocked request.
	blockedRequests = 64
	fastConnections = 1000
)

// measureBlocking loads a fast route of a server, first alone and then beside requests that
// block, and compares the latencies.
func measureBlocking(ctx context.Context, h *harness, c *contender) (sample, error) {
	var result sample
	fast := load{tool: toolWrk, connections: fastConnections, asks: askGreeting}
	blocked := load{tool: toolWrk, connections: blockedRequests, asks: askBlocking}
	err := h.withCheckedServer(ctx, c, roleService, load{asks: askBlocking}, func(s *serverProcess, _ []byte) error {
		alone, err := h.load(ctx, s, fast)
		if err != nil {
			return err
		}
		beside, err := h.loadBeside(ctx, s, fast, blocked)
		if err != nil {
			return err
		}
		result = beside.sample()
		alone.latency.addTo(result, suffixAlone)
		result[keyRate+suffixAlone] = float64(alone.requests) / alone.microseconds * 1e6
		if alone.latency.p99 > 0 {
			result[keyLatencyRatio] = beside.latency.p99 / alone.latency.p99
		}
		result[keyPeakMemory], err = s.peakResidentBytes()
		return err
	})
	return result, err
}

// loadBeside loads the server while another load lasts, which must see no error either. The
// processor time is that of both.
func (h *harness) loadBeside(ctx context.Context, s *serverProcess, l, other load) (loadedRun, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	finished := make(chan error, 1)
	go func() {
		// Longer than the load and its warm-up, so that it lasts to their end. Without a warm-up
		// it must be long enough for its first requests to be answered late.
		_, err := h.run(ctx, s.address, other, h.settings.WarmUp+h.settings.Seconds+2)
		finished <- err
	}()
	counted, err := h.load(ctx, s, l)
	if err != nil {
		cancel()
		<-finished
		return counted, err
	}
	if err := <-finished; err != nil {
		return counted, fmt.Errorf("the requests that block: %w", err)
	}
	if counted.latency.p99 == 0 {
		return counted, errors.New("wrk does not know the 99th percentile of the latency")
	}
	return counted, nil
}
