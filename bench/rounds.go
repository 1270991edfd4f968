package main

import "slices"

// A sample is what one measurement of one server found, by the key of the measure.
type sample map[string]float64

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

// valuesOf returns one measure of every round.
func valuesOf(samples []sample, key string) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = s[key]
	}
	return values
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
