package main

import (
	"slices"
	"testing"
)

// TestTinyRunOfEachService measures Penstock and net/http in every scenario that a service
// takes part in; TestTinyRun has the others.
func TestTinyRunOfEachService(t *testing.T) {
	if _, err := findAB(); err != nil {
		t.Skip(err)
	}
	s := tinySettings(t, "-rounds", "1", "-peers", "penstock,nethttp",
		"-only", "json,echo-1k,new-connection,keep-alive-ab,download,upload,slow-readers,blocking,routing,script,adapter,fanout-100")
	found, _ := runTiny(t, s)
	// Not the split of the processor time nor all percentiles: of a second they may be unknown.
	load := []string{keyCPU, keyRate, keyCoresUsed, keyPeakMemory, keyLatencyP50}
	both := func(keys ...string) map[string][]string {
		return map[string][]string{penstockName: keys, nethttpName: keys}
	}
	expectMeasures(t, found, map[string]map[string][]string{
		"json":           both(load...),
		"echo-1k":        both(load...),
		"new-connection": both(keyCPU, keyRate, keyPeakMemory),
		"keep-alive-ab":  both(keyCPU, keyRate, keyPeakMemory),
		"download":       both(keyBytesRate, keyGibibyteCPU, keyCPU, keyPeakMemory),
		"upload":         both(keyBytesRate, keyGibibyteCPU, keyCPU, keyPeakMemory),
		"fanout-100":     both(keyDeliveryCPU, keyDeliveryRate, keyPeakMemory),
		"slow-readers":   both(keyBytesRate, keyGibibyteCPU, keyLatencyP99, keyLatencyP99+suffixAlone, keyPeakMemory),
		"blocking":       both(append(load, keyLatencyRatio, keyLatencyP99+suffixAlone)...),
		"routing":        both(append(load, keyCPURatio, keyCPU+suffixAlone)...),
		"script":         {penstockName: append(load, keyCPURatio, keyCPU+suffixAlone)},
		"adapter":        both(load...),
	})
}

// TestScenariosAreWhole holds what a scenario must have for a run and a report.
func TestScenariosAreWhole(t *testing.T) {
	ordinary, err := parseSettings(nil, nil)
	if err != nil {
		t.Fatalf("the ordinary settings are not taken: %v", err)
	}
	names := map[string]bool{}
	for _, s := range scenarios {
		if s.name == "" || s.title == "" || names[s.name] || s.measure == nil || len(s.measures) == 0 || s.takes(ordinary) <= 0 {
			t.Errorf("the scenario %q should have a name of its own, a title, measures and an estimate", s.name)
		}
		names[s.name] = true
		keys := map[string]bool{}
		for _, m := range s.measures {
			if keys[m.Key] || m.Title == "" || !slices.Contains(units, m.Unit) {
				t.Errorf("%s: the measure %q should stand there once, with a title and a known unit", s.name, m.Key)
			}
			keys[m.Key] = true
		}
		for _, target := range s.targets {
			if !keys[target.key] {
				t.Errorf("%s: the target for %s should be for one of its measures", s.name, target.key)
			}
		}
	}
}

// TestOrdinaryRunIsShortEnough holds the estimates of a whole run of all servers below what
// anybody would wait for.
func TestOrdinaryRunIsShortEnough(t *testing.T) {
	tests := []struct {
		arguments []string
		minutes   float64
	}{{[]string{"-quick"}, 6}, {nil, 45}}
	for _, test := range tests {
		s, err := parseSettings(test.arguments, nil)
		if err != nil {
			t.Fatalf("the settings %v are not taken: %v", test.arguments, err)
		}
		contenders, err := parseContenders(s.Peers)
		if err != nil {
			t.Fatalf("the servers %s are not known: %v", s.Peers, err)
		}
		for _, c := range contenders {
			for r := range c.kind.programs {
				c.binaries[r] = "program"
			}
		}
		if minutes := newPlan(s.scenarios, contenders, s).remaining().Minutes(); minutes > test.minutes {
			t.Errorf("%v takes about %.0f minutes, expected at most %v", test.arguments, minutes, test.minutes)
		} else {
			t.Logf("%v takes about %.1f minutes", test.arguments, minutes)
		}
	}
}
