package server

import (
	"bytes"
	"fmt"
	"net"
	"os"
)

// Hijack is a response that sends nothing and takes the connection away from the server:
// when what was answered before has been written, f is called on a goroutine of its own
// with the connection and with the bytes that the client has sent behind the request's head and that
// nobody has read. From then on the connection is f's, which closes it. When the connection has
// ended before, or could not be taken out of the loop, err is not nil and conn is nil.
//
// f is called once for a response that the server was given; one that a [Later] gives when
// the client has gone is none.
func Hijack(f func(conn net.Conn, unread []byte, err error)) Response {
	return Response{outline: kindHijack, flow: withExtra(-1, flowExtra{hijack: f})}
}

// handover is a connection on its way to whom it was given.
type handover struct {
	take   func(net.Conn, []byte, error)
	unread []byte
}

// respondHijack ends the core so that its connection is handed over.
func (c *core) respondHijack(r *Response) progress {
	x := c.exchange
	x.keepAlive = false
	h := handover{r.flow.extra.hijack, bytes.Clone(x.parser.Rest())}
	c.local.handovers[c] = h
	p := c.end(ReasonHijacked, errAnswered)
	c.ending = endsByHandover
	return p
}

// refuseHandover tells who waits for the connection that it does not come.
func (c *core) refuseHandover(err error) {
	if h, found := c.local.handovers[c]; found {
		delete(c.local.handovers, c)
		go h.take(nil, nil, err)
	}
}

// handOver takes the connection out of the server and gives it away.
func (c *conn) handOver() {
	local := c.core.local
	h := local.handovers[&c.core]
	delete(local.handovers, &c.core)
	fd, err := c.socket.Detach()
	c.close(ReasonHijacked)
	if err != nil {
		go h.take(nil, nil, err)
		return
	}
	go func() {
		file := os.NewFile(uintptr(fd), "hijacked connection")
		conn, err := net.FileConn(file)
		if closeErr := file.Close(); err == nil && closeErr != nil { // FileConn has a descriptor of its own
			err = closeErr
		}
		if err != nil {
			h.take(nil, nil, fmt.Errorf("server: the hijacked connection could not be handed over: %w", err))
			return
		}
		h.take(conn, h.unread, nil)
	}()
}
