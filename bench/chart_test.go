package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

func TestBreakLines(t *testing.T) {
	for text, expected := range map[string]string{
		"":                  "",
		"one two three":     "one two\nthree",
		"µµµ µµµ µµ":        "µµµ µµµ\nµµ",
		"one\n(two)":        "one\n(two)",
		"unbreakable words": "unbreakable\nwords",
	} {
		if got := breakLines(text, 7); got != expected {
			t.Errorf("%q is broken into %q, expected %q", text, got, expected)
		}
	}
}

func TestEvenTicks(t *testing.T) {
	tests := []struct {
		ticks    evenTicks
		highest  float64
		expected string
	}{
		{evenTicks{unit: unitOne, count: 4}, 200_000, "0 50,000 100,000 150,000 200,000"},
		{evenTicks{unit: unitMicrosecond, count: 4}, 1, "0.00 0.25 0.50 0.75 1.00"},
		{evenTicks{unit: unitMicrosecond, count: 4}, 2, "0.0 0.5 1.0 1.5 2.0"},
		{evenTicks{unit: unitMebibyte, count: 3}, 30 << 20, "0 10 20 30"},
		{evenTicks{unit: unitOne, count: 4, highest: 90}, 200, "0 25 50 75"},
		{evenTicks{unit: unitOne, count: 4}, 0, ""},
	}
	for _, test := range tests {
		if got := labelsOf(test.ticks.Ticks(0, test.highest)); got != test.expected {
			t.Errorf("an axis of %+v to %v is marked %q, expected %q", test.ticks, test.highest, got, test.expected)
		}
	}
}

func TestDecadeTicks(t *testing.T) {
	// Of microseconds, in milliseconds.
	if got, expected := labelsOf(decadeTicks{unitMillisecond}.Ticks(150, 12_000)), "0.2 0.5 1 2 5 10"; got != expected {
		t.Errorf("a logarithmic axis from 0.15 to 12 ms is marked %q, expected %q", got, expected)
	}
}

func labelsOf(ticks []plot.Tick) string {
	var labels []string
	for _, tick := range ticks {
		labels = append(labels, tick.Label)
	}
	return strings.Join(labels, " ")
}

func TestSpreadApart(t *testing.T) {
	tests := []struct{ heights, expected []vg.Length }{
		{[]vg.Length{10, 50, 90}, []vg.Length{10, 50, 90}},
		{[]vg.Length{40, 41, 42}, []vg.Length{31, 41, 51}},
		{[]vg.Length{10, 50, 51, 52}, []vg.Length{10, 41, 51, 61}},
		{[]vg.Length{1, 2, 3}, []vg.Length{0, 10, 20}},
		{[]vg.Length{98, 99, 100}, []vg.Length{80, 90, 100}},
		{[]vg.Length{-5, 50, 105}, []vg.Length{0, 50, 100}},
	}
	for _, test := range tests {
		heights := slices.Clone(test.heights)
		spreadApart(heights, 10, 0, 100)
		if !slices.Equal(heights, test.expected) {
			t.Errorf("the labels at %v come to %v, expected %v", test.heights, heights, test.expected)
		}
	}
}

// TestBarsAreZeroBased draws two bars, one of half the other's value: it must be half as long.
func TestBarsAreZeroBased(t *testing.T) {
	drawn, err := (&barChart{name: "n", title: "t", axis: "a", unit: unitOne, bars: []bar{
		{label: "whole", value: summarize([]float64{1000}), first: true}, {label: "half", value: summarize([]float64{500})},
	}}).draw()
	if err != nil {
		t.Fatalf("the chart was not drawn: %v", err)
	}
	whole, half := barLength(t, drawn.SVG, "#0B4F8A"), barLength(t, drawn.SVG, "#A9BCD0")
	if whole < 50 || half < 0.49*whole || half > 0.51*whole {
		t.Errorf("the bars are %.1f and %.1f long, expected the second to be half of the first", whole, half)
	}
}

// barLength returns the width of the rectangle that is filled with the colour.
func barLength(t *testing.T, svg, color string) float64 {
	t.Helper()
	corners := regexp.MustCompile(`d="M([0-9.]+),[0-9.]+L[0-9.,]+L([0-9.]+),[^"]*" style="fill:` + color).FindStringSubmatch(svg)
	if corners == nil {
		t.Fatalf("no rectangle is filled with %s in:\n%s", color, svg)
	}
	left, err := strconv.ParseFloat(corners[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	right, err := strconv.ParseFloat(corners[2], 64)
	if err != nil {
		t.Fatal(err)
	}
	return right - left
}

// TestChartWithMarkup draws what would be markup: the file must stay well-formed, and its words as they are.
func TestChartWithMarkup(t *testing.T) {
	drawn, err := (&barChart{name: "n", title: `a <b> & "c"`, axis: "x < y", unit: unitOne, bars: []bar{
		{label: "<one>", value: summarize([]float64{1})}, {label: "two", value: summarize([]float64{0})},
	}}).draw()
	if err != nil {
		t.Fatalf("the chart was not drawn: %v", err)
	}
	for _, expected := range []string{`a <b> & "c"`, "x < y", "<one>"} {
		if text := textOf(t, drawn); !strings.Contains(text, expected) {
			t.Errorf("the chart does not say %q, only:\n%s", expected, text)
		}
	}
	if !strings.HasPrefix(drawn.SVG, "<svg xmlns") || !strings.Contains(drawn.SVG, "sans-serif;") {
		t.Errorf("the chart does not begin with its svg element, or names no font that every machine has:\n%s", drawn.SVG)
	}
}

func TestLinearAxisBeginsAtZero(t *testing.T) {
	lines := &lineChart{name: "n", title: "t",
		x:      lineAxis{title: "x", unit: unitOne, ticks: evenTicks{unit: unitOne, count: 4}},
		y:      lineAxis{title: "y", unit: unitMebibyte, ticks: evenTicks{unit: unitMebibyte, count: 4}},
		series: []series{{label: "steep", points: plotter.XYs{{X: 900, Y: 90 << 20}, {X: 1000, Y: 100 << 20}}}},
	}
	drawn, err := lines.draw()
	if err != nil {
		t.Fatalf("the chart was not drawn: %v", err)
	}
	if zeros := strings.Count("\n"+textOf(t, drawn), "\n0\n"); zeros != 2 {
		t.Errorf("the axes have %d marks of zero, expected both to begin there:\n%s", zeros, textOf(t, drawn))
	}
}
