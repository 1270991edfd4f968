package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// change makes a comparison of the rounds of two runs, of less being better.
func change(server string, before, after []float64) comparison {
	return comparison{"a scenario", less("key", "a measure", unitOne), server, summarize(before), summarize(after)}
}

func TestVerdicts(t *testing.T) {
	steady := change("floor", []float64{100, 101, 102}, []float64{101, 102, 103})
	tests := []struct {
		name     string
		subject  comparison
		control  comparison
		expected string
	}{
		{"less", change("penstock", []float64{100, 102}, []float64{80, 82}), steady, "better"},
		{"more", change("penstock", []float64{100, 102}, []float64{120, 122}), steady, "worse"},
		{"overlap", change("penstock", []float64{100, 110}, []float64{105, 115}), steady, "inconclusive: the rounds of both runs overlap"},
		{"touching", change("penstock", []float64{100, 110}, []float64{110, 115}), steady, "inconclusive: the rounds of both runs overlap"},
		{"one round", change("penstock", []float64{100}, []float64{50, 51}), steady, "inconclusive: one round"},
		{"the control moved as much", change("penstock", []float64{100, 102}, []float64{80, 82}),
			change("floor", []float64{100, 102}, []float64{80, 82}),
			"better, but the controls moved too (floor 0.80): the machine may explain it"},
		{"the control moved half as much, and more than half on the scale of ratios",
			change("penstock", []float64{100, 100}, []float64{80, 80}), change("floor", []float64{100, 100}, []float64{89, 89}),
			"better, but the controls moved too (floor 0.89): the machine may explain it"},
		{"the control moved less than half as much", change("penstock", []float64{100, 100}, []float64{80, 80}),
			change("floor", []float64{100, 100}, []float64{91, 91}), "better"},
		{"the control moved the other way", change("penstock", []float64{100, 102}, []float64{80, 82}),
			change("floor", []float64{80, 82}, []float64{100, 102}), "better"},
	}
	for _, test := range tests {
		if got := test.subject.verdict([]comparison{test.control}); got != test.expected {
			t.Errorf("%s: the verdict is %q, expected %q", test.name, got, test.expected)
		}
	}
}

func TestVerdictWhereMoreIsBetter(t *testing.T) {
	subject := change("penstock", []float64{100, 102}, []float64{120, 122})
	subject.measure.LowerIsBetter = false
	if got := subject.verdict(nil); got != "better" {
		t.Errorf("a higher rate is judged %q, expected better", got)
	}
}

// TestCompareFiles compares the made-up results with a run in which Penstock's CPU fell, the machine was another, a
// server is new, one is gone, and so is a scenario.
func TestCompareFiles(t *testing.T) {
	changed := readMadeUp(t)
	changed.Machine.Commit, changed.Machine.Kernel, changed.Settings.Rounds = "def", "Linux 7 amd64", 5
	hello := changed.scenario("hello")
	hello.server("penstock").Measures[keyCPU] = summarize([]float64{4, 4.1, 4.2})
	hello.server("nginx").Label = "nginx-2"
	for i := range changed.Servers {
		if changed.Servers[i].Label == fasthttpName {
			changed.Servers[i].Version = "fasthttp 2.0"
		}
	}
	changed.Scenarios = changed.Scenarios[:2]
	path := filepath.Join(t.TempDir(), "changed.json")
	if err := changed.write(path); err != nil {
		t.Fatalf("the changed results cannot be written: %v", err)
	}
	var text strings.Builder
	if err := compareFiles(madeUp, path, &text); err != nil {
		t.Fatalf("the files were not compared: %v", err)
	}
	expectGolden(t, "testdata/compare.md", text.String())
	for _, expected := range []string{
		"| penstock | 5.50 µs (5.20–5.90) | 4.10 µs (4.00–4.20) | 0.75 (0.68–0.81) | better |",
		"| floor | 5.40 µs (5.18–5.67) | 5.40 µs (5.18–5.67) | 1.00 (0.91–1.09) | control: no change beyond its spread |",
		"The runs are not alike: kernel was Linux 6 amd64 and is Linux 7 amd64.",
		"The runs are not alike: fasthttp was fasthttp 1.0 and is fasthttp 2.0.",
		"In hello, nginx-2 is in the later results alone.",
		"In hello, nginx is in the earlier results alone.",
		"The scenario idle is in the earlier results alone.",
		"In pipelined of the later results, nethttp could not be measured: wrk saw 3 <errors>",
	} {
		if !strings.Contains(text.String(), expected) {
			t.Errorf("the comparison does not say %q", expected)
		}
	}
}

func TestCompareFilesWantsBoth(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none.json")
	for _, pair := range [][2]string{{missing, madeUp}, {madeUp, missing}} {
		if err := compareFiles(pair[0], pair[1], &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "none.json") {
			t.Errorf("comparing %v gives the error %v, expected it to name the file that is missing", pair, err)
		}
	}
}
