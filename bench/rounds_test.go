package main

import (
	"slices"
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
