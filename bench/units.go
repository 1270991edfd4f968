package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A unit says how the values of a measure are written. In a file of results it is its name.
type unit struct {
	name     string
	symbol   string
	scale    float64 // how much of what a sample holds makes one of the unit
	decimals int
}

var (
	unitOne               = unit{"count", "", 1, 0}
	unitRatio             = unit{"ratio", "", 1, 2}
	unitMicrosecond       = unit{"microseconds", "µs", 1, 2}
	unitMillisecond       = unit{"milliseconds", "ms", 1e3, 1}      // of a sample in microseconds
	unitMillisecondFine   = unit{"milliseconds_fine", "ms", 1e3, 2} // the same, for short latencies
	unitSecond            = unit{"seconds", "s", 1, 0}
	unitByte              = unit{"bytes", "B", 1, 0}                          //
	unitKibibyte          = unit{"kibibytes", "KiB", 1 << 10, 1}              // of a sample in bytes
	unitMebibyte          = unit{"mebibytes", "MiB", 1 << 20, 1}              // of a sample in bytes
	unitMebibytePerSecond = unit{"mebibytes_per_second", "MiB/s", 1 << 20, 0} // of bytes per second

	units = []unit{unitOne, unitRatio, unitMicrosecond, unitMillisecond, unitMillisecondFine, unitSecond,
		unitByte, unitKibibyte, unitMebibyte, unitMebibytePerSecond}
)

// MarshalText writes the unit's name.
func (u unit) MarshalText() ([]byte, error) { return []byte(u.name), nil }

// UnmarshalText finds the unit of the name.
func (u *unit) UnmarshalText(name []byte) error {
	for _, known := range units {
		if known.name == string(name) {
			*u = known
			return nil
		}
	}
	return fmt.Errorf("the unit %q is not known, expected one of those in units.go", name)
}

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
