package main

import (
	"strconv"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/pool/bytebuffer"

	"github.com/penstock-go/penstock/bench/internal/service"
)

var greeting = []byte(service.Greeting)

// answer appends the answer to output, or begins what will answer.
func (c *connection) answer(conn gnet.Conn, output *bytebuffer.ByteBuffer, r request, body []byte) {
	switch string(r.method) {
	case "GET":
		switch string(r.target) {
		case "/":
			c.complete(output, r, service.TypeText, greeting)
			return
		case "/json":
			c.complete(output, r, service.TypeJSON, service.JSON())
			return
		case "/download":
			c.head(output, r, "200 OK", service.TypeBinary, service.DownloadLength)
			c.blocks = service.BlockCount
			return
		case "/block":
			c.wait(conn, r)
			return
		}
	case "POST":
		switch string(r.target) {
		case "/echo":
			c.complete(output, r, string(r.mediaType), body)
			return
		case "/upload": // of nothing
			c.uploaded(output, r)
			return
		}
	}
	c.head(output, r, "404 Not Found", service.TypeText, 0)
}

func (c *connection) complete(output *bytebuffer.ByteBuffer, r request, mediaType string, body []byte) {
	c.head(output, r, "200 OK", mediaType, len(body))
	output.B = append(output.B, body...)
}

// head appends the head of an answer to r.
func (c *connection) head(output *bytebuffer.ByteBuffer, r request, status, mediaType string, length int) {
	b := append(output.B, "HTTP/1.1 "...)
	b = append(b, status...)
	b = append(b, "\r\n"...)
	b = append(b, *c.server.fields.Load()...)
	b = append(b, "Content-Type: "...)
	b = append(b, mediaType...)
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	switch {
	case r.closes:
		b = append(b, "\r\nConnection: close"...)
		c.closes = true
	case r.old:
		b = append(b, "\r\nConnection: keep-alive"...)
	}
	output.B = append(b, "\r\n\r\n"...)
}

// wait answers from one of gnet's workers, after which the connection's next requests are looked at.
func (c *connection) wait(conn gnet.Conn, r request) {
	c.waiting = true
	err := c.server.workers.Submit(func() {
		service.Wait()
		var output bytebuffer.ByteBuffer
		answered := connection{server: c.server} // c is the loop's
		answered.complete(&output, r, service.TypeText, []byte(service.Done))
		_ = conn.AsyncWrite(output.B, func(conn gnet.Conn, err error) error {
			if err != nil {
				return err // the client has gone
			}
			c.waiting, c.closes = false, answered.closes
			return conn.Wake(nil)
		}) // fails when the engine ends
	})
	if err != nil {
		c.waiting, c.closes = false, true
	}
}
