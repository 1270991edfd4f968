package main

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The charts are as wide as a telephone's screen and a little more: shrunk to it they can still be read, and
// on a wide page several stand in a row. Every line and bar has its label beside it, so that no
// chart needs its colours to be understood. One point of the library is one pixel of the SVG.
const (
	chartWidth     = 400 * vg.Length(1)
	chartMargin    = 10 * vg.Length(1)
	fontSizeTitle  = 14 * vg.Length(1)
	fontSizeText   = 13 * vg.Length(1)
	titleLineWidth = 46 // characters that fit a line of the title
	axisLineWidth  = 40 // and of what is written at an axis
)

var (
	colorText  = color.NRGBA{R: 0x1f, G: 0x23, B: 0x28, A: 0xff}
	colorGrid  = color.NRGBA{R: 0xd8, G: 0xdc, B: 0xe2, A: 0xff}
	colorFirst = color.NRGBA{R: 0x0b, G: 0x4f, B: 0x8a, A: 0xff} // the server that is compared with the others
	colorOther = color.NRGBA{R: 0xa9, G: 0xbc, B: 0xd0, A: 0xff}
	colorFloor = color.NRGBA{R: 0xa3, G: 0x3b, B: 0x00, A: 0xff}
)

// A chart is one picture of a report.
type chart struct {
	Name string // of its file, without .svg
	Alt  string // what it shows, in a sentence
	SVG  string // the whole file
}

// newPlot returns an empty plot in the style of all the charts.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.Title.Text = breakLines(title, titleLineWidth)
	p.Title.Padding = 8
	p.Title.TextStyle.Font = sansFont(fontSizeTitle)
	p.Title.TextStyle.Color = colorText
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sansFont(fontSizeText)
		axis.Label.TextStyle.Color = colorText
		axis.Label.Padding = 4
		axis.Tick.Label.Font = sansFont(fontSizeText)
		axis.Tick.Label.Color = colorText
		axis.Tick.Color = colorGrid
		axis.Color = colorGrid
		axis.Padding = 0
	}
	return p
}

func sansFont(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

// newCanvas returns a canvas of the height, and what to draw on it: all but the margins.
func newCanvas(height vg.Length) (*vgsvg.Canvas, draw.Canvas) {
	canvas := vgsvg.NewWith(vgsvg.UseWH(chartWidth, height))
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	return canvas, draw.Crop(whole, chartMargin, -chartMargin, chartMargin, -chartMargin)
}

// The start tag that the library writes, and its font where the reader's machine may have it
// under another name.
var (
	svgStart     = regexp.MustCompile(`(?s)^.*?<svg [^>]*viewBox="([^"]*)"[^>]*>`)
	svgOwnFont   = "font-family:Liberation Sans;"
	svgFontNames = "font-family:Liberation Sans,Arial,Helvetica,sans-serif;"
)

// encodeChart returns the canvas as a chart. The alternative text becomes the SVG's title, which
// screen readers speak.
func encodeChart(canvas *vgsvg.Canvas, name, alt string) (chart, error) {
	var buffer bytes.Buffer
	if _, err := canvas.WriteTo(&buffer); err != nil {
		return chart{}, fmt.Errorf("the chart %s cannot be written as SVG: %w", name, err)
	}
	text := buffer.String()
	start := svgStart.FindStringSubmatch(text)
	if start == nil {
		return chart{}, fmt.Errorf("the chart %s has no start tag with a viewBox, as every SVG of the library had", name)
	}
	width, height := canvas.Size()
	text = fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="%s" role="img">`,
		width.Points(), height.Points(), start[1]) +
		"\n<title>" + html.EscapeString(alt) + "</title>" + text[len(start[0]):]
	return chart{Name: name, Alt: alt, SVG: strings.ReplaceAll(text, svgOwnFont, svgFontNames)}, nil
}

// breakLines puts the words of each line of the text on lines of at most width characters.
func breakLines(text string, width int) string {
	var lines []string
	for whole := range strings.SplitSeq(text, "\n") {
		line := ""
		for _, word := range strings.Fields(whole) {
			switch {
			case line == "":
				line = word
			case len([]rune(line))+1+len([]rune(word)) <= width:
				line += " " + word
			default:
				lines = append(lines, line)
				line = word
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
