package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// A comparison is one measure of one server in two runs. The runs were made at different times, so that their
// rounds cannot be paired: the ratio's spread is that of the best of one to the worst of the
// other.
type comparison struct {
	scenario string
	measure  measure
	server   string
	before   summary
	after    summary
}

func (c comparison) ratio() float64 { return c.after.Median / c.before.Median }

func (c comparison) lowest() float64  { return c.after.Lowest / c.before.Highest }
func (c comparison) highest() float64 { return c.after.Highest / c.before.Lowest }

// conclusive says that every round of one run was on the same side of every round of the other. Of
// one round in a run, that says nothing.
func (c comparison) conclusive() bool {
	return len(c.before.Rounds) > 1 && len(c.after.Rounds) > 1 && (c.lowest() > 1 || c.highest() < 1)
}

// A control is a server that the change under review cannot have touched. It explains a change of the
// subject when it moved to the same side by at least this part of the subject's way, on a
// logarithmic scale.
const controlShare = 0.5

func (c comparison) explainedBy(control comparison) bool {
	subject, other := math.Log(c.ratio()), math.Log(control.ratio())
	return subject*other > 0 && math.Abs(other) >= controlShare*math.Abs(subject)
}

// verdict is a word on the change of this server; controls are the same measure of the others.
func (c comparison) verdict(controls []comparison) string {
	switch {
	case len(c.before.Rounds) < 2 || len(c.after.Rounds) < 2:
		return "inconclusive: one round"
	case !c.conclusive():
		return "inconclusive: the rounds of both runs overlap"
	}
	word := "worse"
	if c.ratio() < 1 == c.measure.LowerIsBetter {
		word = "better"
	}
	var moved []string
	for _, control := range controls {
		if c.explainedBy(control) {
			moved = append(moved, control.server+" "+unitRatio.format(control.ratio()))
		}
	}
	if len(moved) > 0 {
		return word + ", but the controls moved too (" + strings.Join(moved, ", ") + "): the machine may explain it"
	}
	return word
}

func (c comparison) controlVerdict() string {
	if !c.conclusive() {
		return "control: no change beyond its spread"
	}
	return "control: " + c.verdict(nil)
}

// compareFiles writes two files of results side by side: the measures in which servers are
// compared, first of the server that the runs are about, then of the others, its controls.
func compareFiles(before, after string, out io.Writer) error {
	old, err := readResults(before)
	if err != nil {
		return err
	}
	changed, err := readResults(after)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Before: %s, commit %s, load average %s.\n", old.Time, old.Machine.Commit, old.Machine.LoadAverage)
	fmt.Fprintf(out, "After: %s, commit %s, load average %s.\n", changed.Time, changed.Machine.Commit, changed.Machine.LoadAverage)
	sentences, err := differences(old, changed)
	if err != nil {
		return err
	}
	for _, sentence := range sentences {
		fmt.Fprintln(out, sentence)
	}
	fmt.Fprintln(out)
	comparisons, unpaired := pairUp(old, changed)
	writeComparisons(out, comparisons)
	for _, sentence := range unpaired {
		fmt.Fprintln(out, sentence)
	}
	return nil
}

// writeComparisons writes a row for each server and measure. Those of one scenario and measure
// follow each other, the subject first.
func writeComparisons(out io.Writer, comparisons []comparison) {
	t := table{Head: []string{"scenario", "measure", "server", "before", "after", "after / before", "verdict"}}
	for start := 0; start < len(comparisons); {
		end := start + 1
		for end < len(comparisons) && comparisons[end].sameFigure(comparisons[start]) {
			end++
		}
		group := comparisons[start:end]
		for i, c := range group {
			verdict := c.verdict(group[1:])
			if i > 0 {
				verdict = c.controlVerdict()
			}
			t.Rows = append(t.Rows, []string{c.scenario, c.measure.Title, c.server,
				c.measure.Unit.summary(c.before), c.measure.Unit.summary(c.after),
				fmt.Sprintf("%s (%s–%s)", unitRatio.number(c.ratio()), unitRatio.number(c.lowest()), unitRatio.number(c.highest())),
				verdict})
		}
		start = end
	}
	t.writeMarkdown(out)
	fmt.Fprint(out, "\nBetter or worse is what has all its rounds of one run on one side of all those of the other. "+
		"The brackets of a ratio are the farthest apart that two rounds were.\n\n")
}

func (c comparison) sameFigure(other comparison) bool {
	return c.scenario == other.scenario && c.measure.Key == other.measure.Key
}
