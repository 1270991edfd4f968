package server

import (
	"errors"
	"io"
)

// A CloseReason says why a connection was closed.
type CloseReason uint8

const (
	ReasonClientClosed   CloseReason = iota // the client closed it between two requests
	ReasonConnectionLost                    // the client reset it, or left while an answer was due
	ReasonAnswered                          // the last answer was sent, and one side had asked for the close
	ReasonBadRequest                        // what came was not HTTP/1.1
	ReasonResponseFailed                    // a response failed after its head was sent
	ReasonIdleTimeout                       // see Options.IdleTimeout
	ReasonHeadTimeout                       // see Options.HeadTimeout
	ReasonBodyTimeout                       // see Options.BodyTimeout
	ReasonWriteTimeout                      // see Options.WriteTimeout
	ReasonOverload                          // see Options.MaxConnections
	ReasonShutdown                          // the server was shut down
	ReasonHijacked                          // a handler has taken it over; see Hijack
	ReasonEvicted                           // a topic's subscriber was too slow; see pipeline.Evict
)

var reasonText = [...]string{
	ReasonClientClosed:   "the client closed the connection",
	ReasonConnectionLost: "the connection was lost",
	ReasonAnswered:       "the last answer was sent",
	ReasonBadRequest:     "the client sent a malformed request",
	ReasonResponseFailed: "a response failed after its head was sent",
	ReasonIdleTimeout:    "the connection was idle for too long",
	ReasonHeadTimeout:    "a request's head took too long",
	ReasonBodyTimeout:    "a request's body came too slowly",
	ReasonWriteTimeout:   "the client took nothing for too long",
	ReasonOverload:       "there were too many connections",
	ReasonShutdown:       "the server was shut down",
	ReasonHijacked:       "a handler has taken it over",
	ReasonEvicted:        "the client was too slow for its stream",
}

// String returns the reason as a phrase.
func (r CloseReason) String() string { return reasonText[r] }

// error returns what a core that is done for this reason gives when polled:
// io.EOF when what was handed out is a proper end, and errCut when the client
// must see that it is not.
func (r CloseReason) error() error {
	if r == ReasonResponseFailed || r == ReasonConnectionLost || r == ReasonEvicted {
		return errCut
	}
	return io.EOF
}

// errCut ends a connection in the middle of a message.
var errCut = errors.New("server: the connection was cut in the middle of a message")

// errAnswered is the cause that a request's context is cancelled with when its
// response has been sent.
var errAnswered = errors.New("server: the response has been sent")
