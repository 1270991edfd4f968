package main

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// A scenario is one row of what is measured: how one measurement of one server is made, what
// it yields, and what Penstock has to reach in it.
type scenario struct {
	name     string // for -only
	title    string
	role     role
	second   role     // another one that a measurement needs; empty: none
	load     load     // what makes the requests; zero when the scenario makes its own
	only     []string // kinds that take part; empty: all that have the role
	without  []string // kinds that have nothing to show here
	once     bool     // one round, whatever -rounds says: it takes long and varies little
	extra    bool     // runs only when -only names it
	measures []measure
	targets  []target
	// takes is about how long one measurement is, for the estimate of what is left.
	takes   func(settings) time.Duration
	measure func(ctx context.Context, h *harness, c *contender) (sample, error)
}

// scenarioNames is for messages.
func scenarioNames() string {
	var names []string
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

// selectScenarios reads the -only list, of names and patterns with * and ?; empty means all
// but the extra ones. A pattern finds no extra scenario: those must be named.
func selectScenarios(list string) ([]scenario, error) {
	if list == "" {
		list = "*"
	}
	var selected []scenario
	for pattern := range strings.SplitSeq(list, ",") {
		found := false
		for _, s := range scenarios {
			matches, err := path.Match(pattern, s.name)
			if err != nil {
				return nil, fmt.Errorf("-only has %q, which is no pattern: %w", pattern, err)
			}
			if s.name != pattern && (!matches || s.extra) {
				continue
			}
			found = true
			if !slices.ContainsFunc(selected, func(other scenario) bool { return other.name == s.name }) {
				selected = append(selected, s)
			}
		}
		if !found {
			return nil, fmt.Errorf("-only names %q, which is none of %s", pattern, scenarioNames())
		}
	}
	return selected, nil
}

// toolsOf returns the load generators that the scenarios need, each once.
func toolsOf(selected []scenario) []tool {
	var tools []tool
	for _, s := range selected {
		if s.load.tool != toolNone && !slices.Contains(tools, s.load.tool) {
			tools = append(tools, s.load.tool)
		}
	}
	return tools
}

// rolesOf returns the roles that the scenarios need.
func rolesOf(selected []scenario) []role {
	var roles []role
	for _, s := range selected {
		for _, r := range []role{s.role, s.second} {
			if r != "" && !slices.Contains(roles, r) {
				roles = append(roles, r)
			}
		}
	}
	return roles
}

// contendersOf returns those that take part, in the order of -peers.
func (s *scenario) contendersOf(all []*contender) []*contender {
	var taking []*contender
	for _, c := range all {
		invited := len(s.only) == 0 || slices.Contains(s.only, c.kind.name)
		able := c.binaries[s.role] != "" && (s.second == "" || c.binaries[s.second] != "")
		if invited && able && !slices.Contains(s.without, c.kind.name) {
			taking = append(taking, c)
		}
	}
	return taking
}

// roundsOf returns how many rounds the scenario has.
func (s *scenario) roundsOf(settings settings) int {
	if s.once {
		return 1
	}
	return settings.Rounds
}

// describe writes the measures that the scenario compares servers in, or its first.
func (s *scenario) describe(measured sample) string {
	var parts []string
	for i, m := range s.measures {
		if value, found := measured[m.Key]; found && (m.Ratio || i == 0) {
			parts = append(parts, m.Title+" "+m.Unit.format(value))
		}
	}
	return strings.Join(parts, ", ")
}
