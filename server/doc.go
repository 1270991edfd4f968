// Package server serves HTTP/1.1 (RFC 9110, RFC 9112) from event loops.
//
// A handler is a function from a request to a response. It is called as soon as
// a request's head is there, on the loop that owns the connection, and must not
// block. What it returns says where the answer comes from:
//
//   - [Text], [Bytes], [JSON], [Empty], [Redirect], [File], [Fail]: it is there,
//   - [Stream]: its body is a source that is polled while the client takes it,
//   - [Events]: it stays open and sends the events of a source, such as a topic's,
//   - [Upgrade]: the connection goes on in another protocol, which is a stage,
//   - [Later]: the response itself is still to come from a source.
//
// The request's body is a source too. Nothing is read from the client before
// somebody polls it, and nothing is polled before the client has taken what it
// was sent, so a handler that streams works in constant memory however large
// the bodies and however slow the peers.
//
// # Who owns what
//
// Whoever polls a source closes it. A response owns its source: the connection
// closes it exactly once, when the body has ended, has failed, or when the
// client has gone. Request.Body belongs to the exchange and is closed with it.
// Strings that come from a request are immutable and valid for ever; the
// *Request itself is valid until its response is finished; see [Response.ReleaseRequest]
// for the responses that end it earlier.
//
// # Errors
//
// An error that a source ends with decides the status while the response's head
// has not gone out: an error with a method Status() int is answered with that
// status, and with the text of its method Public() string if it has one; any
// other error is a 500 of which the client sees nothing and the log everything.
// After the head, the connection is closed without the end of the body, so that
// the client can see that it was cut.
package server
