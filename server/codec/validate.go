package codec

import (
	"errors"
	"strings"

	"github.com/penstock-go/penstock/server"
)

// validator is a value that knows whether it is valid.
type validator interface{ Validate() error }

// validate asks the value, by itself or by the pointer to it, whether it is valid.
func (j *jsonReader) validate(pointer, value any) error {
	v, found := value.(validator)
	if !found {
		v, found = pointer.(validator)
	}
	if !found {
		return nil
	}
	err := v.Validate()
	var withStatus interface{ Status() int }
	if err == nil || errors.As(err, &withStatus) {
		return err
	}
	fields, others := sortErrors(err)
	detail := strings.Join(others, "; ")
	switch {
	case len(fields) > 0 && detail == "":
		detail = "The content is not valid."
	case len(fields) > 0:
		detail = "The content is not valid: " + detail
	}
	p := j.unprocessable(detail, err)
	p.Errors = fields
	return p
}

// sortErrors takes an error apart: what it says of fields, and the texts of the rest.
func sortErrors(err error) (fields []server.FieldError, others []string) {
	if field, found := err.(server.FieldError); found {
		return []server.FieldError{field}, nil
	}
	if joined, found := err.(interface{ Unwrap() []error }); found {
		for _, e := range joined.Unwrap() {
			f, o := sortErrors(e)
			fields, others = append(fields, f...), append(others, o...)
		}
		return fields, others
	}
	if inner := errors.Unwrap(err); inner != nil {
		if fields, others = sortErrors(inner); len(fields) > 0 {
			return fields, others
		}
	}
	return nil, []string{err.Error()}
}
