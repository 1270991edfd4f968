package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
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
	Version string `json:"version"`
}

// scenarioResult holds one scenario. Servers that failed are in Failures alone.
type scenarioResult struct {
	Name       string         `json:"name"`
	Title      string         `json:"title"`
	Servers    []serverResult `json:"servers"` // in the order they were measured in
	Ratios     []ratioResult  `json:"ratios"`
	Targets    []targetResult `json:"targets"`
	Failures   []failure      `json:"failures,omitempty"`
	definition *scenario
}

type serverResult struct {
	Label    string             `json:"label"`
	Measures map[string]summary `json:"measures"`
	kind     string
}

// A ratioResult is the first server's value over another's, round by round.
type ratioResult struct {
	Measure   string  `json:"measure"`
	Subject   string  `json:"subject"`
	Reference string  `json:"reference"`
	Ratio     summary `json:"ratio"`
}

type targetResult struct {
	Measure   string  `json:"measure"`
	Reference string  `json:"reference,omitempty"` // empty: the value itself
	AtLeast   bool    `json:"at_least"`            // else at most
	Bound     float64 `json:"bound"`
	Median    float64 `json:"median"`
	Met       bool    `json:"met"`
}

type failure struct {
	Label  string `json:"label"`
	Reason string `json:"reason"`
}

// evaluate turns the samples of a scenario, in the order of the contenders, into its result.
func evaluate(s *scenario, contenders []*contender, samples map[string][]sample, failures []failure) scenarioResult {
	result := scenarioResult{Name: s.name, Title: s.title, Failures: failures, definition: s}
	for _, c := range contenders {
		if len(samples[c.label]) == 0 {
			continue
		}
		server := serverResult{Label: c.label, kind: c.kind.name, Measures: map[string]summary{}}
		for key := range samples[c.label][0] {
			server.Measures[key] = summarize(valuesOf(samples[c.label], key))
		}
		result.Servers = append(result.Servers, server)
	}
	result.compare()
	return result
}

// compare fills in the ratios of the first server to every other, and the targets where the
// first is Penstock.
func (r *scenarioResult) compare() {
	if len(r.Servers) == 0 {
		return
	}
	subject := r.Servers[0]
	for _, t := range r.definition.targets {
		if subject.kind == penstockName && t.against == "" {
			r.Targets = append(r.Targets, t.judge("", subject.Measures[t.key].Median))
		}
	}
	for _, m := range r.definition.measures {
		if !m.ratio {
			continue
		}
		for _, reference := range r.Servers[1:] {
			quotients := ratios(subject.Measures[m.key].Rounds, reference.Measures[m.key].Rounds)
			if len(quotients) == 0 {
				continue
			}
			ratio := summarize(quotients)
			r.Ratios = append(r.Ratios, ratioResult{m.key, subject.Label, reference.Label, ratio})
			for _, t := range r.definition.targets {
				if subject.kind == penstockName && t.key == m.key && t.against == reference.kind {
					r.Targets = append(r.Targets, t.judge(reference.Label, ratio.Median))
				}
			}
		}
	}
}

func (t target) judge(reference string, median float64) targetResult {
	met := median <= t.bound
	if t.atLeast {
		met = median >= t.bound
	}
	return targetResult{t.key, reference, t.atLeast, t.bound, median, met}
}

// write stores the results as JSON, making the folder when it is not there.
func (r *results) write(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("the results cannot be written as JSON: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("no folder for the results: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("the results cannot be stored: %w", err)
	}
	return nil
}
