package servertest

import (
	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop/looptest"
)

// A Client is the client's end of a connection to a [Server]. After each of its methods
// the server has done what it can do. Its end of the socket does not block; it is a Unix
// socket, so the server knows no address of it.
type Client struct {
	s        *Server
	fd       int    // -1 once it has left
	received string // and not been looked at
	ended    bool   // the server has ended its side
}

// Client connects a new client.
func (s *Server) Client() *Client {
	s.t.Helper()
	fd, peer := looptest.Socketpair(s.t)
	s.on(func() { s.server.Adopt(s.loop.Loop, fd) })
	s.Settle()
	return &Client{s: s, fd: peer}
}

// Send sends data, and returns how much of it has gone: less than all when the server does
// not read on and the socket is full, or when it has closed the connection.
func (c *Client) Send(data string) (sent int) {
	c.s.t.Helper()
	for sent < len(data) {
		n, err := unix.Write(c.fd, []byte(data[sent:]))
		if err != nil && err != unix.EAGAIN {
			break // the server has closed the connection
		}
		c.s.Settle()
		if n <= 0 {
			break
		}
		sent += n
	}
	return sent
}

// SendCut sends data cut into pieces at the given offsets, which are in order, each when
// the server has done what it can do with those before. Without offsets it sends byte by
// byte.
func (c *Client) SendCut(data string, cuts ...int) {
	c.s.t.Helper()
	if len(cuts) == 0 {
		for i := 1; i < len(data); i++ {
			cuts = append(cuts, i)
		}
	}
	begin := 0
	for _, end := range append(cuts, len(data)) {
		if begin > end || end > len(data) {
			c.s.t.Fatalf("%d bytes cannot be cut at %v; the offsets must be in order, and within the data", len(data), cuts)
		}
		c.Send(data[begin:end])
		begin = end
	}
}

// Receive returns the bytes that have come by now and that no call has returned yet.
func (c *Client) Receive() string {
	c.s.t.Helper()
	c.read()
	got := c.received
	c.received = ""
	return got
}

// read takes what has come, and reports whether that was anything.
func (c *Client) read() (any bool) {
	c.s.t.Helper()
	c.s.Settle()
	for c.fd >= 0 {
		more, ended := looptest.Receive(c.s.t, c.fd)
		c.received += more
		c.ended = c.ended || ended
		if more == "" {
			break
		}
		any = true
		c.s.Settle() // there is room for more
	}
	return any
}

// Ended reports whether the server has closed the connection, or its side of it, and
// everything that it has sent has been returned by Receive or in an answer.
func (c *Client) Ended() bool {
	c.s.t.Helper()
	c.read()
	return c.ended && c.received == ""
}

// Ask sends a request and returns its answer when it is complete, or when the server has
// closed the connection. What the server waits for on other goroutines is awaited; for what
// takes time there are Send, [Server.Advance] and [Client.Answer].
func (c *Client) Ask(r Request) *Result {
	c.s.t.Helper()
	return c.converse(string(r), r.method())
}

// Answer returns the next answer to what was sent before, which was not a HEAD request.
func (c *Client) Answer() *Result {
	c.s.t.Helper()
	return c.converse("", "GET")
}

func (c *Client) converse(unsent, method string) *Result {
	c.s.t.Helper()
	reader := newResultReader(method)
	exchange := func() bool {
		for moves := true; moves && !reader.ended(); {
			sent := c.Send(unsent)
			unsent = unsent[sent:]
			moves = c.read() || sent > 0
			reader.feed(c.received)
			if c.received = ""; c.ended {
				reader.feedEOF()
			}
		}
		return reader.ended()
	}
	if !c.s.await(exchange, c.s.patience) {
		c.s.t.Fatalf("an answer has not come within %v; so far: %+v; %s", c.s.patience, *reader.result(), c.s.waiting())
	}
	if reader.read.Status == 0 {
		c.s.t.Fatalf("there is no answer: %v", reader.err)
	}
	c.received = reader.rest
	return reader.result()
}

// CloseWrite ends the client's side: the server reads the end of the stream, and can still
// answer.
func (c *Client) CloseWrite() {
	c.s.t.Helper()
	if err := unix.Shutdown(c.fd, unix.SHUT_WR); err != nil {
		c.s.t.Fatalf("the client could not end its side: %v", err)
	}
	c.s.Settle()
}

// Reset leaves at once, in both directions. What the client has not read is lost.
func (c *Client) Reset() {
	c.s.t.Helper()
	if c.fd < 0 {
		return
	}
	if err := unix.Close(c.fd); err != nil {
		c.s.t.Fatalf("the client could not leave: %v", err)
	}
	c.fd = -1
	c.s.Settle()
}
