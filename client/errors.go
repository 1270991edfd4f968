package client

import (
	"errors"
	"fmt"
	"net/http"
)

// Why a request has failed. An [Error] wraps one of these, and [errors.Is] tells them apart.
var (
	// ErrPoolFull: the upstream has as many connections as it may, and so many requests wait
	// for one that no more are kept waiting. Nothing was sent.
	ErrPoolFull = newKind(http.StatusServiceUnavailable, "The upstream has no connection to spare.")

	// ErrAcquireTimeout: no connection became free in the time of [Timeouts].Acquire.
	// Nothing was sent.
	ErrAcquireTimeout = newKind(http.StatusServiceUnavailable, "No connection to the upstream became free in time.")

	// ErrResolve: the name of the upstream could not be resolved. Nothing was sent.
	ErrResolve = newKind(http.StatusBadGateway, "The name of the upstream could not be resolved.")

	// ErrConnect: no address of the upstream accepts a connection. Nothing was sent.
	ErrConnect = newKind(http.StatusBadGateway, "The upstream could not be connected to.")

	// ErrConnectTimeout: the connection was not there in the time of [Timeouts].Connect.
	// Nothing was sent.
	ErrConnectTimeout = newKind(http.StatusGatewayTimeout, "The upstream could not be connected to in time.")

	// ErrHeadTimeout: the head of the response has not come in the time of [Timeouts].Head.
	ErrHeadTimeout = newKind(http.StatusGatewayTimeout, "The upstream did not answer in time.")

	// ErrBodyTimeout: a body has not moved for the time of [Timeouts].Body: the upstream has taken
	// nothing of the request, or sent nothing of the response, while that was wanted.
	ErrBodyTimeout = newKind(http.StatusGatewayTimeout, "The upstream made no progress for too long.")

	// ErrTotalTimeout: the whole exchange has lasted longer than [Timeouts].Total.
	ErrTotalTimeout = newKind(http.StatusGatewayTimeout, "The upstream took too long.")

	// ErrUpstream: the upstream has broken the connection, or what it sent is no answer.
	ErrUpstream = newKind(http.StatusBadGateway, "The upstream failed.")

	// ErrRequest: the request cannot be sent as it is. Nothing was sent.
	ErrRequest = newKind(http.StatusInternalServerError, "")

	// ErrClientClosed: [Client.Close] was called. Nothing was sent.
	ErrClientClosed = newKind(http.StatusServiceUnavailable, "The server is being shut down.")
)

// kind is what the errors of this package can be compared with.
type kind struct {
	status int
	public string
}

func newKind(status int, public string) error { return &kind{status, public} }

func (k *kind) Error() string {
	if k.public == "" {
		return "client: the request cannot be sent"
	}
	return "client: " + k.public
}

// Error is why a request has failed.
type Error struct {
	Kind     error  // one of the errors of this package
	Upstream string // which upstream, as its authority or path
	Cause    error  // what is known beside that, or nil

	// Unanswered says that the connection ended before anything of an answer had come, and that
	// the request may be sent again all the same: its body was not touched, and to send it twice is the
	// same as to send it once (RFC 9110, section 9.2.2), or nothing of it was sent. A server that is
	// being stopped ends connections so which it had not yet accepted.
	Unanswered bool
}

func (e *Error) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("%v (upstream %s)", e.Kind, e.Upstream)
	}
	return fmt.Sprintf("%v (upstream %s): %v", e.Kind, e.Upstream, e.Cause)
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// Status is the status that a gateway answers for this error (RFC 9110, section 15.6): 502, 503
// or 504; 500 for a request that cannot be sent.
func (e *Error) Status() int {
	if k := (*kind)(nil); errors.As(e.Kind, &k) {
		return k.status
	}
	return http.StatusBadGateway
}

// Public is a sentence that a client may see. It names no upstream.
func (e *Error) Public() string {
	if k := (*kind)(nil); errors.As(e.Kind, &k) {
		return k.public
	}
	return ""
}

// NothingSent reports whether err says that nothing of the request has reached an upstream: it
// may be sent again, whatever its method, and its body was not touched.
func NothingSent(err error) bool {
	for _, kind := range [...]error{ErrPoolFull, ErrAcquireTimeout, ErrResolve, ErrConnect, ErrConnectTimeout, ErrClientClosed} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
