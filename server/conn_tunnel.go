package server

import "github.com/penstock-go/penstock/loop"

// What a connection does for a tunnel whose own side has ended.

// endOutput sends FIN behind the last byte, once, and begins a time in which what the client
// sends has to be read by somebody.
func (c *conn) endOutput() {
	if c.phase == phaseHalfClosed {
		return
	}
	if c.socket.CloseWrite() != nil {
		c.close(ReasonConnectionLost)
		return
	}
	c.phase = phaseHalfClosed
	c.startReadWindow()
}

// startReadWindow begins a time in which a chunk of the input has to be read.
func (c *conn) startReadWindow() {
	c.core.tunnel().moved = false
	c.setDeadline(c.core.local.options.LingerTimeout)
}

// readExpired ends a window: the input was read, and the next begins, or nobody wants it.
func (c *conn) readExpired() {
	if c.core.tunnel().moved {
		c.startReadWindow()
		return
	}
	c.close(ReasonAnswered)
}

// halfClosedEvent tells the reader of the input. When both sides have ended, the kernel calls
// the connection broken, and there may be bytes in front of the client's end all the same.
func (c *conn) halfClosedEvent(r loop.Readiness) {
	if r&(loop.Readable|loop.HalfClosed|loop.Broken) != 0 {
		c.inputArrived()
	}
}
