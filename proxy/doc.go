// Package proxy answers requests with what upstreams answer to them: a handler for package server, made of
// the requests of package client.
//
//	upstream, err := c.Upstream("http://127.0.0.1:8081")
//	…
//	s, err := server.New(proxy.New(proxy.One(upstream), proxy.Options{}), server.Options{})
//
// The head of an answer is passed on as soon as it is there, its body piece by piece, and neither body is
// read any faster than the other side takes it. An answer whose length is declared moves from socket to
// socket in the kernel where that is cheaper.
//
// # What is passed on
//
// A message is passed on as it was understood, framed anew: its Content-Length and Transfer-Encoding never
// are. Fields that concern one connection (RFC 9110, section 7.6.1), and those that the Connection field
// names, are dropped in both directions, of informational responses too; so is a name that is one of these
// but for underscores. Method, target, status, the other fields in their order, and trailers stay. The
// target is sent in origin form. 100 (Continue) is passed on as the client's first demand for the body, 101
// as a tunnel, every other informational response as it comes. Of upgrades only one to a single protocol
// other than HTTP/2 is asked for. TRACE is answered with 501, and an OPTIONS whose
// Max-Forwards is 0 with 204.
//
// # Failures
//
// While the head of the response is not out, an upstream that cannot be connected to or breaks off is a 502, one
// that takes too long a 504, one that has no connection to spare a 503; see the errors of package
// client. Afterwards the client's connection is cut, so that it can see that the body was. Each has a line in
// the log. A client that leaves, and one whose own request is wrong, has none, and the upstream's
// connection is closed at once; it never sees a proper end of a request that was cut off.
//
// A request that could not be sent to one upstream goes to another, if the [Picker] has one, and with
// [Options].TryFor is held until there is one again. One that an upstream may have seen is not sent again by this
// package.
package proxy
