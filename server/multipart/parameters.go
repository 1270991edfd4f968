package multipart

import "strings"

// The values of Content-Type and Content-Disposition: a word, and parameters behind semicolons (RFC 9110, section
// 5.6.6).

const whiteSpace = " \t"

// cutParameters splits a value before its first semicolon, and returns what is in front in lower case.
func cutParameters(value string) (kind, list string) {
	end := strings.IndexByte(value, ';')
	if end < 0 {
		end = len(value)
	}
	return strings.ToLower(strings.Trim(value[:end], whiteSpace)), value[end:]
}

// cutParameter takes the first parameter off a list that begins with a semicolon, and returns its name in lower case.
// For a list of nothing but semicolons name and rest are "". ok is false if it is malformed.
func cutParameter(list string) (name, value, rest string, ok bool) {
	list = strings.TrimLeft(list, ";"+whiteSpace)
	if list == "" {
		return "", "", "", true
	}
	end := tokenLength(list)
	if end == 0 || end == len(list) || list[end] != '=' {
		return "", "", "", false
	}
	name, rest = strings.ToLower(list[:end]), list[end+1:]
	if strings.HasPrefix(rest, `"`) {
		value, rest, ok = cutQuoted(rest[1:])
	} else {
		end = tokenLength(rest)
		value, rest, ok = rest[:end], rest[end:], end > 0
	}
	rest = strings.TrimLeft(rest, whiteSpace)
	return name, value, rest, ok && (rest == "" || rest[0] == ';')
}

// cutQuoted takes the rest of a quoted string off s. A backslash quotes a quotation mark and a backslash; any other is
// one, for there are clients that do not quote the backslashes of a path.
func cutQuoted(s string) (value, rest string, ok bool) {
	end := strings.IndexAny(s, `"\`)
	if end >= 0 && s[end] == '"' {
		return s[:end], s[end+1:], true
	}
	var unquoted []byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"':
			return string(unquoted), s[i+1:], true
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			c = s[i]
		}
		unquoted = append(unquoted, c)
	}
	return "", "", false
}

// tokenLength returns how many bytes of a token s begins with (RFC 9110, section 5.6.2).
func tokenLength(s string) int {
	for i := range len(s) {
		c := s[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0:
			return i
		}
	}
	return len(s)
}

// boundaryOf returns the boundary of a form of this type.
func boundaryOf(contentType string) (string, error) {
	kind, list := cutParameters(contentType)
	if kind != formType {
		return "", errType
	}
	boundary := ""
	for list != "" {
		name, value, rest, ok := cutParameter(list)
		if !ok || name == "boundary" && (boundary != "" || !validBoundary(value)) {
			return "", errBoundary
		}
		if name == "boundary" {
			boundary = value
		}
		list = rest
	}
	if boundary == "" {
		return "", errBoundary
	}
	return boundary, nil
}

const longestBoundary = 70

// validBoundary says whether a boundary is one (RFC 2046, section 5.1.1): so it has no CR, which the scanner relies on.
func validBoundary(boundary string) bool {
	if boundary == "" || len(boundary) > longestBoundary || boundary[len(boundary)-1] == ' ' {
		return false
	}
	for i := range len(boundary) {
		c := boundary[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9':
		case strings.IndexByte("'()+_,-./:=? ", c) < 0:
			return false
		}
	}
	return true
}
