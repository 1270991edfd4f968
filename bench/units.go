package main

import (
	"strconv"
	"strings"
)

// A unit says how the values of a measure are written.
type unit struct {
	symbol   string
	scale    float64 // how much of what a sample holds makes one of the unit
	decimals int
}

var (
	unitOne         = unit{"", 1, 0}
	unitRatio       = unit{"", 1, 2}
	unitMicrosecond = unit{"µs", 1, 2}
	unitMillisecond = unit{"ms", 1e3, 1} // of a sample in microseconds
	unitByte        = unit{"B", 1, 0}
	unitMebibyte    = unit{"MiB", 1 << 20, 1} // of a sample in bytes
)

// number rounds to the unit's decimals and groups the digits before them by three.
func (u unit) number(value float64) string {
	text := strconv.FormatFloat(value/u.scale, 'f', u.decimals, 64)
	whole, fraction := text, ""
	if point := strings.IndexByte(text, '.'); point >= 0 {
		whole, fraction = text[:point], text[point:]
	}
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	return sign + whole + fraction
}

func (u unit) format(value float64) string {
	return strings.TrimSpace(u.number(value) + " " + u.symbol)
}

// summary writes the median and, of more than one round, the spread.
func (u unit) summary(s summary) string {
	text := u.format(s.Median)
	if len(s.Rounds) > 1 {
		text += " (" + u.number(s.Lowest) + "–" + u.number(s.Highest) + ")"
	}
	return text
}
