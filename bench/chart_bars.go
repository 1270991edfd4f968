package main

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A barChart compares servers in one measure: a bar for each, from zero, with its label before it, its
// value in a column at the right and its spread as a thin line; and the floor, if it took
// part, as a line across.
type barChart struct {
	name  string
	title string
	axis  string // what is measured, with its unit
	unit  unit
	bars  []bar
	floor *bar // nil: there was none
}

type bar struct {
	label string
	value summary
	first bool // the server that is compared with the others
}

const (
	barWidth    = 15 * vg.Length(1)
	barSpacing  = 27 * vg.Length(1)
	barLabelGap = 10 * vg.Length(1) // a reader's font may be wider than the library's
	// Of the axis's length, behind the longest bar: the column of the values.
	barHeadroom = 0.3
)

func (b *barChart) draw() (chart, error) {
	p := newPlot(b.title)
	p.X.Label.Text = breakLines(b.axis, axisLineWidth)
	p.X.Tick.Marker = evenTicks{unit: b.unit, count: 3, highest: b.longest()}
	var names []string
	for _, each := range b.bars {
		names = append(names, each.label)
	}
	slices.Reverse(names) // the vertical axis begins below
	p.NominalY(names...)
	p.Y.Padding = barLabelGap
	if err := b.addBars(p); err != nil {
		return chart{}, fmt.Errorf("the chart %s cannot be drawn: %w", b.name, err)
	}
	if err := b.addFloor(p); err != nil {
		return chart{}, fmt.Errorf("the floor of the chart %s cannot be drawn: %w", b.name, err)
	}
	p.X.Min, p.X.Max = 0, b.longest()/(1-barHeadroom)
	p.Y.Min, p.Y.Max = -0.5, float64(len(b.bars))-0.5
	if b.floor != nil {
		p.Y.Max += 0.6 // room for what is written at the line
	}
	lines := 2 + strings.Count(p.Title.Text, "\n") + strings.Count(p.X.Label.Text, "\n")
	height := barSpacing*vg.Length(p.Y.Max-p.Y.Min) + 54 + 16*vg.Length(lines)
	canvas, area := newCanvas(height)
	p.Draw(area)
	return encodeChart(canvas, b.name, b.describe())
}

// longest is the greatest value that has to be drawn; 1 when all are zero.
func (b *barChart) longest() float64 {
	longest := 0.0
	for _, each := range b.bars {
		longest = max(longest, each.value.Highest)
	}
	if b.floor != nil {
		longest = max(longest, b.floor.value.Median)
	}
	if longest == 0 {
		return 1
	}
	return longest
}

func (b *barChart) addBars(p *plot.Plot) error {
	for i, each := range b.bars {
		position := float64(len(b.bars) - 1 - i)
		bars, err := plotter.NewBarChart(plotter.Values{each.value.Median}, barWidth)
		if err != nil {
			return err
		}
		bars.Horizontal = true
		bars.XMin = position
		bars.LineStyle.Width = 0
		bars.Color = colorOther
		if each.first {
			bars.Color = colorFirst
		}
		spread, err := plotter.NewLine(plotter.XYs{{X: each.value.Lowest, Y: position}, {X: each.value.Highest, Y: position}})
		if err != nil {
			return err
		}
		spread.LineStyle = draw.LineStyle{Color: colorText, Width: 1.5}
		value, err := newLabel(b.unit.format(each.value.Median), plotter.XY{X: b.longest() * 1.04, Y: position})
		if err != nil {
			return err
		}
		value.TextStyle[0].YAlign = text.YCenter
		p.Add(bars, spread, value)
	}
	return nil
}

func (b *barChart) addFloor(p *plot.Plot) error {
	if b.floor == nil {
		return nil
	}
	at, top := b.floor.value.Median, float64(len(b.bars))-0.45
	line, err := plotter.NewLine(plotter.XYs{{X: at, Y: -0.5}, {X: at, Y: top}})
	if err != nil {
		return err
	}
	line.LineStyle = draw.LineStyle{Color: colorFloor, Width: 1.5, Dashes: []vg.Length{5, 3}}
	label, err := newLabel(b.floor.label+" "+b.unit.format(at), plotter.XY{X: at, Y: top})
	if err != nil {
		return err
	}
	label.TextStyle[0].Color = colorFloor
	label.Offset = vg.Point{Y: 2}
	label.TextStyle[0].XAlign = text.XCenter
	if at < b.longest()*0.3 {
		label.TextStyle[0].XAlign = text.XLeft // else it would reach over the axis
	}
	p.Add(line, label)
	return nil
}

func newLabel(words string, at plotter.XY) (*plotter.Labels, error) {
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{at}, Labels: []string{words}})
	if err != nil {
		return nil, err
	}
	labels.TextStyle[0].Font = sansFont(fontSizeText)
	labels.TextStyle[0].Color = colorText
	return labels, nil
}

func (b *barChart) describe() string {
	sentence := b.title + ", " + strings.ReplaceAll(b.axis, "\n", " ") + ": "
	for i, each := range b.bars {
		if i > 0 {
			sentence += ", "
		}
		sentence += each.label + " " + b.unit.format(each.value.Median)
	}
	if b.floor != nil {
		sentence += ", " + b.floor.label + " " + b.unit.format(b.floor.value.Median)
	}
	return sentence + "."
}
