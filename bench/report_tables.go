package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A table is a part of a report, before it is written as Markdown or HTML. All rows are as long
// as the head.
type table struct {
	Head []string
	Rows [][]string
}

// notMeasured stands where a server has no value because it takes no part, or cannot tell.
const notMeasured = "–"

// figures has a row for each measure that any server has, and a column for each server.
func (s *scenarioResult) figures() table {
	t := table{Head: []string{"measure"}}
	for _, server := range s.Servers {
		t.Head = append(t.Head, server.Label)
	}
	for _, m := range s.Measures {
		row := []string{m.Title}
		known := false
		for _, server := range s.Servers {
			value, found := server.Measures[m.Key]
			known = known || found
			if !found {
				row = append(row, notMeasured)
				continue
			}
			row = append(row, m.Unit.summary(value))
		}
		if known {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// comparisons has a row for each target and each ratio; a ratio that has a target shares its row.
func (s *scenarioResult) comparisons() table {
	t := table{Head: []string{"measure", "of", "figure", "target", "verdict"}}
	for _, aim := range s.Targets {
		if aim.Reference == "" {
			t.Rows = append(t.Rows, s.targetRow(aim))
		}
	}
	for _, ratio := range s.Ratios {
		at := slices.IndexFunc(s.Targets, func(aim targetResult) bool {
			return aim.Measure == ratio.Measure && aim.Reference == ratio.Reference
		})
		if at >= 0 {
			t.Rows = append(t.Rows, s.targetRow(s.Targets[at]))
			continue
		}
		m := s.measureOf(ratio.Measure)
		t.Rows = append(t.Rows, []string{
			m.Title, ratio.Subject + " / " + ratio.Reference, unitRatio.summary(ratio.Ratio), "", ratio.verdict(m.LowerIsBetter),
		})
	}
	return t
}

func (s *scenarioResult) targetRow(aim targetResult) []string {
	m := s.measureOf(aim.Measure)
	if aim.Reference == "" {
		subject := s.Servers[0]
		value := subject.Measures[aim.Measure]
		return []string{m.Title, subject.Label, m.Unit.summary(value), aim.bound(m.Unit), aim.verdict(len(value.Rounds))}
	}
	for _, ratio := range s.Ratios {
		if ratio.Measure == aim.Measure && ratio.Reference == aim.Reference {
			return []string{m.Title, ratio.Subject + " / " + ratio.Reference,
				unitRatio.summary(ratio.Ratio), aim.bound(unitRatio), aim.verdict(len(ratio.Ratio.Rounds))}
		}
	}
	return []string{m.Title, aim.Reference, unitRatio.format(aim.Median), aim.bound(unitRatio), aim.verdict(1)}
}

func (s *scenarioResult) measureOf(key string) measure {
	for _, m := range s.Measures {
		if m.Key == key {
			return m
		}
	}
	return measure{Key: key, Title: key, Unit: unitRatio}
}

func (t targetResult) bound(u unit) string {
	if t.AtLeast {
		return "≥ " + u.format(t.Bound)
	}
	return "≤ " + u.format(t.Bound)
}

// aboutVerdicts explains the words of verdict to who reads a report.
const aboutVerdicts = "A ratio is inconclusive when its spread is wider than its difference from 1, or when there was one round. " +
	"A target is met or missed by the median; it says so when not every round agrees."

func (t targetResult) verdict(rounds int) string {
	word := "missed"
	if t.Met {
		word = "met"
	}
	if rounds > 1 && !t.Conclusive {
		word += ", but not in every round"
	}
	return word
}

func (r ratioResult) verdict(lowerIsBetter bool) string {
	switch {
	case !r.Conclusive:
		return "inconclusive"
	case r.Ratio.Median < 1 == lowerIsBetter:
		return "better"
	}
	return "worse"
}

// writeMarkdown writes the table; a bar in a cell would end it and is escaped.
func (t table) writeMarkdown(w io.Writer) {
	writeRow(w, t.Head)
	fmt.Fprintln(w, "|"+strings.Repeat("---|", len(t.Head)))
	for _, row := range t.Rows {
		writeRow(w, row)
	}
}

func writeRow(w io.Writer, cells []string) {
	escaped := make([]string, len(cells))
	for i, cell := range cells {
		escaped[i] = strings.ReplaceAll(cell, "|", `\|`)
	}
	fmt.Fprintln(w, "| "+strings.Join(escaped, " | ")+" |")
}
