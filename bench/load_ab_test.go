package main

import (
	"strings"
	"testing"
)

func TestParseABOutput(t *testing.T) {
	const good = "Concurrency Level:      64\nTime taken for tests:   2.500 seconds\nComplete requests:      40000\n" +
		"Failed requests:        0\nKeep-Alive requests:    39990\nTotal transferred:      100 bytes\n\n" +
		"Percentage of the requests served within a certain time (ms)\n  50%      1\n 100%     17 (longest request)\n"
	const table = "Percentage served,Time in ms\n0,0.100\n5,0.2\n50,1.234\n90,2.5\n99,3.001\n"
	got, err := parseABOutput(good, table, true)
	expected := loadResult{requests: 40000, microseconds: 2.5e6, latency: latencies{p50: 1234, p90: 2500, p99: 3001, longest: 17000}}
	if err != nil || got != expected {
		t.Errorf("the result is %+v with error %v, expected %+v", got, err, expected)
	}
	tests := []struct{ why, old, new, complaint string }{
		{"nothing complete", "Complete requests:      40000", "Complete requests:      0", "no request"},
		{"no time", "2.500", "0.000", "no request"},
		{"failed requests", "Failed requests:        0", "Failed requests:        3", "3 failed"},
		{"other statuses", "Total", "Non-2xx responses:      7\nTotal", "7 with another status"},
		{"connections that were not kept", "39990", "20", "20 of 40000"},
	}
	for _, test := range tests {
		_, err := parseABOutput(strings.Replace(good, test.old, test.new, 1), table, true)
		if err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
	}
	if _, err := parseABOutput(strings.Replace(good, "39990", "0", 1), table, false); err != nil {
		t.Errorf("without keep-alive no connection is kept, and the error is %v, expected none", err)
	}
	if got, _ := parseABOutput(good, "", true); got.latency != (latencies{longest: 17000}) {
		t.Errorf("without a table the latencies are %+v, expected them to be unknown but for the longest", got.latency)
	}
}
