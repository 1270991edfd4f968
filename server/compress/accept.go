package compress

import (
	"iter"
	"strings"
)

// A coding is a content coding (RFC 9110, section 8.4.1). The zero value is identity.
type coding uint8

const (
	identity coding = iota
	codingGzip
	codingZstd
	codings // how many there are
)

// String returns the name of the coding as it is registered.
func (c coding) String() string {
	return [codings]string{"identity", "gzip", "zstd"}[c]
}

// codingNamed returns the coding of that name, compared without regard to case.
func codingNamed(name string) (c coding, found bool) {
	switch strings.ToLower(name) {
	case "identity":
		return identity, true
	case "gzip", "x-gzip": // RFC 9110, section 8.4.1.3: recipients take them for the same
		return codingGzip, true
	case "zstd":
		return codingZstd, true
	}
	return identity, false
}

// unsaid is the weight of a coding that an Accept-Encoding does not speak of.
const unsaid = -1

// acceptance is what Accept-Encoding says of each coding: its weight in thousandths, or
// unsaid. The zero value accepts identity only.
type acceptance [codings]int

// parseAcceptance reads the values of the field Accept-Encoding (RFC 9110, section 12.5.3).
// Without the field, and when any of it is malformed, only identity is accepted: a client
// gets a coding only if it has clearly said that it takes it.
func parseAcceptance(values iter.Seq[string]) acceptance {
	said := acceptance{unsaid, unsaid, unsaid}
	others := unsaid
	for value := range values {
		for member := range strings.SplitSeq(value, ",") {
			member = strings.Trim(member, " \t")
			if member == "" {
				continue // RFC 9110, section 5.6.1.2
			}
			name, weight, ok := parseMember(member)
			if !ok {
				return acceptance{}
			}
			if name == "*" {
				others = weight
			} else if c, found := codingNamed(name); found {
				said[c] = weight
			}
		}
	}
	for c := range said {
		if said[c] == unsaid {
			said[c] = others
		}
	}
	return said
}

// best returns the coding of candidates with the greatest weight, of equal ones the first;
// or identity, when it has a greater weight or none of them is accepted.
func (a *acceptance) best(candidates ...coding) coding {
	chosen, weight := identity, 0
	for _, c := range candidates {
		if a[c] > weight {
			chosen, weight = c, a[c]
		}
	}
	if a[identity] > weight {
		return identity
	}
	return chosen
}

// parseMember reads one member of the list: a coding, identity or "*", and its weight.
func parseMember(member string) (name string, weight int, ok bool) {
	name, parameter, weighted := strings.Cut(member, ";")
	name = strings.TrimRight(name, " \t")
	if name == "" || strings.ContainsAny(name, " \t\"=") {
		return "", 0, false
	}
	if !weighted {
		return name, 1000, true
	}
	parameter = strings.TrimLeft(parameter, " \t")
	if len(parameter) < 2 || parameter[0]|0x20 != 'q' || parameter[1] != '=' {
		return "", 0, false
	}
	weight, ok = parseWeight(parameter[2:])
	return name, weight, ok
}

// parseWeight reads a qvalue, which has at most three digits after its point (RFC 9110,
// section 12.4.2).
func parseWeight(s string) (thousandths int, ok bool) {
	if len(s) == 0 || len(s) > len("0.000") || s[0] != '0' && s[0] != '1' || len(s) > 1 && s[1] != '.' {
		return 0, false
	}
	thousandths = int(s[0]-'0') * 1000
	digits := ""
	if len(s) > 2 {
		digits = s[2:]
	}
	unit := 100
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		thousandths += int(d-'0') * unit
		unit /= 10
	}
	return thousandths, thousandths <= 1000
}
