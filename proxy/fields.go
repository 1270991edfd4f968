package proxy

import (
	"strings"

	"github.com/penstock-go/penstock/parser"
)

// Which fields go on, and which concern one connection only (RFC 9110, section 7.6.1).

// fieldKind is what a field is for a proxy.
type fieldKind uint8

const (
	fieldPasses     fieldKind = iota
	fieldConnection           // Connection: names others
	fieldHop                  // concerns one connection only, or is framing: dropped in both directions
	fieldRequestHop           // the same, in requests only

	fieldHost
	fieldExpect
	fieldMaxForwards
	fieldContentEncoding
	fieldForwarded
	fieldXForwardedFor
	fieldXForwardedHost
	fieldXForwardedProto
	fieldXForwarded // any other that says where a request came from
)

// knownField is a name in lower case.
type knownField struct {
	name string
	kind fieldKind
}

// knownFields are by the lengths of their names. It is read only.
var knownFields = byLength(
	knownField{"te", fieldHop},
	knownField{"host", fieldHost},
	knownField{"proxy", fieldRequestHop}, // CVE-2016-5385: a CGI program takes it for the address of a proxy
	knownField{"expect", fieldExpect},
	knownField{"upgrade", fieldHop},
	knownField{"forwarded", fieldForwarded},
	knownField{"x-real-ip", fieldXForwarded},
	knownField{"connection", fieldConnection},
	knownField{"keep-alive", fieldHop},
	knownField{"max-forwards", fieldMaxForwards},
	knownField{"content-length", fieldHop},
	knownField{"http2-settings", fieldRequestHop},
	knownField{"x-forwarded-for", fieldXForwardedFor},
	knownField{"content-encoding", fieldContentEncoding},
	knownField{"proxy-connection", fieldHop},
	knownField{"x-forwarded-host", fieldXForwardedHost},
	knownField{"transfer-encoding", fieldHop},
	knownField{"x-forwarded-proto", fieldXForwardedProto},
	knownField{"proxy-authenticate", fieldHop},
	knownField{"proxy-authorization", fieldHop},
)

// longestKnown is the length of the longest name.
const longestKnown = len("proxy-authorization")

func byLength(fields ...knownField) (table [longestKnown + 1][]knownField) {
	for _, f := range fields {
		table[len(f.name)] = append(table[len(f.name)], f)
	}
	return table
}

// kindOf returns what a field of this name is. An underscore counts as a hyphen: to upstreams that
// hand fields on as variables the two are one, so that Content_Length is framing there.
func kindOf(name string) fieldKind {
	if len(name) <= longestKnown {
		for _, known := range knownFields[len(name)] {
			if sameField(name, known.name) {
				return known.kind
			}
		}
	}
	if len(name) > len(xForwarded) && sameField(name[:len(xForwarded)], xForwarded) {
		return fieldXForwarded
	}
	return fieldPasses
}

const xForwarded = "x-forwarded-"

// sameField says whether name is known, which is in lower case and as long.
func sameField(name, known string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c == '_':
			c = '-'
		}
		if c != known[i] {
			return false
		}
	}
	return true
}

// namesFields says whether the value of a Connection field may name fields: it has other options
// than the usual ones.
func namesFields(value string) bool {
	switch len(value) {
	case len("close"):
		return !strings.EqualFold(value, "close")
	case len("upgrade"):
		return !strings.EqualFold(value, "upgrade")
	case len("keep-alive"):
		return !strings.EqualFold(value, "keep-alive")
	}
	return value != ""
}

// maxConnectionOptions bounds what a Connection field may name: each is looked for among all fields.
const maxConnectionOptions = 64

// dropNamed drops the fields that the Connection fields of from name. ok is false when these name
// more than anybody does.
func dropNamed(fields []parser.Field, from *parser.Fields) (kept []parser.Field, ok bool) {
	options := 0
	for value := range from.Values("Connection") {
		for option := range strings.SplitSeq(value, ",") {
			if options++; options > maxConnectionOptions {
				return nil, false
			}
			fields = dropField(fields, strings.Trim(option, " \t"))
		}
	}
	return fields, true
}

// dropField drops the fields of one name.
func dropField(fields []parser.Field, name string) []parser.Field {
	kept := fields[:0]
	for _, f := range fields {
		if len(f.Name) != len(name) || !strings.EqualFold(f.Name, name) {
			kept = append(kept, f)
		}
	}
	clear(fields[len(kept):])
	return kept
}
