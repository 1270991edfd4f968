package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// chartsOf draws the charts of a scenario: bars for each measure in which servers are compared, the
// distribution of latencies, memory against connections, with the largest fan-out the cost of a
// delivery against subscribers, and the course of a gateway, as far as they were measured.
func (r *results) chartsOf(s *scenarioResult) ([]chart, error) {
	var charts []chart
	for _, m := range s.Measures {
		if bars := s.barsOf(m); bars != nil {
			drawn, err := bars.draw()
			if err != nil {
				return nil, err
			}
			charts = append(charts, drawn)
		}
	}
	if course := s.courseOf(penstockName); course != nil {
		drawn, err := drawCourse(s.Name, min(gatewayReaders, r.Settings.Readers), course)
		if err != nil {
			return nil, err
		}
		charts = append(charts, drawn)
	}
	lineCharts := []*lineChart{s.latencies(r), s.memory(r)}
	if s.Name == fanoutName {
		lineCharts = append(lineCharts, r.deliveryCosts())
	}
	for _, lines := range lineCharts {
		if lines == nil {
			continue
		}
		drawn, err := lines.draw()
		if err != nil {
			return nil, err
		}
		charts = append(charts, drawn)
	}
	return charts, nil
}

// Behind the names of the charts that are not of one measure.
const (
	latencyChart = "latency"
	memoryChart  = "memory"
	costChart    = "cost"
	courseChart  = "course"
)

// The scenario with as many subscribers as the settings say; others have their number behind the name.
const fanoutName = "fanout"

// barsOf is nil when the measure compares nothing: servers are not set against each other in it,
// or fewer than two have it.
func (s *scenarioResult) barsOf(m measure) *barChart {
	if !m.Ratio {
		return nil
	}
	drawn := &barChart{
		name: chartName(s.Name, m.Key), title: s.Title, axis: axisTitle(m.Title, m.Unit) + direction(m), unit: m.Unit,
	}
	for i, server := range s.Servers {
		value, known := server.Measures[m.Key]
		switch {
		case !known:
		case server.Kind == floorName && drawn.floor == nil && i > 0:
			drawn.floor = &bar{label: server.Label, value: value}
		default:
			drawn.bars = append(drawn.bars, bar{label: server.Label, value: value, first: i == 0})
		}
	}
	if len(drawn.bars) == 0 || len(drawn.bars) == 1 && drawn.floor == nil {
		return nil
	}
	return drawn
}

// percentiles are the keys of latencies and their place on the axis: each further nine of a percentile
// is as far as the one before it.
var percentiles = []struct {
	key     string
	percent float64
	label   string
}{
	{keyLatencyP50, 50, "50 %"}, {keyLatencyP90, 90, "90 %"}, {keyLatencyP99, 99, "99 %"}, {keyLatencyP999, 99.9, "99.9 %"},
}

// latencies is nil when no server has as many as three percentiles.
func (s *scenarioResult) latencies(r *results) *lineChart {
	lines := &lineChart{name: chartName(s.Name, latencyChart), title: s.Title + ": latency"}
	ticks := plot.ConstantTicks{}
	for _, p := range percentiles {
		ticks = append(ticks, plot.Tick{Value: nines(p.percent), Label: p.label})
	}
	lines.x = lineAxis{title: "share that took no longer", unit: unitOne, ticks: ticks}
	lines.y = lineAxis{title: axisTitle("latency", unitMillisecond), unit: unitMillisecond, logarithmic: true, ticks: decadeTicks{unitMillisecond}}
	most := 0
	for _, server := range s.Servers {
		var points plotter.XYs
		for _, p := range percentiles {
			if value, known := server.Measures[p.key]; known && value.Median > 0 {
				points = append(points, plotter.XY{X: nines(p.percent), Y: value.Median})
			}
		}
		most = max(most, len(points))
		lines.add(server.Label, r.placeOf(server.Label), points)
	}
	if most < 3 {
		return nil
	}
	return lines
}

func nines(percent float64) float64 { return -math.Log10(1 - percent/100) }

// memory is nil when no server's memory was measured at two numbers of connections.
func (s *scenarioResult) memory(r *results) *lineChart {
	lines := &lineChart{name: chartName(s.Name, memoryChart), title: s.Title + ": memory"}
	lines.x = lineAxis{title: "connections held", unit: unitOne, ticks: evenTicks{unit: unitOne, count: 4}}
	lines.y = lineAxis{title: axisTitle("memory of the server", unitMebibyte), unit: unitMebibyte, ticks: evenTicks{unit: unitMebibyte, count: 5}}
	for _, server := range s.Servers {
		var points plotter.XYs
		for key, value := range server.Measures {
			if count, isCount := countOf(key, strings.TrimSuffix(keyResidentAt(0), "0")); isCount {
				points = append(points, plotter.XY{X: count, Y: value.Median})
			}
		}
		slices.SortFunc(points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		if len(points) > 1 {
			lines.add(server.Label, r.placeOf(server.Label), points)
		}
	}
	if len(lines.series) == 0 {
		return nil
	}
	return lines
}

// deliveryCosts draws what a delivery costs against the number of subscribers, from all the scenarios that
// measured it. It is nil when they did so for fewer than two numbers.
func (r *results) deliveryCosts() *lineChart {
	byServer := map[string]map[float64]float64{}
	counts := map[float64]bool{}
	for _, s := range r.Scenarios {
		count, isFanout := r.subscribersOf(s.Name)
		for _, server := range s.Servers {
			value, known := server.Measures[keyDeliveryCPU]
			if !isFanout || !known {
				continue
			}
			if byServer[server.Label] == nil {
				byServer[server.Label] = map[float64]float64{}
			}
			byServer[server.Label][count] = value.Median
			counts[count] = true
		}
	}
	if len(counts) < 2 {
		return nil
	}
	lines := &lineChart{name: chartName(fanoutName, costChart), title: "cost of a delivery against subscribers"}
	lines.x = lineAxis{title: "subscribers (logarithmic)", unit: unitOne, logarithmic: true, ticks: countTicks(counts)}
	lines.y = lineAxis{title: axisTitle("CPU per delivery", unitMicrosecond), unit: unitMicrosecond, ticks: evenTicks{unit: unitMicrosecond, count: 5}}
	for _, server := range r.Servers {
		var points plotter.XYs
		for count, value := range byServer[server.Label] {
			points = append(points, plotter.XY{X: count, Y: value})
		}
		slices.SortFunc(points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		lines.add(server.Label, r.placeOf(server.Label), points)
	}
	return lines
}

// subscribersOf reads the number behind the scenario's name; the one without has the number of the
// settings.
func (r *results) subscribersOf(scenario string) (float64, bool) {
	if scenario == fanoutName {
		return float64(r.Settings.Subscribers), true
	}
	return countOf(scenario, fanoutName+"-")
}

func countOf(name, prefix string) (float64, bool) {
	digits, found := strings.CutPrefix(name, prefix)
	if !found {
		return 0, false
	}
	count, err := strconv.ParseUint(digits, 10, 32)
	return float64(count), err == nil
}

func countTicks(counts map[float64]bool) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for count := range counts {
		ticks = append(ticks, plot.Tick{Value: count, Label: unitOne.number(count)})
	}
	return ticks
}

// add leaves out a server without points.
func (l *lineChart) add(label string, place int, points plotter.XYs) {
	if len(points) > 0 {
		l.series = append(l.series, series{label: label, place: place, points: points})
	}
}

// placeOf says which server of the run the label is: its lines look the same in all charts.
func (r *results) placeOf(label string) int {
	return slices.IndexFunc(r.Servers, func(v serverVersion) bool { return v.Label == label })
}

func axisTitle(title string, u unit) string {
	if u.symbol == "" {
		return title
	}
	return title + ", " + u.symbol
}

func direction(m measure) string {
	if m.LowerIsBetter {
		return "\n(less is better)"
	}
	return "\n(more is better)"
}

func chartName(scenario, key string) string {
	return fmt.Sprintf("%s-%s", scenario, strings.ReplaceAll(key, "_", "-"))
}
