package main

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestQuickLeavesGivenFlagsAlone(t *testing.T) {
	s, err := parseSettings([]string{"-quick", "-rounds", "7"}, io.Discard)
	if err != nil || s.Rounds != 7 || s.Seconds != 1 {
		t.Errorf("-quick -rounds 7 gives %d rounds of %d seconds with error %v, expected 7 of 1", s.Rounds, s.Seconds, err)
	}
	if len(s.scenarios) != len(scenarios)-1 || slices.ContainsFunc(s.scenarios, func(s scenario) bool { return s.name == "soak" }) {
		t.Errorf("without -only there are %d scenarios, expected all %d but the soak", len(s.scenarios), len(scenarios))
	}
	if s, err = parseSettings([]string{"-only", "soak"}, io.Discard); err != nil || len(s.scenarios) != 1 || s.SoakSeconds != 600 {
		t.Errorf("-only soak gives %d scenarios of %d s with error %v, expected that one of 600 s", len(s.scenarios), s.SoakSeconds, err)
	}
}

func TestSettingsThatMeanNothing(t *testing.T) {
	tests := []struct{ arguments, complaint string }{
		{"-only hello,goodbye", `"goodbye"`},
		{"-peers floor,apache", `"apache"`},
		{"-rounds 0", "-rounds is 0"},
		{"-subscribers 0", "-subscribers 0"},
		{"-soak-seconds 0", "-soak-seconds 0"},
		{"-uploadbytes 0", "-uploadbytes 0"},
		{"-readers 0", "-readers 0"},
		{"-warmup -1", "-warmup -1"},
		{"-compare old.json", "there are 0 files"},
		{"-compare old.json new.json newer.json", "there are 2 files"},
		{"hello", "expected none"},
	}
	for _, test := range tests {
		_, err := parseSettings(strings.Fields(test.arguments), io.Discard)
		if err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.arguments, err, test.complaint)
		}
	}
}

func TestAPeerThatComesTwiceHasTwoLabels(t *testing.T) {
	contenders, err := parseContenders("floor,nethttp,floor")
	if err != nil || len(contenders) != 3 || contenders[0].label != "floor" || contenders[2].label != "floor-2" {
		t.Errorf("the contenders are %v with error %v, expected floor, nethttp, floor-2", contenders, err)
	}
}

func TestTriesDoNotReplaceTheResults(t *testing.T) {
	tests := []struct{ arguments, expected string }{
		{"", "results/latest.json"},
		{"-rounds 3", "results/latest.json"},
		{"-quick", "results/try.json"},
		{"-only hello", "results/try.json"},
		{"-peers floor", "results/try.json"},
		{"-quick -results some.json", "some.json"},
	}
	for _, test := range tests {
		s, err := parseSettings(strings.Fields(test.arguments), io.Discard)
		if err != nil || s.resultsPath != test.expected {
			t.Errorf("%q: the results go to %s with error %v, expected %s", test.arguments, s.resultsPath, err, test.expected)
		}
	}
}
