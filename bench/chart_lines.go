package main

import (
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A lineChart shows how one value of each server depends on another: a line for each, with marks and
// dashes of its own, and its label at the line's right end.
type lineChart struct {
	name   string
	title  string
	x, y   lineAxis
	series []series
}

// A lineAxis is logarithmic when its values reach over powers of ten, else it begins at zero.
type lineAxis struct {
	title       string
	unit        unit
	logarithmic bool
	ticks       plot.Ticker
}

// series are the points of one server, in ascending order of X.
type series struct {
	label  string
	place  int // of the server in the run; the first is compared with the others
	points plotter.XYs
	own    *seriesStyle // nil: that of the place
}

const (
	lineChartHeight = 320 * vg.Length(1)
	lineLabelWidth  = 94 * vg.Length(1)
	lineLabelHeight = 15 * vg.Length(1)
)

type seriesStyle struct {
	color  color.NRGBA
	dashes []vg.Length
	mark   draw.GlyphDrawer // nil: none, because there are too many points
	width  vg.Length        // 0: the usual one
}

// style goes by the server's place; a ninth would have the first one's.
func (s series) style() seriesStyle {
	if s.own != nil {
		return *s.own
	}
	return seriesStyles[max(0, s.place)%len(seriesStyles)]
}

func (s series) lineStyle() draw.LineStyle {
	style := s.style()
	line := draw.LineStyle{Color: style.color, Width: style.width, Dashes: style.dashes}
	switch {
	case line.Width > 0:
	case s.place == 0:
		line.Width = 3
	default:
		line.Width = 1.5
	}
	return line
}

var seriesStyles = []seriesStyle{
	{colorFirst, nil, draw.CircleGlyph{}, 0},
	{colorFloor, []vg.Length{5, 3}, draw.CrossGlyph{}, 0},
	{color.NRGBA{R: 0x00, G: 0x7a, B: 0x5c, A: 0xff}, nil, draw.TriangleGlyph{}, 0},
	{color.NRGBA{R: 0x8a, G: 0x3c, B: 0x8a, A: 0xff}, []vg.Length{8, 3, 2, 3}, draw.BoxGlyph{}, 0},
	{color.NRGBA{R: 0x6b, G: 0x6b, B: 0x6b, A: 0xff}, []vg.Length{2, 2}, draw.RingGlyph{}, 0},
	{color.NRGBA{R: 0xb0, G: 0x6a, B: 0x00, A: 0xff}, nil, draw.SquareGlyph{}, 0},
	{color.NRGBA{R: 0x2a, G: 0x8f, B: 0xb8, A: 0xff}, []vg.Length{10, 4}, draw.PlusGlyph{}, 0},
	{color.NRGBA{R: 0x40, G: 0x40, B: 0x40, A: 0xff}, []vg.Length{1, 3}, draw.PyramidGlyph{}, 0},
}

func (l *lineChart) draw() (chart, error) {
	p, err := l.plot()
	if err != nil {
		return chart{}, err
	}
	canvas, area := newCanvas(lineChartHeight)
	lines := draw.Crop(area, 0, -lineLabelWidth, 0, 0)
	p.Draw(lines)
	l.writeLabels(p, area, p.DataCanvas(lines))
	return encodeChart(canvas, l.name, l.describe())
}

// drawBelow draws line charts that have the same axis of X below each other, with their beginnings and
// ends in line.
func drawBelow(name, alt string, panels ...*lineChart) (chart, error) {
	plots := make([][]*plot.Plot, len(panels))
	for i, each := range panels {
		p, err := each.plot()
		if err != nil {
			return chart{}, err
		}
		plots[i] = []*plot.Plot{p}
	}
	canvas, area := newCanvas(lineChartHeight * vg.Length(1+len(panels)) / 2)
	tiles := draw.Tiles{Rows: len(panels), Cols: 1, PadY: chartMargin}
	for i, row := range plot.Align(plots, tiles, draw.Crop(area, 0, -lineLabelWidth, 0, 0)) {
		p := plots[i][0]
		p.Draw(row[0])
		panels[i].writeLabels(p, area, p.DataCanvas(row[0]))
	}
	return encodeChart(canvas, name, alt)
}

// plot returns the lines with their axes, without the labels at their ends.
func (l *lineChart) plot() (*plot.Plot, error) {
	p := newPlot(l.title)
	l.x.apply(&p.X)
	l.y.apply(&p.Y)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = colorGrid, nil
	p.Add(grid)
	for _, each := range l.series {
		line, marks, err := plotter.NewLinePoints(each.points)
		if err != nil {
			return nil, fmt.Errorf("the line of %s in the chart %s cannot be drawn: %w", each.label, l.name, err)
		}
		line.LineStyle = each.lineStyle()
		p.Add(line)
		if style := each.style(); style.mark != nil {
			marks.GlyphStyle = draw.GlyphStyle{Color: style.color, Radius: 3.5, Shape: style.mark}
			p.Add(marks)
		}
	}
	l.setRanges(p)
	return p, nil
}

func (a lineAxis) apply(axis *plot.Axis) {
	axis.Label.Text = breakLines(a.title, axisLineWidth)
	axis.Tick.Marker = a.ticks
	axis.LineStyle.Width = 1
	if a.logarithmic {
		axis.Scale = plot.LogScale{}
	}
}

// setRanges makes a linear axis begin at zero and leaves a little room around the points.
func (l *lineChart) setRanges(p *plot.Plot) {
	for _, each := range []struct {
		axis        *plot.Axis
		logarithmic bool
	}{{&p.X, l.x.logarithmic}, {&p.Y, l.y.logarithmic}} {
		if each.logarithmic {
			each.axis.Min, each.axis.Max = each.axis.Min/1.15, each.axis.Max*1.15
			continue
		}
		each.axis.Min = 0
		each.axis.Max *= 1.05
		if each.axis.Max == 0 {
			each.axis.Max = 1
		}
	}
}

// writeLabels writes each line's label behind its last point. Labels that would cover each other
// are moved apart, and every one has the mark of its line before it, or a piece of the line.
func (l *lineChart) writeLabels(p *plot.Plot, area, data draw.Canvas) {
	_, toY := p.Transforms(&data)
	type place struct {
		at    vg.Length
		index int
	}
	var places []place
	for i, each := range l.series {
		places = append(places, place{toY(each.points[len(each.points)-1].Y), i})
	}
	slices.SortFunc(places, func(a, b place) int { return int(1000 * (a.at - b.at)) })
	heights := make([]vg.Length, len(places))
	for i, each := range places {
		heights[i] = each.at
	}
	spreadApart(heights, lineLabelHeight, data.Min.Y+lineLabelHeight/2, data.Max.Y)
	left := area.Max.X - lineLabelWidth + 12
	for i, each := range places {
		style := l.series[each.index].style()
		labelColor := style.color
		if style.mark != nil {
			area.DrawGlyph(draw.GlyphStyle{Color: style.color, Radius: 3.5, Shape: style.mark}, vg.Point{X: left, Y: heights[i]})
		} else {
			area.StrokeLine2(l.series[each.index].lineStyle(), left-5, heights[i], left+5, heights[i])
			labelColor = colorText // a wide line may be too pale for letters
		}
		label := text.Style{Color: labelColor, Font: sansFont(fontSizeText), YAlign: text.YCenter, Handler: p.TextHandler}
		area.FillText(label, vg.Point{X: left + 8, Y: heights[i]}, l.series[each.index].label)
	}
}

// spreadApart moves ascending heights as little as it can so that each is at least gap above the one below,
// and all are between lowest and highest, if there is room for that.
func spreadApart(heights []vg.Length, gap, lowest, highest vg.Length) {
	// Less their place times the gap, heights only have to ascend: those that do not are put
	// together in a block at their mean, and so is a block that reaches below the one before.
	type block struct {
		mean vg.Length
		size int
	}
	var blocks []block
	for i, height := range heights {
		blocks = append(blocks, block{height - vg.Length(i)*gap, 1})
		for last := len(blocks) - 1; last > 0 && blocks[last].mean < blocks[last-1].mean; last-- {
			below, above := blocks[last-1], blocks[last]
			size := below.size + above.size
			mean := (below.mean*vg.Length(below.size) + above.mean*vg.Length(above.size)) / vg.Length(size)
			blocks = append(blocks[:last-1], block{mean, size})
		}
	}
	at := 0
	for _, each := range blocks {
		base := max(lowest, min(each.mean, highest-vg.Length(len(heights)-1)*gap))
		for range each.size {
			heights[at] = base + vg.Length(at)*gap
			at++
		}
	}
}

func (l *lineChart) describe() string {
	var parts []string
	for _, each := range l.series {
		last := each.points[len(each.points)-1]
		parts = append(parts, each.label+" "+l.y.unit.format(last.Y))
	}
	return fmt.Sprintf("%s, %s against %s. At the right end: %s.", l.title, l.y.title, l.x.title, strings.Join(parts, ", "))
}
