package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A scenario is one row of what is measured: how one measurement of one server is made, what
// it yields, and what Penstock has to reach in it.
type scenario struct {
	name     string // for -only
	title    string
	role     role
	usesWrk  bool
	without  []string // kinds that have nothing to show here
	once     bool     // one round, whatever -rounds says: it takes long and varies little
	extra    bool     // runs only when -only names it
	measures []measure
	targets  []target
	measure  func(ctx context.Context, h *harness, c *contender) (sample, error)
}

// A measure is one number of a sample. ratio says that servers are compared in it.
type measure struct {
	key   string
	title string
	unit  unit
	ratio bool
}

// A target is what Penstock must reach: a ratio to another kind, or with against empty the
// value itself.
type target struct {
	key     string
	against string
	atLeast bool // else at most
	bound   float64
}

const (
	keyCPU         = "cpu_microseconds_per_request"
	keyRate        = "requests_per_second"
	keyIdleMemory  = "idle_bytes_per_connection"
	keyPeakMemory  = "peak_resident_bytes"
	keyUnderWay    = "most_bytes_under_way"
	keyLatencyP50  = "latency_p50_microseconds"
	keyLatencyP99  = "latency_p99_microseconds"
	keyCoresUsed   = "cores_used"
	keyEchoSeconds = "seconds"
	keyLatencyMax  = "latency_max_microseconds"

	keyDeliveryCPU   = "cpu_microseconds_per_delivery"
	keyDeliveryRate  = "deliveries_per_second"
	keyDeliveryBytes = "bytes_per_delivery"

	keySubscriberMemory = "bytes_per_subscriber"
	keyGoroutinesBefore = "goroutines_before"
	keyGoroutines       = "goroutines"
	keyGoroutinesAdded  = "goroutines_added"

	// Before the keys of one of the two runs of the soak.
	keySoakWith         = "with_stalled_"
	keySoakWithout      = "without_stalled_"
	keySoakLatencyRatio = "latency_p99_ratio"
	keySoakMissing      = "missing_deliveries"
	keySoakReopened     = "stalled_reopened"
	keySoakGrowth       = "resident_bytes_growth"
	keySoakGrowthRatio  = "resident_bytes_growth_ratio"
)

var (
	measureCPU  = measure{keyCPU, "CPU of the server per request", unitMicrosecond, true}
	measureRate = measure{keyRate, "requests per second", unitOne, true}
	measureP99  = measure{keyLatencyP99, "99th percentile of latency", unitMillisecond, false}
)

var scenarios = []scenario{
	{
		name: "hello", title: "hello, 64 connections", role: roleHello, usesWrk: true,
		measures: []measure{measureCPU, measureRate, measureP99},
		targets:  []target{{key: keyCPU, against: floorName, bound: 1.10}},
		measure:  wrkMeasurement(64, 1),
	},
	{
		name: "pipelined", title: "hello, 64 connections, 16 requests pipelined", role: roleHello, usesWrk: true,
		measures: []measure{measureCPU, measureRate},
		targets: []target{
			{key: keyCPU, against: floorName, bound: 1.35},
			{key: keyRate, against: fasthttpName, atLeast: true, bound: 1.4},
		},
		measure: wrkMeasurement(64, pipelineDepth),
	},
	{
		name: "connections", title: "hello, 1,000 connections", role: roleHello, usesWrk: true,
		measures: []measure{measureRate, measureCPU, measureP99},
		targets: []target{
			{key: keyRate, against: fasthttpName, atLeast: true, bound: 1.25},
			{key: keyRate, against: nethttpName, atLeast: true, bound: 1.4},
		},
		measure: wrkMeasurement(1000, 1),
	},
	{
		name: "idle", title: "idle keep-alive connections", role: roleHello,
		without:  []string{floorName}, // its whole state is 8 bytes in an array
		measures: []measure{{keyIdleMemory, "memory of the server per connection", unitByte, true}},
		targets:  []target{{key: keyIdleMemory, bound: 400}},
		measure:  measureIdle,
	},
	{
		name: "echo", title: "echo to a client that reads slowly", role: roleEcho, once: true,
		measures: []measure{
			{keyPeakMemory, "peak memory of the server", unitMebibyte, true},
			{keyUnderWay, "most bytes sent but not yet read", unitMebibyte, false},
		},
		targets: []target{{key: keyPeakMemory, bound: 64 << 20}},
		measure: measureEcho,
	},
	{
		name: "fanout", title: "one event to all subscribers", role: roleFanout,
		measures: []measure{
			{keyDeliveryCPU, "CPU of the server per delivery", unitMicrosecond, true},
			{keyDeliveryRate, "deliveries per second", unitOne, true},
			measureP99,
		},
		targets: []target{{key: keyDeliveryCPU, against: floorName, bound: 1.20}},
		measure: measureFanout,
	},
	{
		name: "subscribers", title: "subscribers that wait for an event", role: roleFanout,
		without: []string{floorName}, // its whole state is 8 bytes in two arrays
		measures: []measure{
			{keySubscriberMemory, "memory of the server per subscriber", unitByte, true},
			{keyGoroutinesBefore, "goroutines before the subscribers", unitOne, false},
			{keyGoroutinesAdded, "goroutines that the subscribers added", unitOne, false},
		},
		targets: []target{{key: keySubscriberMemory, bound: 700}, {key: keyGoroutinesAdded, bound: 0}},
		measure: measureSubscribers,
	},
	{
		name: "soak", title: "four events a second, some subscribers stalled", role: roleFanout, once: true, extra: true,
		without: []string{floorName, nethttpName}, // they do nothing about stalled subscribers
		measures: []measure{
			{keySoakWith + keyLatencyP99, "99th percentile of latency, some stalled", unitMillisecond, false},
			{keySoakWithout + keyLatencyP99, "99th percentile of latency, none stalled", unitMillisecond, false},
			{keySoakLatencyRatio, "99th percentile of latency, some stalled over none", unitRatio, false},
			{keySoakMissing, "deliveries missing", unitOne, false},
			{keySoakReopened, "stalled subscribers closed by the server", unitOne, false},
			{keySoakGrowth, "growth of memory after the first tenth", unitMebibyte, false},
			{keySoakGrowthRatio, "memory at the end over that after the first tenth", unitRatio, false},
		},
		targets: []target{
			{key: keySoakLatencyRatio, bound: 1.5},
			{key: keySoakMissing, bound: 0},
			{key: keySoakGrowthRatio, bound: 1.10},
		},
		measure: measureSoak,
	},
}

// scenarioNames is for messages.
func scenarioNames() string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// selectScenarios reads the -only list; empty means all but the extra ones.
func selectScenarios(list string) ([]scenario, error) {
	var selected []scenario
	if list == "" {
		for _, s := range scenarios {
			if !s.extra {
				selected = append(selected, s)
			}
		}
		return selected, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		at := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if at < 0 {
			return nil, fmt.Errorf("-only names %q, which is none of %s", name, scenarioNames())
		}
		selected = append(selected, scenarios[at])
	}
	return selected, nil
}

func needsWrk(selected []scenario) bool {
	return slices.ContainsFunc(selected, func(s scenario) bool { return s.usesWrk })
}

// rolesOf returns the roles that the scenarios need.
func rolesOf(selected []scenario) []role {
	var roles []role
	for _, s := range selected {
		if !slices.Contains(roles, s.role) {
			roles = append(roles, s.role)
		}
	}
	return roles
}

// contendersOf returns those that take part, in the order of -peers.
func (s *scenario) contendersOf(all []*contender) []*contender {
	var taking []*contender
	for _, c := range all {
		if c.binaries[s.role] != "" && !slices.Contains(s.without, c.kind.name) {
			taking = append(taking, c)
		}
	}
	return taking
}

// wrkMeasurement makes the measurement under wrk: a warm-up of one second, then the processor
// time that the server used for what wrk completed.
func wrkMeasurement(connections, depth int) func(context.Context, *harness, *contender) (sample, error) {
	return func(ctx context.Context, h *harness, c *contender) (sample, error) {
		var result sample
		err := h.withCheckedServer(ctx, c, func(s *serverProcess, _ []byte) error {
			if _, err := h.wrk.run(ctx, s.address, connections, depth, 1); err != nil {
				return fmt.Errorf("warming up: %w", err)
			}
			before, err := processCPUTime(s.pid())
			if err != nil {
				return err
			}
			counted, err := h.wrk.run(ctx, s.address, connections, depth, h.settings.Seconds)
			if err != nil {
				return err
			}
			after, err := processCPUTime(s.pid())
			if err != nil {
				return err
			}
			used := float64((after - before).Nanoseconds()) / 1e3
			result = sample{
				keyCPU:        used / float64(counted.Requests),
				keyRate:       float64(counted.Requests) / counted.Microseconds * 1e6,
				keyLatencyP50: counted.LatencyP50,
				keyLatencyP99: counted.LatencyP99,
				keyCoresUsed:  used / counted.Microseconds,
			}
			return nil
		})
		return result, err
	}
}
