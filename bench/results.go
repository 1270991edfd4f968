package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// results is what one run found, as results/latest.json holds it.
type results struct {
	Time      string           `json:"time"` // RFC 3339
	Machine   machine          `json:"machine"`
	Settings  settings         `json:"settings"`
	Servers   []serverVersion  `json:"servers"`
	Scenarios []scenarioResult `json:"scenarios"`
}

type serverVersion struct {
	Label   string `json:"label"`
	Kind    string `json:"kind"` // what it is; a kind may take part under two labels
	Version string `json:"version"`
}

// scenarioResult holds one scenario, and all that a report needs to know of it. Servers that
// failed are in Failures alone.
type scenarioResult struct {
	Name     string         `json:"name"`
	Title    string         `json:"title"`
	Rounds   int            `json:"rounds"`
	Measures []measure      `json:"measures"`
	Servers  []serverResult `json:"servers"` // in the order they were measured in
	Ratios   []ratioResult  `json:"ratios"`
	Targets  []targetResult `json:"targets"`
	Failures []failure      `json:"failures,omitempty"`
	Added    *occasion      `json:"added,omitempty"` // nil: measured in the run that the results are of
}

// A serverResult also holds values that are no measures of the scenario, under keys of their
// own: what a figure was made from.
type serverResult struct {
	Label    string             `json:"label"`
	Kind     string             `json:"kind"`
	Measures map[string]summary `json:"measures"`
	Course   []moment           `json:"course,omitempty"` // of the last round, where it was followed
}

// A ratioResult is the first server's value over another's, round by round.
type ratioResult struct {
	Measure   string  `json:"measure"`
	Subject   string  `json:"subject"`
	Reference string  `json:"reference"`
	Ratio     summary `json:"ratio"`
	// Conclusive says that the ratio differs from 1 by no less than its own spread. One round
	// has no spread and concludes nothing.
	Conclusive bool `json:"conclusive"`
}

type targetResult struct {
	Measure   string  `json:"measure"`
	Reference string  `json:"reference,omitempty"` // empty: the value itself
	AtLeast   bool    `json:"at_least"`            // else at most
	Bound     float64 `json:"bound"`
	Median    float64 `json:"median"`
	Met       bool    `json:"met"`
	// Conclusive says that every round, of which there are at least two, says the same.
	Conclusive bool `json:"conclusive"`
}

type failure struct {
	Label  string `json:"label"`
	Reason string `json:"reason"`
}

// evaluate turns the samples of a scenario, in the order of the contenders, into its result.
func evaluate(s *scenario, rounds int, contenders []*contender, samples map[string][]sample, failures []failure) scenarioResult {
	result := scenarioResult{Name: s.name, Title: s.title, Rounds: rounds, Measures: s.measures, Failures: failures}
	for _, c := range contenders {
		if len(samples[c.label]) > 0 {
			result.Servers = append(result.Servers,
				serverResult{Label: c.label, Kind: c.kind.name, Measures: summarizeSamples(samples[c.label])})
		}
	}
	result.compare(s.targets)
	return result
}

// compare fills in the ratios of the first server to every other, and the targets where the
// first is Penstock.
func (r *scenarioResult) compare(targets []target) {
	if len(r.Servers) == 0 {
		return
	}
	subject := r.Servers[0]
	if subject.Kind != penstockName {
		targets = nil
	}
	for _, t := range targets {
		if value, known := subject.Measures[t.key]; known && t.against == "" {
			r.Targets = append(r.Targets, t.judge("", value))
		}
	}
	for _, m := range r.Measures {
		if !m.Ratio {
			continue
		}
		for _, reference := range r.Servers[1:] {
			quotients := ratios(subject.Measures[m.Key].Rounds, reference.Measures[m.Key].Rounds)
			if len(quotients) == 0 {
				continue
			}
			ratio := summarize(quotients)
			r.Ratios = append(r.Ratios, ratioResult{m.Key, subject.Label, reference.Label, ratio, ratio.differsFrom(1)})
			for _, t := range targets {
				if t.key == m.Key && t.against == reference.Kind {
					r.Targets = append(r.Targets, t.judge(reference.Label, ratio))
				}
			}
		}
	}
}

func (t target) judge(reference string, found summary) targetResult {
	return targetResult{
		Measure: t.key, Reference: reference, AtLeast: t.atLeast, Bound: t.bound,
		Median:     found.Median,
		Met:        t.metBy(found.Median),
		Conclusive: len(found.Rounds) > 1 && t.metBy(found.Lowest) == t.metBy(found.Highest),
	}
}

func (t target) metBy(value float64) bool {
	if t.atLeast {
		return value >= t.bound
	}
	return value <= t.bound
}

// momentLines is a moment over several lines. A course has hundreds, of a line each in the file.
var momentLines = regexp.MustCompile(`\{\s*"seconds":[^{}]*\}`)

// write stores the results as JSON, making the folder when it is not there.
func (r *results) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("the results cannot be written as JSON: %w", err)
	}
	text = momentLines.ReplaceAllFunc(text, func(lines []byte) []byte { return bytes.Join(bytes.Fields(lines), []byte(" ")) })
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("no folder for the results: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("the results cannot be stored: %w", err)
	}
	return nil
}
