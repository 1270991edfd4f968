package server

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

// BenchmarkScript is a request with a body of 1 KiB that is read whole and sent back, written as stages and as a
// script, from the bytes of the request to those of the answer and without a socket.
func BenchmarkScript(b *testing.B) {
	const limit = 1 << 20
	asStages := func(r *Request) Response {
		return Later(pipeline.Map(pipeline.Collect(r.Body, limit), func(body []byte) (Response, error) {
			return Bytes(200, "", body), nil
		}))
	}
	asScript := func(r *Request) Response {
		return Script(r, func(co *pipeline.Co) Response {
			collected := pipeline.Collect(r.Body, limit)
			defer collected.Close()
			body, err := pipeline.Await(co, collected)
			if err != nil {
				return Fail(err)
			}
			return Bytes(200, "", body)
		})
	}
	request := []byte("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024))
	for _, c := range []struct {
		name    string
		handler Handler
	}{{"stages", asStages}, {"script", asScript}} {
		b.Run(c.name, func(b *testing.B) {
			o := Options{Logger: slog.New(slog.DiscardHandler)}.withDefaults()
			local := newLocal(looptest.New(b).Loop, c.handler, &o, func() time.Time { return testEpoch })
			b.Cleanup(func() {
				local.loop.ClearTimer(&local.second)
				local.stacks.Close()
			})
			var c core
			link := &repeating{chunk: request}
			c.local, c.link = local, link
			b.ReportAllocs()
			for range b.N {
				for link.full = true; ; {
					if _, err := c.Poll(nobody{}); err != nil {
						break
					}
				}
			}
		})
	}
}
