package main

import (
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"
)

// Where a gateway holds nothing, what it has taken in and what it has given out are one line: the first
// is pale and wide enough to be seen below the second.
var (
	styleIn     = seriesStyle{colorOther, nil, nil, 7}
	styleOut    = seriesStyle{colorFirst, nil, nil, 1.5}
	styleMemory = seriesStyle{colorText, nil, nil, 1.5}
)

// courseOf is nil when no server of the kind was followed at two moments.
func (s *scenarioResult) courseOf(kind string) []moment {
	at := slices.IndexFunc(s.Servers, func(v serverResult) bool { return v.Kind == kind && len(v.Course) > 1 })
	if at < 0 {
		return nil
	}
	return s.Servers[at].Course
}

// drawCourse draws what has come in and gone out, and below it the memory, over the same time.
func drawCourse(scenario string, readers int, moments []moment) (chart, error) {
	var in, out, resident plotter.XYs
	highest := int64(0)
	for _, m := range moments {
		in = append(in, plotter.XY{X: m.Seconds, Y: float64(m.In)})
		out = append(out, plotter.XY{X: m.Seconds, Y: float64(m.Out)})
		resident = append(resident, plotter.XY{X: m.Seconds, Y: float64(m.Resident)})
		highest = max(highest, m.Resident)
	}
	name, title := chartName(scenario, courseChart), readersTitle(readers)
	time := lineAxis{title: axisTitle("time", unitSecond), unit: unitSecond, ticks: evenTicks{unit: unitSecond, count: 6}}
	bytes := &lineChart{name: name, title: title, x: time,
		y: lineAxis{title: axisTitle("bytes in and out", unitMebibyte), unit: unitMebibyte, ticks: evenTicks{unit: unitMebibyte, count: 4}},
		series: []series{
			{label: "taken in", points: in, own: &styleIn},
			{label: "given out", points: out, own: &styleOut},
		},
	}
	memory := &lineChart{name: name, x: time,
		y:      lineAxis{title: axisTitle("memory", unitMebibyte), unit: unitMebibyte, ticks: evenTicks{unit: unitMebibyte, count: 4}},
		series: []series{{label: "resident", points: resident, own: &styleMemory}},
	}
	last := moments[len(moments)-1]
	alt := fmt.Sprintf("%s: within %s the gateway has taken in %s and given out %s. Its memory was never above %s.", title,
		unitSecond.format(last.Seconds), unitMebibyte.format(float64(last.In)), unitMebibyte.format(float64(last.Out)), unitMebibyte.format(float64(highest)))
	return drawBelow(name, alt, bytes, memory)
}

// readersTitle says what every reader does; the scenario has fifty.
func readersTitle(readers int) string {
	count := unitOne.format(float64(readers))
	if readers == gatewayReaders {
		count = "fifty"
	}
	return count + " clients at 1 MB/s, 300 MB each"
}
