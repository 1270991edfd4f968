package main

import (
	"io"
	"strings"
	"testing"
)

func TestQuickLeavesGivenFlagsAlone(t *testing.T) {
	s, err := parseSettings([]string{"-quick", "-rounds", "7"}, io.Discard)
	if err != nil || s.Rounds != 7 || s.Seconds != 1 {
		t.Errorf("-quick -rounds 7 gives %d rounds of %d seconds with error %v, expected 7 of 1", s.Rounds, s.Seconds, err)
	}
	if len(s.scenarios) != len(scenarios) {
		t.Errorf("without -only there are %d scenarios, expected all %d", len(s.scenarios), len(scenarios))
	}
}

func TestSettingsThatMeanNothing(t *testing.T) {
	tests := []struct{ arguments, complaint string }{
		{"-only hello,goodbye", `"goodbye"`},
		{"-peers floor,apache", `"apache"`},
		{"-rounds 0", "-rounds is 0"},
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
