package main

import (
	"fmt"
	"slices"
)

// pairUp finds what both results have measured, scenario by scenario and measure by measure, with the
// first server of the later run before the others. What only one of them has is said in sentences.
func pairUp(old, changed *results) (comparisons []comparison, unpaired []string) {
	for i := range changed.Scenarios {
		after := &changed.Scenarios[i]
		before := old.scenario(after.Name)
		if before == nil {
			unpaired = append(unpaired, fmt.Sprintf("The scenario %s is in the later results alone.", after.Name))
			continue
		}
		paired, sentences := pairScenario(before, after)
		comparisons = append(comparisons, paired...)
		unpaired = append(unpaired, sentences...)
	}
	for _, before := range old.Scenarios {
		if changed.scenario(before.Name) == nil {
			unpaired = append(unpaired, fmt.Sprintf("The scenario %s is in the earlier results alone.", before.Name))
		}
	}
	return comparisons, unpaired
}

// pairScenario leaves out a value whose earlier one is zero: it has no ratio.
func pairScenario(before, after *scenarioResult) (comparisons []comparison, unpaired []string) {
	for _, m := range after.Measures {
		if !m.Ratio {
			continue
		}
		for _, server := range after.Servers {
			value, known := server.Measures[m.Key]
			earlier := before.server(server.Label)
			if !known || earlier == nil {
				continue
			}
			if was, found := earlier.Measures[m.Key]; found && was.Lowest > 0 && value.Lowest > 0 {
				comparisons = append(comparisons, comparison{after.Title, m, server.Label, was, value})
			}
		}
	}
	for _, server := range after.Servers {
		if before.server(server.Label) == nil {
			unpaired = append(unpaired, fmt.Sprintf("In %s, %s is in the later results alone.", after.Name, server.Label))
		}
	}
	for _, server := range before.Servers {
		if after.server(server.Label) == nil {
			unpaired = append(unpaired, fmt.Sprintf("In %s, %s is in the earlier results alone.", after.Name, server.Label))
		}
	}
	for _, f := range after.Failures {
		unpaired = append(unpaired, fmt.Sprintf("In %s of the later results, %s", after.Name, f.sentence()))
	}
	return comparisons, unpaired
}

func (r *results) scenario(name string) *scenarioResult {
	at := slices.IndexFunc(r.Scenarios, func(s scenarioResult) bool { return s.Name == name })
	if at < 0 {
		return nil
	}
	return &r.Scenarios[at]
}

func (s *scenarioResult) server(label string) *serverResult {
	at := slices.IndexFunc(s.Servers, func(r serverResult) bool { return r.Label == label })
	if at < 0 {
		return nil
	}
	return &s.Servers[at]
}
