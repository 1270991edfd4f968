package main

import (
	"fmt"
	"slices"
	"strings"
)

// occasion is when and on what a scenario was measured that was added to the results of another run.
type occasion struct {
	Time        string `json:"time"` // RFC 3339
	Commit      string `json:"commit"`
	LoadAverage string `json:"load_average"`
}

// add puts the scenarios of a later run beside those of r, or in the place of those of the same
// name. It refuses one that was run otherwise: with other settings, or other versions of a server.
func (r *results) add(later *results) error {
	if before, now := r.Settings.comparable(), later.Settings.comparable(); before != now {
		return fmt.Errorf("the results were measured with %s, and what is to be added with %s; expected the same", before, now)
	}
	for _, s := range later.Servers {
		known := slices.IndexFunc(r.Servers, func(other serverVersion) bool { return other.Label == s.Label })
		switch {
		case known < 0:
			return fmt.Errorf("the results have no server %s, of which there would be something to add", s.Label)
		case r.Servers[known].Kind != penstockName && r.Servers[known] != s:
			return fmt.Errorf("%s was %s, and is %s now; expected the same", s.Label, r.Servers[known].Version, s.Version)
		}
	}
	for _, s := range later.Scenarios {
		s.Added = &occasion{later.Time, later.Machine.Commit, later.Machine.LoadAverage}
		at := slices.IndexFunc(r.Scenarios, func(other scenarioResult) bool { return other.Name == s.Name })
		if at < 0 {
			r.Scenarios = append(r.Scenarios, s)
			continue
		}
		r.Scenarios[at] = s
	}
	return nil
}

// comparable is what must be the same for figures to stand beside each other: all settings but which
// scenarios and servers were chosen.
func (s settings) comparable() string {
	return fmt.Sprintf("%d rounds of %d s behind %d s, %d connections, %d, %d bytes, %d readers, %d subscribers, %d s of soak, %d processors",
		s.Rounds, s.Seconds, s.WarmUp, s.IdleConnections, s.EchoBytes, s.UploadBytes, s.Readers, s.Subscribers, s.SoakSeconds, s.Processors)
}

// additions says which scenarios were added later, a sentence for each occasion.
func (r *results) additions() []string {
	var occasions []occasion
	names := make(map[occasion][]string)
	for _, s := range r.Scenarios {
		if s.Added == nil {
			continue
		}
		if !slices.Contains(occasions, *s.Added) {
			occasions = append(occasions, *s.Added)
		}
		names[*s.Added] = append(names[*s.Added], s.Name)
	}
	var sentences []string
	for _, o := range occasions {
		sentences = append(sentences, fmt.Sprintf("Added at %s: %s; commit %s; load average before: %s.",
			o.Time, strings.Join(names[o], ", "), o.Commit, o.LoadAverage))
	}
	return sentences
}
