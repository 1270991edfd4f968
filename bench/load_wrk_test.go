package main

import (
	"strings"
	"testing"
)

func TestParseWrkOutput(t *testing.T) {
	const good = "Running 1s test\n  10 requests in 1.00s\n" +
		`{"requests":10,"bytes":70,"microseconds":1000000,"connect_errors":0,"read_errors":0,"write_errors":0,` +
		`"status_errors":0,"timeouts":0,"latency_p50":20,"latency_p90":30,"latency_p99":40,"latency_p999":50,"latency_max":60}` + "\n"
	got, err := parseWrkOutput([]byte(good))
	expected := loadResult{requests: 10, bytes: 70, microseconds: 1e6, latency: latencies{20, 30, 40, 50, 60}}
	if err != nil || got != expected {
		t.Errorf("the result is %+v with error %v, expected %+v", got, err, expected)
	}
	tests := []struct{ why, old, new, complaint string }{
		{"no line of results", "{", "", "no line"},
		{"a broken line", `"requests":10`, `"requests":`, "not JSON"},
		{"no request", `"requests":10`, `"requests":0`, "no request"},
		{"an error of a socket", `"read_errors":0`, `"read_errors":3`, "3 reading"},
		{"a timeout", `"timeouts":0`, `"timeouts":1`, "1 timeouts"},
	}
	for _, test := range tests {
		_, err := parseWrkOutput([]byte(strings.Replace(good, test.old, test.new, 1)))
		if err == nil || !strings.Contains(err.Error(), test.complaint) {
			t.Errorf("%s: the error is %v, expected one with %q", test.why, err, test.complaint)
		}
	}
}
