package server

import "io"

// noticeHalfClose tells whoever watches the exchange that the client has closed its sending side. It
// is called when that is known of the socket, which says nothing of what lies before the end: the
// rest of the request, or more requests, and then the client is waiting for answers. To know, one
// byte is read where the next request would begin. What is read so is the parser's.
func (c *conn) noticeHalfClose() {
	x := c.core.exchange
	if x == nil || x.watcher == nil || !x.wasRead() || len(x.parser.Rest()) > 0 {
		return
	}
	next := make([]byte, 1)
	switch n, err := c.socket.Read(next); {
	case n > 0:
		x.parser.Feed(next)
		x.borrows = false
	case err == io.EOF:
		w := x.watcher
		x.watcher = nil
		w.clientHalfClosed()
	}
}

// wasRead says whether all of the request was handed out. Who reads a body whose length was declared need
// not ask for its end.
func (x *exchange) wasRead() bool {
	if x.received || x.body == nil {
		return x.received
	}
	head := x.parser.Head()
	return !head.Chunked && x.body.count == head.ContentLength
}
