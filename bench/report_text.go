package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// writeReport writes the results as Markdown: what was measured on, for each scenario its
// figures, comparisons and what failed, and at the end the targets in one line.
func writeReport(w io.Writer, r *results) {
	for _, line := range r.circumstances() {
		fmt.Fprintln(w, line)
	}
	for _, s := range r.Scenarios {
		fmt.Fprintf(w, "\n## %s (%s)\n\n", s.Title, s.Name)
		if figures := s.figures(); len(figures.Rows) > 0 {
			figures.writeMarkdown(w)
		}
		if comparisons := s.comparisons(); len(comparisons.Rows) > 0 {
			fmt.Fprintln(w)
			comparisons.writeMarkdown(w)
		}
		for _, f := range s.Failures {
			fmt.Fprintf(w, "\n%s\n", f.sentence())
		}
	}
	fmt.Fprintf(w, "\n%s\n%s\n", r.outcome(), aboutVerdicts)
}

// circumstances says on what, with what and how the figures were measured, in some sentences.
func (r *results) circumstances() []string {
	var versions []string
	for _, s := range r.Servers {
		versions = append(versions, s.Label+": "+s.Version)
	}
	m := r.Machine
	tools := []string{m.Kernel, m.Go, m.Wrk}
	if m.AB != "" {
		tools = append(tools, m.AB)
	}
	return append([]string{
		fmt.Sprintf("%s, %d processors, %s of memory, %s.", m.Processor, m.Processors, m.Memory, strings.Join(tools, ", ")),
		fmt.Sprintf("Measured at %s; commit %s; load average before: %s.", r.Time, m.Commit, m.LoadAverage),
		strings.Join(versions, "; ") + ".",
		fmt.Sprintf("Medians of %d interleaved rounds%s, with the lowest and the highest; %d s a measurement; "+
			"every server with GOMAXPROCS=%d, the clients on the same machine. Ratios are taken round by round.",
			r.Settings.Rounds, r.exceptions(), r.Settings.Seconds, r.Settings.Processors),
	}, r.additions()...)
}

// exceptions names the scenarios whose number of rounds is another.
func (r *results) exceptions() string {
	var names []string
	for _, s := range r.Scenarios {
		if s.Rounds != r.Settings.Rounds {
			names = append(names, fmt.Sprintf("%s: %d", s.Name, s.Rounds))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// outcome counts targets and failures.
func (r *results) outcome() string {
	met, targets := 0, 0
	var missed []string
	failures := 0
	for _, s := range r.Scenarios {
		failures += len(s.Failures)
		for _, t := range s.Targets {
			targets++
			if t.Met {
				met++
			} else if !slices.Contains(missed, s.Name) {
				missed = append(missed, s.Name)
			}
		}
	}
	sentence := fmt.Sprintf("%d of %d targets are met", met, targets)
	if len(missed) > 0 {
		sentence += "; missed in " + strings.Join(missed, ", ")
	}
	if failures > 0 {
		sentence += fmt.Sprintf(". Failed measurements: %d", failures)
	}
	return sentence + "."
}

func (f failure) sentence() string {
	return f.Label + " could not be measured: " + f.Reason
}
