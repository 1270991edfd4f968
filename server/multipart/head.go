package multipart

import (
	"strings"

	"github.com/penstock-go/penstock/server"
)

// parseHead makes a part of its head: lines that end with CRLF, the last of which is empty.
func parseHead(head string) (*Part, error) {
	part := &Part{Type: "text/plain"}
	var named, typed bool
	for {
		line, rest, _ := strings.Cut(head, "\r\n")
		if line == "" {
			break
		}
		head = rest
		field, ok := parseField(line)
		if !ok {
			return nil, errField
		}
		if len(part.Fields) == maxFields {
			return nil, errFields
		}
		part.Fields = append(part.Fields, field)
		var err error
		switch {
		case strings.EqualFold(field.Name, "Content-Disposition"):
			err = part.setNames(field.Value, named)
			named = true
		case strings.EqualFold(field.Name, "Content-Type"):
			if typed {
				err = errTwice
			}
			part.Type, typed = field.Value, true
		}
		if err != nil {
			return nil, err
		}
	}
	if !named {
		return nil, errNoName
	}
	return part, nil
}

// parseField parses a field line (RFC 9112, section 5; RFC 7578 has those of RFC 822, whose folding and comments nobody
// sends). A line that goes on with the field before begins with white space, and so is none.
func parseField(line string) (field server.Field, ok bool) {
	name, value, found := strings.Cut(line, ":")
	if !found || name == "" || tokenLength(name) != len(name) {
		return server.Field{}, false
	}
	value = strings.Trim(value, whiteSpace)
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return server.Field{}, false
		}
	}
	return server.Field{Name: name, Value: value}, true
}

// setNames takes the names from a Content-Disposition field (RFC 7578, section 4.2).
func (p *Part) setNames(disposition string, again bool) error {
	if again {
		return errTwice
	}
	kind, list := cutParameters(disposition)
	if kind != "form-data" {
		return errFormData
	}
	named := false
	for list != "" {
		name, value, rest, ok := cutParameter(list)
		switch {
		case !ok || name == "name" && named || name == "filename" && p.File:
			return errParameter
		case name == "name":
			p.Name, named = unescape(value), true
		case name == "filename":
			p.FileName, p.File = unescape(value), true
		}
		list = rest
	}
	if !named {
		return errNoName
	}
	return nil
}

// escapes are what browsers replace in names (WHATWG HTML, section 4.10.21.8), and nothing else.
var escapes = strings.NewReplacer("%22", `"`, "%0D", "\r", "%0d", "\r", "%0A", "\n", "%0a", "\n")

func unescape(name string) string {
	if strings.IndexByte(name, '%') < 0 {
		return name
	}
	return escapes.Replace(name)
}

// Field returns the value of the first field of this name, compared without regard to case, or "".
func (p *Part) Field(name string) string {
	for _, field := range p.Fields {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return ""
}
