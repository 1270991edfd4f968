package multipart

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// ErrPartOver is what the Body of a part ends with when the next part was asked for before it was read to its end.
var ErrPartOver = errors.New("multipart: the body of a part was polled after the next part had been asked for")

const formType = "multipart/form-data"

// errType says which type would be accepted (RFC 9110, sections 12.5.1 and 15.5.16).
var errType = &server.Problem{
	Code:   http.StatusUnsupportedMediaType,
	Detail: "The content must be " + formType + ".",
	Fields: []server.Field{{Name: "Accept", Value: formType}},
}

// What is wrong with a form is said to the client.
var (
	errFields    = tooLarge("The head of a part has too many fields.")
	errBoundary  = badForm("The Content-Type field must have one valid boundary parameter (RFC 2046, section 5.1.1).")
	errCut       = badForm("The form has ended before its last boundary.")
	errPadding   = badForm("A boundary in the form is not followed by the end of its line.")
	errLineEnd   = badForm("A line in the head of a part does not end with CR and LF.")
	errField     = badForm("A line in the head of a part is not a field.")
	errTwice     = badForm("The head of a part has a field twice.")
	errFormData  = badForm("The Content-Disposition field of a part must be form-data.")
	errParameter = badForm("The Content-Disposition field of a part has a malformed parameter, or one twice.")
	errNoName    = badForm("A part has no name.")
)

func badForm(sentence string) *server.Problem {
	return &server.Problem{Code: http.StatusBadRequest, Detail: sentence}
}

func tooLarge(sentence string) *server.Problem {
	return &server.Problem{Code: http.StatusRequestEntityTooLarge, Detail: sentence}
}

func tooManyParts(limit int) error {
	return tooLarge("The form has more than the " + strconv.Itoa(limit) + " parts allowed.")
}

// overLimit has the limit as its cause. The subject is written small, as in the cause.
func overLimit(subject string, limit int) error {
	cause := &pipeline.LimitError{Subject: subject, Limit: int64(limit)}
	sentence := cause.Public()
	p := tooLarge(strings.ToUpper(sentence[:1]) + sentence[1:] + ".")
	p.Cause = cause
	return p
}
