package main

import (
	"os"
	"strings"
	"testing"
)

// TestReport holds a whole report against testdata/report.md: two rounds of made-up figures,
// targets met and missed, one server that takes no part, one that failed, and one of which a
// measure is not known.
func TestReport(t *testing.T) {
	found := &results{
		Machine:  machine{Processor: "Abacus", Processors: 2, Kernel: "Linux 6", Go: "go1", Wrk: "wrk 4", Commit: "abc", LoadAverage: "0.10"},
		Settings: settings{Rounds: 2, Seconds: 5, Processors: 2},
	}
	var contenders []*contender
	for _, name := range []string{penstockName, floorName, fasthttpName, nethttpName} {
		parsed, err := parseContenders(name)
		if err != nil {
			t.Fatalf("the server %s is not known: %v", name, err)
		}
		contenders = append(contenders, parsed...)
		found.Servers = append(found.Servers, serverVersion{Label: name})
	}
	add := func(name string, samples map[string][]sample, failures ...failure) {
		selected, err := selectScenarios(name)
		if err != nil {
			t.Fatalf("the scenario %s is not known: %v", name, err)
		}
		found.Scenarios = append(found.Scenarios, evaluate(&selected[0], contenders, samples, failures))
	}
	add("pipelined", map[string][]sample{
		penstockName: {{keyCPU: 0.6, keyRate: 1_300_000}, {keyCPU: 0.66, keyRate: 1_200_000}},
		floorName:    {{keyCPU: 0.5, keyRate: 1_500_000}, {keyCPU: 0.5, keyRate: 1_500_000}},
		fasthttpName: {{keyCPU: 1.2, keyRate: 1_000_000}, {keyCPU: 1.1, keyRate: 1_000_000}},
	}, failure{nethttpName, "wrk saw errors"})
	add("idle", map[string][]sample{
		penstockName: {{keyIdleMemory: 390}, {keyIdleMemory: 400}},
		nethttpName:  {{keyIdleMemory: 19_500}, {keyIdleMemory: 20_000}},
	})
	add("subscribers", map[string][]sample{
		penstockName: {{keySubscriberMemory: 500, keyGoroutinesBefore: 9, keyGoroutinesAdded: 0}},
		nethttpName:  {{keySubscriberMemory: 25_000}},
	})
	soak := sample{
		keySoakLatencyRatio: 1.25, keySoakMissing: 1, keySoakReopened: 300, keySoakGrowth: 1 << 20, keySoakGrowthRatio: 1.05,
	}
	soak[keySoakWith+keyLatencyP99], soak[keySoakWithout+keyLatencyP99] = 50_000, 40_000
	add("soak", map[string][]sample{penstockName: {soak}})
	var report strings.Builder
	writeReport(&report, found)
	golden, err := os.ReadFile("testdata/report.md")
	if err != nil {
		t.Fatalf("no golden file: %v", err)
	}
	if report.String() != string(golden) {
		t.Errorf("the report differs from testdata/report.md, expected the same:\n%s", report.String())
	}
}
