package main

import (
	"io"
	"testing"
	"time"
)

// TestTinySoak measures net/http, which takes no part in the scenario, because it is here in
// any case.
func TestTinySoak(t *testing.T) {
	h, err := newHarness(t.Context(), tinySettings(t, "-only", "soak", "-peers", "nethttp"), io.Discard)
	if err != nil {
		t.Fatalf("no harness: %v", err)
	}
	defer h.close()
	found, err := measureSoak(t.Context(), h, h.contenders[0])
	if err != nil {
		t.Fatalf("the soak failed: %v", err)
	}
	expectNoChildren(t)
	for _, m := range scenarioNamed(t, "soak").measures {
		if _, there := found[m.Key]; !there {
			t.Errorf("the soak does not tell %s, expected every measure of its scenario: %v", m.Key, found)
		}
	}
	for _, key := range []string{keySoakLatencyRatio, keySoakGrowthRatio, keySoakWith + keyLatencyP99, keySoakWithout + keyLatencyP99} {
		if found[key] <= 0 {
			t.Errorf("%s is %v, expected more than 0", key, found[key])
		}
	}
	if found[keySoakMissing] != 0 || found[keySoakWith+"events"] < 1 {
		t.Errorf("%v deliveries of %v events are missing, expected none of some", found[keySoakMissing], found[keySoakWith+"events"])
	}
}

func scenarioNamed(t *testing.T, name string) scenario {
	t.Helper()
	selected, err := selectScenarios(name)
	if err != nil {
		t.Fatalf("the scenario %s is not known: %v", name, err)
	}
	return selected[0]
}

func TestMemorySeries(t *testing.T) {
	var memory memorySeries
	for i := range 100 {
		memory = append(memory, float64(1000+i))
	}
	memory[50] = 5000
	if memory.early() != 1010 || memory.last() != 1099 || memory.most() != 5000 || memory.growth() != 89 || memory.growthRatio() != 1099.0/1010 {
		t.Errorf("of 1000, 1001 … 1099 with one 5000, early is %v, last %v, most %v, growth %v and %v; expected 1010, 1099, 5000, 89 and 1.09",
			memory.early(), memory.last(), memory.most(), memory.growth(), memory.growthRatio())
	}
	if one := (memorySeries{7}); one.early() != 7 || one.growth() != 0 || one.growthRatio() != 1 {
		t.Errorf("of one reading, early is %v and growth %v, expected 7 and 0", one.early(), one.growth())
	}
}

func TestSoakInterval(t *testing.T) {
	for seconds, expected := range map[int]time.Duration{1: 100 * time.Millisecond, 20: 2 * time.Second, 600: 5 * time.Second} {
		if got := soakInterval(seconds); got != expected {
			t.Errorf("in a soak of %d s the memory is read every %v, expected %v", seconds, got, expected)
		}
	}
}
