package main

import "testing"

func TestUnitFormat(t *testing.T) {
	tests := []struct {
		unit     unit
		value    float64
		expected string
	}{
		{unitOne, 0, "0"},
		{unitOne, 999, "999"},
		{unitOne, 1000, "1,000"},
		{unitOne, 1234567.6, "1,234,568"},
		{unitByte, -1234, "-1,234 B"},
		{unitRatio, 1.005001, "1.01"},
		{unitMicrosecond, 12345.678, "12,345.68 µs"},
		{unitMillisecond, 2500, "2.5 ms"},
		{unitMebibyte, 64 << 20, "64.0 MiB"},
	}
	for _, test := range tests {
		if got := test.unit.format(test.value); got != test.expected {
			t.Errorf("%v in %+v is %q, expected %q", test.value, test.unit, got, test.expected)
		}
	}
}

func TestUnitSummary(t *testing.T) {
	if got := unitMicrosecond.summary(summarize([]float64{7, 8, 7.5})); got != "7.50 µs (7.00–8.00)" {
		t.Errorf("three rounds are written %q, expected the median and the spread", got)
	}
	if got := unitMicrosecond.summary(summarize([]float64{7})); got != "7.00 µs" {
		t.Errorf("one round is written %q, expected no spread", got)
	}
}

func TestUnitsInFiles(t *testing.T) {
	for _, u := range units {
		var back unit
		text, err := u.MarshalText()
		if err != nil || back.UnmarshalText(text) != nil || back != u {
			t.Errorf("the unit %+v is written as %q and read as %+v, expected the same again", u, text, back)
		}
	}
	var none unit
	if err := none.UnmarshalText([]byte("furlongs")); err == nil {
		t.Error("furlongs are taken for a unit, expected an error")
	}
}
