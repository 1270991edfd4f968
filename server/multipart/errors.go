package multipart

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/penstock-go/penstock/server"
)

// ErrPartOver is what the Body of a part ends with when the next part was asked for before it was read to its end.
var ErrPartOver = errors.New("multipart: the body of a part was polled after the next part had been asked for")

// What is wrong with a form is said to the client.
var (
	errType      = &server.Error{Code: http.StatusUnsupportedMediaType, Message: "The content must be multipart/form-data."}
	errFields    = &server.Error{Code: http.StatusRequestEntityTooLarge, Message: "The head of a part has too many fields."}
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

func badForm(sentence string) *server.Error {
	return &server.Error{Code: http.StatusBadRequest, Message: sentence}
}

func tooManyParts(limit int) error {
	return &server.Error{
		Code:    http.StatusRequestEntityTooLarge,
		Message: "The form has more than the " + strconv.Itoa(limit) + " parts allowed.",
	}
}
