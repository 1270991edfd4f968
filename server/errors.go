package server

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an error with the status to answer and a sentence that is fit for
// clients. A handler returns it through [Fail], a stage ends with it.
type Error struct {
	Code    int    // status code
	Message string // a sentence, sent to the client as it is
}

func (e *Error) Error() string { return e.Message }

// Status returns the status code to answer.
func (e *Error) Status() int { return e.Code }

// Public returns the sentence for the client.
func (e *Error) Public() string { return e.Message }

var (
	// ErrServerClosed is returned by Listen on a server that was shut down, and by a
	// second Serve.
	ErrServerClosed = errors.New("server: the server has been shut down, or has been served already")

	// ErrExchangeEnded is what a request's body ends with when it is polled
	// after its exchange has ended.
	ErrExchangeEnded = errors.New("server: the request's body was polled after its exchange had ended")

	// ErrClientGone is the cause of a request's context when the client has left. A
	// request's body ends with an error that is one (see [errors.Is]) when the client has
	// left, or has ended its side, before it had sent the whole body; so does the input of
	// an [Upgrade] whose connection is lost or closed. Who sends the bytes on has to break
	// off then: only io.EOF is a proper end.
	ErrClientGone = errors.New("server: the client has closed the connection")
)

// lostClient is the error of a read that fails because the client has gone.
func lostClient(err error) error { return fmt.Errorf("%w: %w", ErrClientGone, err) }

// describeError returns what a client is told of an error, and whether the
// error should be logged.
func describeError(err error) (status int, sentence string, log bool) {
	status, log = http.StatusInternalServerError, true
	var withStatus interface{ Status() int }
	if errors.As(err, &withStatus) {
		if s := withStatus.Status(); s >= 400 && s <= 599 {
			status = s
		}
	}
	var public interface{ Public() string }
	if errors.As(err, &public) {
		sentence, log = public.Public(), false
	}
	if sentence == "" {
		sentence = http.StatusText(status)
	}
	if sentence == "" {
		sentence = "Error"
	}
	return status, sentence, log
}
