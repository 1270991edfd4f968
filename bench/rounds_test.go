package main

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestSummarize(t *testing.T) {
	tests := []struct {
		rounds                  []float64
		median, lowest, highest float64
	}{
		{[]float64{7}, 7, 7, 7},
		{[]float64{9, 1, 5}, 5, 1, 9},
		{[]float64{8, 2, 4, 6}, 5, 2, 8},
	}
	for _, test := range tests {
		rounds := slices.Clone(test.rounds)
		got := summarize(rounds)
		if got.Median != test.median || got.Lowest != test.lowest || got.Highest != test.highest {
			t.Errorf("summarize(%v) is %+v, expected median %v, lowest %v, highest %v",
				test.rounds, got, test.median, test.lowest, test.highest)
		}
		if !slices.Equal(got.Rounds, test.rounds) {
			t.Errorf("summarize(%v) keeps the rounds as %v, expected them in the order they were measured in", test.rounds, got.Rounds)
		}
	}
}

func TestRatiosAreTakenRoundByRound(t *testing.T) {
	// The second round was disturbed for both: each ratio is 2, that of the sums is not.
	got := ratios([]float64{20, 90, 22}, []float64{10, 45, 11})
	if !slices.Equal(got, []float64{2, 2, 2}) {
		t.Errorf("the ratios are %v, expected 2 in every round", got)
	}
	got = ratios([]float64{1, 2, 3}, []float64{0, 4})
	if !slices.Equal(got, []float64{0.5}) {
		t.Errorf("the ratios are %v, expected only that of the round that both have and that divides", got)
	}
}

func TestDifferenceAndSpread(t *testing.T) {
	tests := []struct {
		rounds  []float64
		differs bool
	}{
		{[]float64{2}, false}, // one round has no spread
		{[]float64{1.5, 1.6, 1.7}, true},
		{[]float64{0.5, 0.6, 0.7}, true},
		{[]float64{1.1, 1.2, 1.4}, false}, // spread over 0.3, claims 0.2
		{[]float64{0.9, 1.0, 1.1}, false},
		{[]float64{1.25, 1.5, 1.75}, true}, // as far as they are apart
	}
	for _, test := range tests {
		if got := summarize(test.rounds).differsFrom(1); got != test.differs {
			t.Errorf("%v differs from 1: %v, expected %v", test.rounds, got, test.differs)
		}
	}
}

func TestSummaryOfSamplesHasWhatAllRoundsHave(t *testing.T) {
	got := summarizeSamples([]sample{{keyCPU: 1, keyLatencyP99: 5}, {keyCPU: 3}})
	if len(got) != 1 || got[keyCPU].Median != 2 {
		t.Errorf("the summaries are %v, expected that of the one key that both rounds have", got)
	}
}

func TestSampleOfNoNumbers(t *testing.T) {
	if err := (sample{keyCPU: 0}).check(); err != nil {
		t.Errorf("0 is refused with %v, expected to be a number", err)
	}
	for _, value := range []float64{math.NaN(), math.Inf(1)} {
		if err := (sample{keyCPU: value}).check(); err == nil || !strings.Contains(err.Error(), keyCPU) {
			t.Errorf("of %v the error is %v, expected one that names its key", value, err)
		}
	}
}
