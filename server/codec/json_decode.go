package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// decodeJSON returns data as a T that is valid. The checks come in an order that makes the
// later ones safe: what is too deep never reaches encoding/json, and a pointer is looked for
// only in what encoding/json has found well-formed.
func decodeJSON[T any](j *jsonReader, data []byte) (T, error) {
	var v, zero T
	if err := j.precheck(data); err != nil {
		return zero, err
	}
	end := len(data)
	if j.refusesUnknown || json.Unmarshal(data, &v) != nil {
		var err error
		if end, err = j.decodeOrExplain(data, &v); err != nil {
			return zero, err
		}
	}
	if t := reflect.TypeFor[T](); !acceptsNull(t) && isNull(data[:end]) {
		return zero, j.wrongType("#", "null", t, nil)
	}
	if err := j.validate(&v, v); err != nil {
		return zero, err
	}
	return v, nil
}

// decodeOrExplain reads the value that data begins with into target, and returns where it
// ends. It costs more than json.Unmarshal, and knows more: where a value ends, and whether an
// error is of the text or of the value.
func (j *jsonReader) decodeOrExplain(data []byte, target any) (end int, err error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if j.refusesUnknown {
		decoder.DisallowUnknownFields()
	}
	err = decoder.Decode(target)
	end = int(decoder.InputOffset())
	switch rest := whitespace(data[end:]); {
	case err != nil && end == 0: // no value was there to decode
		return 0, j.syntax(data, err)
	case !j.allowsTrailing && end+rest < len(data):
		return 0, j.malformed(data, end+rest, "something stands behind the end of the value", nil)
	case err != nil:
		return 0, j.mismatch(data, err)
	}
	return end, nil
}

// precheck refuses what encoding/json would accept.
func (j *jsonReader) precheck(data []byte) error {
	if whitespace(data) == len(data) {
		return refuse(malformed, "The content is empty; JSON was expected.")
	}
	if !utf8.Valid(data) {
		return j.malformed(data, invalidUTF8(data), "the text is not UTF-8", nil)
	}
	if at, found := tooDeep(data, j.depth); found {
		return j.malformed(data, at, fmt.Sprintf("arrays and objects lie more than %d deep in each other", j.depth), nil)
	}
	return nil
}

// whitespace returns how many bytes of whitespace data begins with (RFC 8259, section 2).
func whitespace(data []byte) int {
	for i, c := range data {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return i
		}
	}
	return len(data)
}

// invalidUTF8 returns the offset of the first byte of data that is not UTF-8.
func invalidUTF8(data []byte) int {
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// tooDeep returns the offset of the first bracket that opens more than depth levels. Of
// data that is not well-formed it may say anything that encoding/json then corrects.
func tooDeep(data []byte, depth int) (at int, found bool) {
	level := 0
	for i := 0; i < len(data); {
		switch data[i] {
		case '"':
			i = stringEnd(data, i)
			continue
		case '[', '{':
			if level++; level > depth {
				return i, true
			}
		case ']', '}':
			level--
		}
		i++
	}
	return 0, false
}

// stringEnd returns the offset behind the string that begins at start.
func stringEnd(data []byte, start int) int {
	for i := start + 1; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(data)
}

func isNull(data []byte) bool { return string(bytes.TrimSpace(data)) == "null" }

var jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()

// acceptsNull says whether null is a value of the type.
func acceptsNull(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Slice, reflect.Map:
		return true
	}
	return t.Implements(jsonUnmarshaler) || reflect.PointerTo(t).Implements(jsonUnmarshaler)
}
