package main

import (
	"fmt"
	"math"
	"slices"
)

// A sample is what one measurement of one server found, by the key of the measure.
type sample map[string]float64

// check makes sure that every value is a number: what divides by nothing has measured nothing.
func (s sample) check() error {
	for key, value := range s {
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("%s is %v, expected a number", key, value)
		}
	}
	return nil
}

// A summary is a series of rounds in three numbers: its median and its spread.
type summary struct {
	Median  float64   `json:"median"`
	Lowest  float64   `json:"lowest"`
	Highest float64   `json:"highest"`
	Rounds  []float64 `json:"rounds"`
}

// summarize returns the summary of the rounds, in the order they were measured in. The median
// of an even number of rounds is the mean of the middle two; rounds must not be empty.
func summarize(rounds []float64) summary {
	sorted := slices.Sorted(slices.Values(rounds))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + sorted[middle]) / 2
	}
	return summary{Median: median, Lowest: sorted[0], Highest: sorted[len(sorted)-1], Rounds: rounds}
}

// differsFrom says whether the median is as far from the value as the rounds are from each
// other, or farther. Of one round that is not known.
func (s summary) differsFrom(value float64) bool {
	return len(s.Rounds) > 1 && s.Highest-s.Lowest <= math.Abs(s.Median-value)
}

// summarizeSamples returns a summary for every key that all the samples have. One that a round
// lacks, as a percentile that wrk did not know, would set the rounds of two servers against
// each other wrongly.
func summarizeSamples(samples []sample) map[string]summary {
	summaries := map[string]summary{}
	for key := range samples[0] {
		var values []float64
		for _, s := range samples {
			if value, known := s[key]; known {
				values = append(values, value)
			}
		}
		if len(values) == len(samples) {
			summaries[key] = summarize(values)
		}
	}
	return summaries
}

// ratios divides round by round. What disturbs the machine for the length of a round disturbs
// both servers of it and cancels out, which it would not in a ratio of two medians. Rounds
// that only one of the two has are left out, and so are divisions by zero.
func ratios(subject, reference []float64) []float64 {
	var quotients []float64
	for i := range min(len(subject), len(reference)) {
		if reference[i] != 0 {
			quotients = append(quotients, subject[i]/reference[i])
		}
	}
	return quotients
}
