package server

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

// repeating is a link that gives the same chunk whenever it is refilled.
type repeating struct {
	chunk []byte
	full  bool
}

func (l *repeating) Poll(pipeline.Waker) ([]byte, error) {
	if l.full {
		l.full = false
		return l.chunk, nil
	}
	return nil, pipeline.ErrPending
}

func (l *repeating) Release()                   {}
func (l *repeating) Forget()                    {}
func (l *repeating) Wake()                      {}
func (l *repeating) Close()                     {}
func (l *repeating) RemoteAddr() netip.AddrPort { return netip.AddrPort{} }
func (l *repeating) LocalAddr() netip.AddrPort  { return netip.AddrPort{} }

type nobody struct{}

func (nobody) Wake() {}

// BenchmarkCore is the whole way from the bytes of requests to the bytes of
// answers, without a socket. One operation is one request.
func BenchmarkCore(b *testing.B) {
	const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
	for name, batch := range map[string]int{"alone": 1, "pipelined16": 16} {
		b.Run(name, func(b *testing.B) {
			o := Options{Logger: slog.New(slog.DiscardHandler)}.withDefaults()
			local := newLocal(looptest.New(b).Loop, hello, &o, func() time.Time { return testEpoch })
			b.Cleanup(func() { local.loop.ClearTimer(&local.second) })
			var c core
			link := &repeating{chunk: []byte(strings.Repeat(request, batch))}
			c.local, c.link = local, link
			b.ReportAllocs()
			for n := 0; n < b.N; n += batch {
				for link.full = true; ; {
					if _, err := c.Poll(nobody{}); err != nil {
						break
					}
				}
			}
		})
	}
}
