package client

import "github.com/penstock-go/penstock/loop"

// How a connection writes what its sender has gathered.

// send gathers and writes until nothing can be written, or the share of one turn is used up.
func (c *conn) send() {
	s := &c.sender
	for total := 0; total < turnWrites; {
		if !s.waitsForRoom {
			c.gather()
		}
		if s.out == nil {
			return
		}
		n, done := c.flush()
		if total += n; !done {
			return
		}
	}
	c.Wake()
}

// flush writes what was gathered, and says whether all of it has gone.
func (c *conn) flush() (n int, done bool) {
	s := &c.sender
	vectors := c.pool.local.vectors[:0]
	vectors = append(vectors, s.out.B[s.written:])
	if len(s.data) > 0 {
		vectors = append(vectors, s.data)
	}
	if s.tail > 0 {
		vectors = append(vectors, crlf[len(crlf)-int(s.tail):])
	}
	n, err := c.transport.Writev(vectors)
	clear(vectors)
	if n > 0 {
		s.begun = true
		c.call.moved()
	}
	switch done = s.consume(n); {
	case err != nil && err != loop.ErrAgain:
		c.writingFailed()
		return n, false
	case !done:
		s.waitsForRoom = true
		c.call.awaitRoom()
		return n, false
	}
	s.waitsForRoom, s.data, s.written = false, nil, 0
	c.pool.local.loop.TakeBackBuffer(s.out)
	s.out = nil
	c.allWritten()
	return n, true
}

// consume cuts n bytes off what was gathered, and says whether nothing is left.
func (s *sender) consume(n int) bool {
	k := min(n, len(s.out.B)-int(s.written))
	s.written += int32(k)
	n -= k
	k = min(n, len(s.data))
	s.data = s.data[k:]
	s.tail -= uint8(n - k)
	return int(s.written) == len(s.out.B) && len(s.data) == 0 && s.tail == 0
}

// allWritten: what was gathered has gone, which may have been the end.
func (c *conn) allWritten() {
	switch s := &c.sender; s.state {
	case senderSilent:
		c.call.requestSent()
	case senderAwaitsContinue:
		c.call.awaitContinue()
	case senderEnding:
		s.state = senderSilent
		if err := c.transport.CloseWrite(); err != nil {
			s.broken = true
			c.call.fail(c.call.failure(ErrUpstream, err))
			return
		}
		c.call.upEnded()
	}
}

// writingFailed has who reads find out what has become of the connection.
func (c *conn) writingFailed() {
	call, inTunnel := c.call, c.sender.state == senderTunnel || c.sender.state == senderEnding
	call.requestSent()
	call.wake()
	c.stopSending()
	if inTunnel && call.state == callAnswered {
		call.upEnded()
	}
}
