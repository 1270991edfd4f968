package multipart

import "math"

// Limits bound what a form may be. The zero value of each means its default, a negative one that there is no limit.
// A form that is over one of them ends with an error that has the status 413.
type Limits struct {
	// Parts is how many parts a form may have. Default: 1000.
	Parts int

	// Head is how many bytes the head of a part may have: its fields with the empty line behind them. A head is held
	// in memory. Default: 8 KiB.
	Head int

	// Form is how many bytes [Form] holds, heads included. [Parts] holds none. Default: 1 MiB.
	Form int
}

// maxFields is how many fields the head of a part may have. Three have a meaning (RFC 7578, section 4.8).
const maxFields = 64

func (l Limits) withDefaults() Limits {
	for _, limit := range [...]struct {
		value        *int
		defaultValue int
	}{{&l.Parts, 1000}, {&l.Head, 8 << 10}, {&l.Form, 1 << 20}} {
		switch {
		case *limit.value == 0:
			*limit.value = limit.defaultValue
		case *limit.value < 0:
			*limit.value = math.MaxInt
		}
	}
	return l
}
