package codec

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/penstock-go/penstock/server"
)

// What encoding/json says, told to a client: its errors speak of Go's types and fields.

// syntax is the problem of a text that is not JSON.
func (j *jsonReader) syntax(data []byte, err error) error {
	if syntax, found := err.(*json.SyntaxError); found {
		return j.malformed(data, int(syntax.Offset)-1, syntax.Error(), err)
	}
	return j.malformed(data, len(data), "the text ends before the value does", err)
}

// malformed is a problem at the byte at offset. A text that is one line of many has the
// number of that line.
func (j *jsonReader) malformed(data []byte, offset int, what string, cause error) error {
	before := data[:min(max(offset, 0), len(data))]
	line := max(j.line, 1) + bytes.Count(before, []byte{'\n'})
	column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	p := refuse(malformed, fmt.Sprintf("The JSON is malformed at line %d, column %d (byte %d): %s.", line, column, len(before)+1, what))
	p.Cause = cause
	return p
}

// mismatch is the problem of a JSON text that is no T.
func (j *jsonReader) mismatch(data []byte, err error) error {
	var withStatus interface{ Status() int }
	var public interface{ Public() string }
	var wrongType *json.UnmarshalTypeError
	switch name, unknown := unknownMember(err); {
	case errors.As(err, &withStatus):
		return err
	case errors.As(err, &wrongType):
		return j.wrongType(pointerTo(data, int(wrongType.Offset)-1), wrongType.Value, wrongType.Type, err)
	case unknown:
		return j.unprocessable(fmt.Sprintf("The member %s is not known.", shortened(name)), err)
	case errors.As(err, &public):
		return j.unprocessable(public.Public(), err)
	case errors.As(err, new(*time.ParseError)):
		return j.unprocessable("A time as in RFC 3339 was expected, and something else came.", err)
	case errors.As(err, new(base64.CorruptInputError)):
		return j.unprocessable("A string in base64 was expected, and something else came.", err)
	}
	return j.unprocessable("A value is not what was expected.", err)
}

// unknownMember returns the name that encoding/json has refused. It says so only in words.
func unknownMember(err error) (name string, found bool) {
	quoted, found := strings.CutPrefix(err.Error(), "json: unknown field ")
	if !found {
		return "", false
	}
	name, unquoted := strconv.Unquote(quoted)
	return name, unquoted == nil
}

// wrongType is the problem of a value that T has another type for.
func (j *jsonReader) wrongType(pointer, value string, t reflect.Type, cause error) error {
	if len(value) > 40 { // a long number
		value, _, _ = strings.Cut(value, " ")
	}
	detail := fmt.Sprintf("is %s; %s was expected", article(value), expected(t))
	p := j.unprocessable("The value at "+pointer+" "+detail+".", cause)
	p.Errors = []server.FieldError{{Pointer: pointer, Detail: detail}}
	return p
}

func (j *jsonReader) unprocessable(detail string, cause error) *server.Problem {
	if j.line > 0 {
		detail = fmt.Sprintf("Line %d: %s", j.line, detail)
	}
	p := refuse(unprocessable, detail)
	p.Cause = cause
	return p
}

// article puts one before what encoding/json calls a value.
func article(value string) string {
	switch {
	case value == "null" || value == "bool":
		return strings.Replace(value, "bool", "true or false", 1)
	case strings.HasPrefix(value, "number ") && json.Valid([]byte(value[len("number "):])):
		return "the " + value
	case strings.HasPrefix(value, "number "): // the name of a member where a number was expected
		return "a string"
	case value == "array" || value == "object":
		return "an " + value
	}
	return "a " + value
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// expected says in the words of JSON what values of the type are.
func expected(t reflect.Type) string {
	if t == reflect.TypeFor[json.Number]() {
		return "a number"
	}
	if t.Implements(textUnmarshaler) || reflect.PointerTo(t).Implements(textUnmarshaler) {
		return "a string"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return expected(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		largest := uint64(1)<<(t.Bits()-1) - 1
		return fmt.Sprintf("an integer from -%d to %d", largest+1, largest)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return fmt.Sprintf("an integer from 0 to %d", ^uint64(0)>>(64-t.Bits()))
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			return "a string in base64"
		}
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "another value"
}
