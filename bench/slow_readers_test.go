package main

import (
	"bufio"
	"strings"
	"testing"
)

func TestCountOfReadersIsANumber(t *testing.T) {
	tests := []struct {
		report, complaint string
		expected          float64
	}{
		{"read 70\n", "", 70},
		{"ready\n", "expected a number", 0},
		{"read much\n", "expected a number", 0},
		{"", "the readers ended", 0},
	}
	for _, test := range tests {
		var commands strings.Builder
		got, err := countRead(&commands, bufio.NewReader(strings.NewReader(test.report)))
		if got != test.expected || (err == nil) != (test.complaint == "") || err != nil && !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("of the report %q the count is %v with error %v, expected %v and %q", test.report, got, err, test.expected, test.complaint)
		}
		if commands.String() != "count\n" {
			t.Errorf("the command is %q, expected that they count", commands.String())
		}
	}
}
