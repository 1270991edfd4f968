package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// The part of a README.md between these lines is made from results, whole.
const (
	figuresBegin = "<!-- figures: made by cd bench && go run . -->"
	figuresEnd   = "<!-- end of figures -->"
)

// README.md shows these of the charts.
var readmeCharts = []string{
	chartName("hello", keyRate), chartName("pipelined", keyRate), chartName("hello", latencyChart),
	chartName("idle", memoryChart), chartName(fanoutName, keyDeliveryCPU), chartName(fanoutName, costChart),
	chartName("proxy-hello", keyCPU), chartName("proxy-streams", memoryChart),
}

// readmeFigures returns the part of README.md; soak may be nil.
func readmeFigures(r, soak *results, pages []page) string {
	var text strings.Builder
	for _, line := range r.circumstances() {
		fmt.Fprintln(&text, line)
	}
	fmt.Fprintln(&text, "The file behind these figures is [bench/"+committedResults+"](bench/"+committedResults+"); "+
		"bench/results/report.html, one page to open in a browser, has all of them.")
	fmt.Fprintln(&text)
	r.readmeTable().writeMarkdown(&text)
	fmt.Fprintln(&text)
	for _, name := range readmeCharts {
		for _, p := range pages {
			if at := slices.IndexFunc(p.Charts, func(c chart) bool { return c.Name == name }); at >= 0 {
				fmt.Fprintf(&text, "![%s](bench/results/charts/%s.svg)\n", markdownAlt(p.Charts[at].Alt), name)
			}
		}
	}
	fmt.Fprintf(&text, "\n%s %s\n\n", r.outcome(), aboutVerdicts)
	r.readmeComparisons().writeMarkdown(&text)
	for _, s := range r.Scenarios {
		for _, f := range s.Failures {
			fmt.Fprintf(&text, "\n%s, %s\n", s.Title, f.sentence())
		}
	}
	if soak != nil {
		writeReadmeSoak(&text, soak)
	}
	return text.String()
}

// writeReadmeSoak writes what is measured in a run of its own, because it takes long.
func writeReadmeSoak(text *strings.Builder, soak *results) {
	for _, s := range soak.Scenarios {
		fmt.Fprintf(text, "\nIn a run of its own, for %d s (commit %s, [bench/%s](bench/%s)): %s.\n\n",
			soak.Settings.SoakSeconds, soak.Machine.Commit, committedSoak, committedSoak, s.Title)
		s.figures().writeMarkdown(text)
		fmt.Fprintln(text)
		s.comparisons().writeMarkdown(text)
	}
}

// readmeTable has of each scenario the first measure in which servers are compared, with a column
// for each server; report.html has the others.
func (r *results) readmeTable() table {
	t := table{Head: []string{"scenario", "measure"}}
	for _, s := range r.Servers {
		t.Head = append(t.Head, s.Label)
	}
	for _, s := range r.Scenarios {
		at := slices.IndexFunc(s.Measures, func(m measure) bool { return m.Ratio })
		if at < 0 {
			continue
		}
		m := s.Measures[at]
		row := []string{s.Title, axisTitle(m.Title, m.Unit)}
		for _, server := range r.Servers {
			row = append(row, s.readmeCell(server.Label, m))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// readmeCell sets the spread below the median: beside it, the table would not fit a page.
func (s *scenarioResult) readmeCell(label string, m measure) string {
	for _, server := range s.Servers {
		value, found := server.Measures[m.Key]
		if server.Label != label || !found {
			continue
		}
		cell := m.Unit.number(value.Median)
		if len(value.Rounds) > 1 {
			cell += "<br><sub>" + m.Unit.number(value.Lowest) + "–" + m.Unit.number(value.Highest) + "</sub>"
		}
		return cell
	}
	if slices.ContainsFunc(s.Failures, func(f failure) bool { return f.Label == label }) {
		return "failed"
	}
	return notMeasured
}

// readmeComparisons has the targets of all scenarios.
func (r *results) readmeComparisons() table {
	t := table{Head: []string{"scenario", "measure", "of", "figure", "target", "verdict"}}
	for _, s := range r.Scenarios {
		for _, aim := range s.Targets {
			t.Rows = append(t.Rows, append([]string{s.Title}, s.targetRow(aim)...))
		}
	}
	return t
}

// markdownAlt keeps brackets from ending the alternative text of an image.
func markdownAlt(text string) string {
	return strings.NewReplacer("[", "(", "]", ")").Replace(strings.Join(strings.Fields(text), " "))
}

// splitReadme returns what stands before, between and behind the two lines.
func splitReadme(text string) (before, between, behind string, err error) {
	before, rest, begun := strings.Cut(text, figuresBegin+"\n")
	between, behind, ended := strings.Cut(rest, figuresEnd)
	if !begun || !ended {
		return "", "", "", errors.New("README.md has no lines " + figuresBegin + " and " + figuresEnd + ", expected both, for the figures between them")
	}
	return before, between, behind, nil
}

// writeReadme puts the figures between the two lines of the file.
func writeReadme(path, figures string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("README.md gets no figures: %w", err)
	}
	before, _, behind, err := splitReadme(string(text))
	if err != nil {
		return err
	}
	whole := before + figuresBegin + "\n" + figures + figuresEnd + behind
	if err := os.WriteFile(path, []byte(whole), 0o644); err != nil {
		return fmt.Errorf("README.md gets no figures: %w", err)
	}
	return nil
}
