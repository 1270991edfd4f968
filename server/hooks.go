package server

import "net/netip"

// Hooks are functions that the server calls in the life of a connection and its
// exchanges. Each may be nil. They run on the loop that owns the connection and
// must not block.
type Hooks struct {
	// Opened is called when a connection was accepted, with the client's
	// address (the zero AddrPort on a Unix socket).
	Opened func(remote netip.AddrPort)

	// Request is called when a request's head is there, before the handler.
	Request func(r *Request)

	// Response is called when a response has been handed out to be written, or
	// was cut, with its status and the bytes of its body; status is 0 when the
	// exchange ended without a response. The request is still valid. It is called
	// once for each call of Request, and so not for what was no request. With this
	// hook no response gives its request back before it has ended; see
	// [Response.ReleaseRequest].
	Response func(r *Request, status int, bytes int64)

	// Closed is called when a connection was closed.
	Closed func(reason CloseReason)
}
