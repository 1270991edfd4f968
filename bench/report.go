package main

import (
	"fmt"
	"io"
	"strings"
)

// writeReport writes the results as Markdown: what was measured on, a table of figures, a
// table of ratios and targets, and what failed.
func writeReport(w io.Writer, r *results) {
	fmt.Fprintf(w, "%s, %d processors, %s, %s, %s. Commit %s. Load average before: %s.\n",
		r.Machine.Processor, r.Machine.Processors, r.Machine.Kernel, r.Machine.Go, r.Machine.Wrk, r.Machine.Commit, r.Machine.LoadAverage)
	fmt.Fprintf(w, "Medians of %d rounds%s, lowest and highest in brackets; %d s a measurement; "+
		"every server with GOMAXPROCS=%d, the clients on the same machine.\n\n",
		r.Settings.Rounds, exceptions(r.Scenarios), r.Settings.Seconds, r.Settings.Processors)
	writeFigures(w, r)
	writeComparisons(w, r)
	for _, s := range r.Scenarios {
		for _, f := range s.Failures {
			fmt.Fprintf(w, "\n%s could not be measured in %s: %s\n", f.Label, s.Name, f.Reason)
		}
	}
}

// exceptions names the scenarios that have one round.
func exceptions(scenarios []scenarioResult) string {
	var names []string
	for _, s := range scenarios {
		if s.definition.once {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ": 1)"
}

func writeFigures(w io.Writer, r *results) {
	header := []string{"scenario", "measure"}
	for _, s := range r.Servers {
		header = append(header, s.Label)
	}
	writeHeader(w, header)
	for _, s := range r.Scenarios {
		for _, m := range s.definition.measures {
			row := []string{s.Title, m.title}
			for _, server := range r.Servers {
				row = append(row, s.cell(server.Label, m))
			}
			writeRow(w, row)
		}
	}
	fmt.Fprintln(w)
}

func (s *scenarioResult) cell(label string, m measure) string {
	for _, server := range s.Servers {
		if value, found := server.Measures[m.key]; found && server.Label == label {
			return m.unit.summary(value)
		}
	}
	return "–"
}

func writeComparisons(w io.Writer, r *results) {
	writeHeader(w, []string{"scenario", "measure", "of", "figure", "target", "met"})
	for _, s := range r.Scenarios {
		for _, t := range s.Targets {
			if t.Reference == "" {
				m := s.measureOf(t.Measure)
				subject := s.Servers[0]
				writeRow(w, []string{s.Title, m.title, subject.Label,
					m.unit.summary(subject.Measures[t.Measure]), t.describe(m.unit), yesOrNo(t.Met)})
			}
		}
		for _, ratio := range s.Ratios {
			row := []string{s.Title, s.measureOf(ratio.Measure).title,
				ratio.Subject + " / " + ratio.Reference, unitRatio.summary(ratio.Ratio), "", ""}
			for _, t := range s.Targets {
				if t.Measure == ratio.Measure && t.Reference == ratio.Reference {
					row[4], row[5] = t.describe(unitRatio), yesOrNo(t.Met)
				}
			}
			writeRow(w, row)
		}
	}
}

func (s *scenarioResult) measureOf(key string) measure {
	for _, m := range s.definition.measures {
		if m.key == key {
			return m
		}
	}
	return measure{key: key, title: key, unit: unitRatio}
}

func (t targetResult) describe(u unit) string {
	if t.AtLeast {
		return "≥ " + u.format(t.Bound)
	}
	return "≤ " + u.format(t.Bound)
}

func writeHeader(w io.Writer, cells []string) {
	writeRow(w, cells)
	fmt.Fprintln(w, "|"+strings.Repeat("---|", len(cells)))
}

func writeRow(w io.Writer, cells []string) {
	fmt.Fprintln(w, "| "+strings.Join(cells, " | ")+" |")
}

func yesOrNo(met bool) string {
	if met {
		return "yes"
	}
	return "no"
}
