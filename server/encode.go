package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/valyala/bytebufferpool"
)

// framing is how the end of a response's body is found (RFC 9112, section 6).
type framing uint8

const (
	framingNone framing = iota // there is no body
	framingLength
	framingChunked
	framingUntilClose
)

// output returns the buffer in which the core gathers what it hands out.
func (c *core) output() *bytebufferpool.ByteBuffer {
	if c.out == nil {
		c.out = c.local.loop.LendBuffer()
	}
	return c.out
}

// recycleOutput gives the buffer back: what was in it has been written.
func (c *core) recycleOutput() {
	if c.out != nil {
		c.local.loop.TakeBackBuffer(c.out)
		c.out = nil
	}
}

// statusHasNoBody says whether answers with this status never have a body (RFC
// 9110, section 6.4.1).
func statusHasNoBody(status int) bool { return status == 204 || status == 304 }

// withoutBody says whether the answer to this request has no body on the wire.
func (x *exchange) withoutBody(status int) bool {
	return statusHasNoBody(status) || x.parser.Head().Method == http.MethodHead
}

// encodeHead appends the head of r, whose body has length bytes, or -1 when that
// is not known, to the output. It decides the framing and whether the connection
// persists. A response that must not be sent is refused with an error, nothing of
// it having been written.
func (c *core) encodeHead(r *Response, length int64) error {
	x := c.exchange
	status := r.outline.status()
	if status < 200 || status > 999 {
		return fmt.Errorf("server: the response's status is %d, and must be from 200 to 999", status)
	}
	minor := x.parser.Head().Minor
	x.framing = chooseFraming(status, length, minor)
	x.keepAlive = x.persists(r) && x.framing != framingUntilClose
	if x.informational != nil {
		c.sendInformational()
	}
	if err := c.encodeFields(r); err != nil {
		return err
	}
	b := c.out.B
	switch x.framing {
	case framingLength:
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, length, 10)
		b = append(b, "\r\n"...)
	case framingChunked:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	switch {
	case !x.keepAlive:
		b = append(b, "Connection: close\r\n"...)
	case minor == 0:
		b = append(b, "Connection: keep-alive\r\n"...)
	}
	c.out.B = append(b, "\r\n"...)
	x.headSent, x.status = true, status
	return nil
}

func chooseFraming(status int, length int64, minor int) framing {
	switch {
	case statusHasNoBody(status):
		return framingNone
	case length >= 0:
		return framingLength
	case minor >= 1:
		return framingChunked
	}
	return framingUntilClose
}

// encodeFields appends the status line, the server's own fields, and those of r. The
// usual case, 200 with a text and no field of its own, is there as a block.
func (c *core) encodeFields(r *Response) error {
	out := c.output()
	if r.fields != nil {
		return c.encodeOwnFields(r)
	}
	if r.outline&(outlineStatus|hasText) == http.StatusOK|hasText {
		out.B = append(out.B, c.local.firstText...)
		return nil
	}
	if first, status := c.local.first, r.outline.status(); status == http.StatusOK {
		out.B = append(out.B, first...)
	} else {
		out.B = append(appendStatusLine(out.B, status), first[len(statusLineOK):]...)
	}
	if t := r.outline.contentType(); t != "" {
		out.B = appendField(out.B, Field{Name: "Content-Type", Value: t})
	}
	return nil
}

const statusLineOK = "HTTP/1.1 200 OK\r\n"

func appendStatusLine(b []byte, status int) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	return append(b, "\r\n"...)
}

// encodeOwnFields does what encodeFields does for a response that has fields of its own,
// which take the place of the server's Server and Date.
func (c *core) encodeOwnFields(r *Response) error {
	var room [8]Field
	fields := appendFields(room[:0], r.fields)
	var ownServer, ownDate bool
	for _, f := range fields {
		if err := checkField(f); err != nil {
			return err
		}
		switch {
		case strings.EqualFold(f.Name, "Server"):
			ownServer = true
		case strings.EqualFold(f.Name, "Date"):
			ownDate = true
		}
	}
	b := appendStatusLine(c.out.B, r.outline.status())
	if !ownServer {
		b = c.local.appendServer(b)
	}
	if !ownDate {
		b = c.local.appendDate(b)
	}
	if t := r.outline.contentType(); t != "" {
		b = appendField(b, Field{Name: "Content-Type", Value: t})
	}
	for _, f := range fields {
		b = appendField(b, f)
	}
	c.out.B = b
	return nil
}

func appendField(b []byte, f Field) []byte {
	b = append(b, f.Name...)
	b = append(b, ": "...)
	b = append(b, f.Value...)
	return append(b, "\r\n"...)
}

// encodeLastChunk ends a chunked body, with its trailers.
func (c *core) encodeLastChunk(trailers []Field) error {
	for _, f := range trailers {
		if err := checkTrailer(f); err != nil {
			return err
		}
	}
	out := c.output()
	out.B = append(out.B, "0\r\n"...)
	for _, f := range trailers {
		out.B = appendField(out.B, f)
	}
	out.B = append(out.B, "\r\n"...)
	return nil
}
