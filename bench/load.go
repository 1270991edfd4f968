package main

import (
	"context"
	"fmt"
)

// A tool is a program that makes requests.
type tool string

const (
	toolNone tool = ""
	toolWrk  tool = "wrk"
	toolAB   tool = "ab"
)

// A load is what a tool is told to do.
type load struct {
	tool        tool
	connections int
	depth       int  // of wrk: requests in each write; 0 is 1
	keepAlive   bool // of ab: whether a connection carries more than one request
	asks        exchange
}

// A loadResult is what a tool counted. A percentile of 0 is one that the tool does not know.
type loadResult struct {
	requests     int64
	bytes        int64 // of answers, those that were not complete included; 0 when not known
	microseconds float64
	latency      latencies
}

// latencies are in microseconds.
type latencies struct{ p50, p90, p99, p999, longest float64 }

// addTo adds those that are known.
func (l latencies) addTo(s sample, suffix string) {
	for key, value := range map[string]float64{
		keyLatencyP50: l.p50, keyLatencyP90: l.p90, keyLatencyP99: l.p99, keyLatencyP999: l.p999, keyLatencyMax: l.longest,
	} {
		if value > 0 {
			s[key+suffix] = value
		}
	}
}

// run loads the server at address for some whole seconds. Any error that the tool saw is an
// error here: its requests would be missing in the figures.
func (h *harness) run(ctx context.Context, address string, l load, seconds int) (loadResult, error) {
	switch l.tool {
	case toolWrk:
		return h.wrk.run(ctx, address, l, seconds)
	case toolAB:
		return h.ab.run(ctx, address, l, seconds)
	}
	return loadResult{}, fmt.Errorf("the load has the tool %q, expected wrk or ab", l.tool)
}

// A loadedRun is a load and what the server used during it.
type loadedRun struct {
	loadResult
	used processorTime
}

// load warms the server up, loads it and takes the processor time that it used meanwhile.
func (h *harness) load(ctx context.Context, s *serverProcess, l load) (loadedRun, error) {
	if h.settings.WarmUp > 0 {
		if _, err := h.run(ctx, s.address, l, h.settings.WarmUp); err != nil {
			return loadedRun{}, fmt.Errorf("warming up: %w", err)
		}
	}
	before, err := s.processorTime()
	if err != nil {
		return loadedRun{}, err
	}
	counted, err := h.run(ctx, s.address, l, h.settings.Seconds)
	if err != nil {
		return loadedRun{}, err
	}
	after, err := s.processorTime()
	return loadedRun{counted, after.since(before)}, err
}

// sample returns the measures that every load has.
func (r *loadedRun) sample() sample {
	found := sample{
		keyRate:      float64(r.requests) / r.microseconds * 1e6,
		keyCoresUsed: r.used.total / r.microseconds,
		keyFailed:    0, // any other number fails the measurement
	}
	r.used.addTo(found, float64(r.requests))
	r.latency.addTo(found, "")
	return found
}

// loadMeasurement makes a measurement that is one load.
func loadMeasurement(r role, l load) func(context.Context, *harness, *contender) (sample, error) {
	return func(ctx context.Context, h *harness, c *contender) (found sample, err error) {
		err = h.withCheckedServer(ctx, c, r, l, func(s *serverProcess, _ []byte) error {
			counted, err := h.load(ctx, s, l.of(c.kind))
			if err != nil {
				return err
			}
			found = counted.sample()
			found[keyPeakMemory], err = s.peakResidentBytes()
			return err
		})
		return found, err
	}
}
