package client

import (
	"fmt"
	"io"
	"strconv"

	"github.com/valyala/bytebufferpool"

	"github.com/penstock-go/penstock/pipeline"
)

// sender is the side of a connection that writes: the head of a request, then its body, piece by
// piece as the upstream takes them.
//
//	silent ─▶ awaits continue ─▶ body ─▶ silent
//	   │            └────────────────────▶ │
//	   └─▶ (no body) ──────────────────────┘        tunnel ─▶ ending ─▶ silent
//
// Rules:
//
//  1. What was gathered goes out before anything else is polled: the kernel's send buffer is
//     the only queue.
//  2. The body's source is polled in the connection's turns only, so that it may take as long
//     as it likes and is never polled by who reads the response.
//  3. A failure to write is not the end: the upstream may have answered before it stopped
//     reading. Nothing more is sent, and who reads finds out.
//  4. A chunk that goes out from where it lies is the source's: before that is closed it is dropped.
//
// Owned by the loop goroutine.
type sender struct {
	out          *bytebufferpool.ByteBuffer // gathered and not written yet, from written on; nil when there is nothing
	data         []byte                     // goes out behind out from where it lies
	source       pipeline.Source[[]byte]    // of the body; nil when there is none, or no more
	left         int64                      // of a declared length, what source has not given yet
	written      int32                      // bytes of out that are
	state        senderState
	tail         uint8 // bytes of the CR LF behind data that are still to go out
	chunked      bool
	waitsForRoom bool // in the send buffer
	broken       bool // nothing can be written any more
	begun        bool // something was written
	polled       bool // the source was
}

type senderState uint8

const (
	senderSilent         senderState = iota // all has been gathered, or nothing is to be sent
	senderAwaitsContinue                    // before the body
	senderBody
	senderTunnel
	senderEnding // the tunnel has ended, and the upstream is told when all has been written
)

const (
	// referenceSize is the size from which data is written from where it lies.
	referenceSize = 8 << 10
	// gatherSize is how much of a body is gathered before it is written.
	gatherSize = 16 << 10
	// turnChunks is how many chunks are gathered without a write, many of which may be empty.
	turnChunks = 256
	// turnWrites is what a connection sends in one turn before the others have theirs.
	turnWrites = 256 << 10
)

var crlf = []byte("\r\n")

// complete says whether all of the request has been written.
func (s *sender) complete() bool { return s.state == senderSilent && s.out == nil && !s.broken }

// begin has the request of a call sent. Without a body, it is written at once.
func (c *conn) begin() {
	call, s := c.call, &c.sender
	r := call.request
	*s = sender{out: c.pool.local.loop.LendBuffer()}
	s.out.B = appendHead(s.out.B, r, c.pool.upstream.authority)
	if r.Body == nil || call.bodyTaken {
		c.send()
		return
	}
	call.bodyTaken = true
	s.source, s.left, s.chunked, s.state = r.Body, r.Length, r.Length < 0, senderBody
	if r.expectsContinue() {
		s.state = senderAwaitsContinue
	}
	c.Wake()
}

// goOn sends the body that has waited for 100 (Continue).
func (c *conn) goOn() {
	if c.sender.state == senderAwaitsContinue {
		c.sender.state = senderBody
		c.call.readDeadline = 0
		c.Wake()
	}
}

// gather polls the body until there is enough to be written, or nothing for now, or no more.
func (c *conn) gather() {
	s := &c.sender
	if s.source == nil || s.state == senderAwaitsContinue {
		return
	}
	if s.out == nil {
		s.out = c.pool.local.loop.LendBuffer()
	}
	for range turnChunks {
		s.polled = true
		chunk, err := s.source.Poll(c)
		switch {
		case s.source == nil:
			return // the call was closed in Poll
		case err == io.EOF:
			c.endBody()
			return
		case err != nil && err != pipeline.ErrPending:
			c.bodyFailed(err)
			return
		case err == nil && !c.appendChunk(chunk):
			continue
		}
		c.returnEmpty()
		return
	}
	c.returnEmpty()
	c.Wake()
}

// returnEmpty gives the buffer back if there is nothing in it.
func (c *conn) returnEmpty() {
	if s := &c.sender; s.out != nil && len(s.out.B) == 0 && len(s.data) == 0 {
		c.pool.local.loop.TakeBackBuffer(s.out)
		s.out = nil
	}
}

// appendChunk gathers one chunk of the body with its framing, and says whether it is time to write.
func (c *conn) appendChunk(chunk []byte) (full bool) {
	s := &c.sender
	if len(chunk) == 0 {
		return false // an empty chunk would end a chunked body
	}
	if s.left -= int64(len(chunk)); s.state == senderBody && !s.chunked && s.left < 0 {
		c.bodyFailed(fmt.Errorf("client: the body of the request gave more than the %d bytes that its length declares", c.call.request.Length))
		return true
	}
	if s.chunked {
		s.out.B = append(strconv.AppendInt(s.out.B, int64(len(chunk)), 16), crlf...)
	}
	if len(chunk) >= referenceSize {
		if s.data = chunk; s.chunked {
			s.tail = uint8(len(crlf))
		}
		return true
	}
	s.out.B = append(s.out.B, chunk...)
	if s.chunked {
		s.out.B = append(s.out.B, crlf...)
	}
	return len(s.out.B) >= gatherSize
}

// endBody is the end of the body's source.
func (c *conn) endBody() {
	s := &c.sender
	switch {
	case s.state == senderTunnel:
		s.state = senderEnding
	case !s.chunked && s.left > 0:
		c.bodyFailed(fmt.Errorf("client: the body of the request ended %d bytes before the %d that its length declares", s.left, c.call.request.Length))
		return
	case s.chunked && !c.appendLastChunk():
		return
	default:
		s.state = senderSilent
	}
	if c.returnEmpty(); s.out == nil {
		c.allWritten()
	}
	c.stopBody()
}

// appendLastChunk gathers the end of a chunked body with its trailer section (RFC 9112, section 7.1).
// It returns false if the call has ended instead.
func (c *conn) appendLastChunk() bool {
	s := &c.sender
	s.out.B = append(s.out.B, "0\r\n"...)
	if trailers := c.call.request.Trailers; trailers != nil {
		fields := trailers()
		if s.source == nil {
			return false // the call was closed there
		}
		for i := range fields {
			if err := checkField(&fields[i]); err != nil {
				c.bodyFailed(err)
				return false
			}
			s.out.B = appendField(s.out.B, fields[i].Name, fields[i].Value)
		}
	}
	s.out.B = append(s.out.B, crlf...)
	s.state = senderSilent
	return true
}

// bodyFailed ends the call because its body failed. The upstream has to see that the request
// was cut, so the connection is reset.
func (c *conn) bodyFailed(err error) {
	c.sender.broken = true
	c.call.fail(err)
}

// stopBody closes the body's source: it has ended, or no more of it is wanted.
func (c *conn) stopBody() {
	if source := c.sender.source; source != nil {
		c.sender.source = nil
		source.Close()
	}
}

// stopSending drops what was not written: it cannot be, or nobody wants it. The connection
// ends with the answer, since the upstream does not know where the next request would begin.
func (c *conn) stopSending() {
	if call := c.call; call != nil {
		call.writeDeadline = 0
	}
	c.abandon()
}

// abandon gives up whatever was to be sent.
func (c *conn) abandon() {
	s := &c.sender
	if s.out != nil {
		c.pool.local.loop.TakeBackBuffer(s.out)
	}
	*s = sender{source: s.source, broken: true, begun: s.begun, polled: s.polled}
	c.stopBody()
}
