package main

import (
	"math"

	"gonum.org/v1/plot"
)

// evenTicks marks a linear axis from zero at about count steps of 1, 2, 2.5 or 5 times a power of
// ten of the unit. Above highest it has none, unless that is 0.
type evenTicks struct {
	unit    unit
	count   int
	highest float64
}

// Ticks implements plot.Ticker.
func (e evenTicks) Ticks(lowest, highest float64) []plot.Tick {
	if e.highest > 0 {
		highest = e.highest
	}
	scaled := (highest - lowest) / e.unit.scale
	if scaled <= 0 {
		return nil
	}
	step := niceStep(scaled / float64(e.count))
	digits := e.unit
	digits.decimals = max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	if step*math.Pow10(digits.decimals) != math.Trunc(step*math.Pow10(digits.decimals)) {
		digits.decimals++ // 2.5, 0.25
	}
	var ticks []plot.Tick
	for i := math.Ceil(lowest / e.unit.scale / step); i*step <= highest/e.unit.scale; i++ {
		value := i * step * e.unit.scale
		ticks = append(ticks, plot.Tick{Value: value, Label: digits.number(value)})
	}
	return ticks
}

// niceStep returns the least of 1, 2, 2.5 and 5 times a power of ten that is not below the step.
func niceStep(least float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, factor := range []float64{1, 2, 2.5, 5} {
		if factor*power >= least {
			return factor * power
		}
	}
	return 10 * power
}

// decadeTicks marks a logarithmic axis at 1, 2 and 5 times the powers of ten of the unit.
type decadeTicks struct{ unit unit }

// Ticks implements plot.Ticker.
func (d decadeTicks) Ticks(lowest, highest float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(lowest / d.unit.scale)); power <= math.Log10(highest/d.unit.scale); power++ {
		for _, factor := range []float64{1, 2, 5} {
			value := factor * math.Pow(10, power) * d.unit.scale
			if value < lowest || value > highest {
				continue
			}
			digits := d.unit
			digits.decimals = max(0, -int(power))
			ticks = append(ticks, plot.Tick{Value: value, Label: digits.number(value)})
		}
	}
	return ticks
}
