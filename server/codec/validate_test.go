package codec

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/penstock-go/penstock/server"
)

// booking is valid by its pointer, price by itself.
type booking struct{ Error string }

func (b *booking) Validate() error { return bookingErrors[b.Error] }

type price int

func (p price) Validate() error {
	if p < 0 {
		return errors.New("the price is negative")
	}
	return nil
}

var (
	late  = server.FieldError{Pointer: "#/date", Detail: "is over"}
	early = server.FieldError{Pointer: "#/time", Detail: "is too early"}

	bookingErrors = map[string]error{
		"plain":   errors.New("there is no such booking"),
		"field":   late,
		"wrapped": fmt.Errorf("wrapped: %w", late),
		"joined":  errors.Join(late, fmt.Errorf("inner: %w", errors.Join(early)), errors.New("it is taken"), errors.New("and paid"), nil),
		"two":     fmt.Errorf("%w and %w", late, early),
		"status":  fmt.Errorf("wrapped: %w", &server.Error{Code: 409, Message: "It is taken."}),
	}
)

func TestValidateIsAsked(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		text   string
		fields []server.FieldError
	}{
		{"plain", 422, "there is no such booking", nil},
		{"field", 422, "The content is not valid.", []server.FieldError{late}},
		{"wrapped", 422, "The content is not valid.", []server.FieldError{late}},
		{"joined", 422, "The content is not valid: it is taken; and paid", []server.FieldError{late, early}},
		{"two", 422, "The content is not valid.", []server.FieldError{late, early}},
		{"status", 409, "It is taken.", nil},
	} {
		_, err := readText[booking](t, `{"Error":"`+c.name+`"}`)
		_, byPointer := readText[*booking](t, `{"Error":"`+c.name+`"}`)
		if err == nil || !reflect.DeepEqual(err, byPointer) {
			t.Errorf("%s: a booking that is not valid gave %v, a pointer to one %v; the same error was expected", c.name, err, byPointer)
			continue
		}
		var problem *server.Problem
		if statusOf(err) != c.status || textOf(err) != c.text || !errors.Is(err, bookingErrors[c.name]) ||
			errors.As(err, &problem) && !reflect.DeepEqual(problem.Errors, c.fields) {
			t.Errorf("%s: the error is %d, %q with %+v; it should be %d, %q with %+v, and have what Validate returned behind it",
				c.name, statusOf(err), textOf(err), problem, c.status, c.text, c.fields)
		}
	}
	if v, err := readText[booking](t, `{"Error":"none"}`); err != nil || v.Error != "none" {
		t.Errorf("a booking that is valid gave %v, %v", v, err)
	}
	if _, err := readText[price](t, `-1`); err == nil || textOf(err) != "the price is negative" {
		t.Errorf("a price that is not valid gave %v", err)
	}
}
