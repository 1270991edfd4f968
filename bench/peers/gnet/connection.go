package main

import (
	"context"
	"strconv"
	"time"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/pool/bytebuffer"

	"github.com/penstock-go/penstock/bench/internal/service"
)

const (
	// highWater is how many bytes gnet may hold that the socket has not taken.
	highWater = 1 << 20
	// drainCheck is how long to wait until what the socket has taken is looked at again: gnet
	// does not tell when its buffer has drained.
	drainCheck = time.Millisecond
)

// A connection is the state of one, between two calls of serve. It is owned by the loop.
type connection struct {
	server    *server
	request   request // of an upload whose body arrives; its slices are not used any more
	arriving  int     // bytes left of that body
	blocks    int     // left of a download
	waiting   bool    // for blocking work
	checks    bool    // a drainCheck is under way
	continued bool    // 100 (Continue) was sent for the request that is not complete
	closes    bool    // when all is sent
}

// serve answers what has arrived, in one write, as far as it can. gnet calls it when something
// has come, and when it was woken.
func (c *connection) serve(conn gnet.Conn) gnet.Action {
	if action, done := c.goOn(conn); !done {
		return action
	}
	data, err := conn.Peek(-1)
	if err != nil || len(data) == 0 {
		return gnet.None
	}
	output := bytebuffer.Get()
	defer bytebuffer.Put(output)
	rest := data
	for len(rest) > 0 && !c.waiting && c.blocks == 0 && !c.closes {
		taken, err := c.take(conn, output, rest)
		if err != nil {
			output.WriteString("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			c.closes = true
		}
		if taken == 0 {
			break
		}
		rest = rest[taken:]
	}
	if len(output.B) > 0 {
		if _, err := conn.Write(output.B); err != nil {
			return gnet.Close
		}
	}
	if len(rest) < len(data) { // of nothing, Discard would discard all
		if _, err := conn.Discard(len(data) - len(rest)); err != nil {
			return gnet.Close
		}
	}
	action, _ := c.goOn(conn)
	return action
}

// goOn sends on a download, and closes the connection when its last answer is out. done says
// that the next request may be looked at.
func (c *connection) goOn(conn gnet.Conn) (action gnet.Action, done bool) {
	for c.blocks > 0 && conn.OutboundBuffered() < highWater {
		if _, err := conn.Write(c.server.block); err != nil {
			return gnet.Close, false
		}
		c.blocks--
	}
	unsent := c.blocks > 0 || c.closes && conn.OutboundBuffered() > 0
	if unsent {
		c.checkSoon(conn)
		return gnet.None, false
	}
	if c.closes {
		return gnet.Close, false
	}
	return gnet.None, !c.waiting
}

// checkSoon has serve called after drainCheck.
func (c *connection) checkSoon(conn gnet.Conn) {
	if c.checks {
		return
	}
	c.checks = true
	loop := conn.EventLoop()
	time.AfterFunc(drainCheck, func() {
		_ = loop.Execute(context.Background(), gnet.RunnableFunc(func(context.Context) error {
			c.checks = false
			return conn.Wake(nil)
		})) // fails when the engine ends
	})
}

// take takes what it can of the bytes, appends what is answered at once, and returns how many it
// took: 0 when more must come.
func (c *connection) take(conn gnet.Conn, output *bytebuffer.ByteBuffer, data []byte) (int, error) {
	if c.arriving > 0 {
		taken := min(c.arriving, len(data))
		if c.arriving -= taken; c.arriving == 0 {
			c.uploaded(output, c.request)
		}
		return taken, nil
	}
	r, found, err := parseRequest(data)
	if err != nil || !found {
		return 0, err
	}
	isUpload := string(r.method) == "POST" && string(r.target) == "/upload"
	if r.bodyLength > service.MaxUpload || !isUpload && r.bodyLength > service.MaxEcho {
		return 0, errRequest
	}
	if r.expects && !c.continued {
		output.WriteString("HTTP/1.1 100 Continue\r\n\r\n")
		c.continued = true
	}
	if isUpload && r.bodyLength > 0 {
		c.request, c.arriving, c.continued = r, r.bodyLength, false
		return r.headLength, nil
	}
	end := r.headLength + r.bodyLength
	if len(data) < end {
		return 0, nil
	}
	c.continued = false
	c.answer(conn, output, r, data[r.headLength:end])
	return end, nil
}

func (c *connection) uploaded(output *bytebuffer.ByteBuffer, r request) {
	c.complete(output, r, service.TypeText, strconv.AppendInt(nil, int64(r.bodyLength), 10))
}
