package server

import (
	"io"

	"github.com/penstock-go/penstock/loop"
)

// unwritten is the part of a segment that the socket has not taken yet. The core
// is not polled while there is any: that is all the back-pressure there is. Owned
// by the loop goroutine.
type unwritten struct {
	segment
	unacknowledged int // bytes in the kernel's send queue when last looked at
}

func (s *segment) size() int64 {
	return int64(len(s.head)+len(s.data)+len(s.tail)) + s.length
}

// write writes a segment, and keeps what the socket does not take. It returns
// whether all of it was written; if not, the turn is over.
func (c *conn) write(s *segment) bool {
	done, err := c.advance(s)
	switch {
	case err != nil:
		c.writeFailed(err)
		return false
	case done:
		return true
	}
	c.unwritten = c.core.local.lendUnwritten()
	c.unwritten.segment = *s
	c.phase = phaseWrite
	c.startWriteWindow()
	return false
}

// writeOn goes on with what was not written. It returns whether all of it was
// written; if not, the turn is over.
func (c *conn) writeOn() bool {
	before := c.unwritten.size()
	done, err := c.advance(&c.unwritten.segment)
	switch {
	case err != nil:
		c.writeFailed(err)
		return false
	case done:
		c.core.local.takeBackUnwritten(c.unwritten)
		c.unwritten = nil
		c.phase = phaseHandler
		return true
	}
	if c.unwritten.size() < before {
		c.startWriteWindow()
	}
	return false
}

// advance writes as much of s as the socket takes, and cuts it off. A pipe is given back as
// soon as nothing more is to be written from it.
func (c *conn) advance(s *segment) (done bool, err error) {
	for s.size() > 0 {
		var n int64
		switch {
		case len(s.head)+len(s.data)+len(s.tail) == 0 && s.pipe != nil:
			var spliced int
			spliced, err = c.socket.SpliceOut(s.pipe, int(s.length))
			n = int64(spliced)
			s.length -= n
		case len(s.head)+len(s.data)+len(s.tail) == 0:
			n, err = c.socket.SendFile(int(s.file.Fd()), s.offset, s.length)
			s.offset += n
			s.length -= n
		default:
			n, err = c.writeBytes(s)
			s.consume(int(n))
		}
		if err == loop.ErrAgain {
			return false, nil
		}
		if err != nil {
			c.core.local.release(s)
			return false, err
		}
	}
	c.core.local.release(s)
	return true, nil
}

func (c *conn) writeBytes(s *segment) (int64, error) {
	if len(s.data)+len(s.tail) == 0 {
		n, err := c.socket.Write(s.head)
		return int64(n), err
	}
	vectors := c.core.local.vectors[:0]
	for _, b := range [...][]byte{s.head, s.data, s.tail} {
		if len(b) > 0 {
			vectors = append(vectors, b)
		}
	}
	n, err := c.socket.Writev(vectors)
	clear(vectors)
	return int64(n), err
}

func (s *segment) consume(n int) {
	for _, b := range [...]*[]byte{&s.head, &s.data, &s.tail} {
		taken := min(n, len(*b))
		*b = (*b)[taken:]
		n -= taken
	}
}

// writeFailed ends a connection whose socket takes nothing any more, or whose
// file has ended before the range of it that was to be sent.
func (c *conn) writeFailed(err error) {
	reason := ReasonConnectionLost
	if err == io.ErrUnexpectedEOF {
		reason = ReasonResponseFailed
		c.core.local.options.Logger.Error("a response was cut after its head was sent: its file is too short")
	}
	c.socket.Reset()
	c.close(reason)
}

func (l *local) lendUnwritten() *unwritten {
	n := len(l.unwritten)
	if n == 0 {
		return new(unwritten)
	}
	u := l.unwritten[n-1]
	l.unwritten = l.unwritten[:n-1]
	return u
}

func (l *local) takeBackUnwritten(u *unwritten) {
	*u = unwritten{}
	if len(l.unwritten) < keptUnwritten {
		l.unwritten = append(l.unwritten, u)
	}
}
