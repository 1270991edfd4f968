// Command gnet is the server on gnet that Penstock is measured against; ../README.md says what it
// answers. gnet is an engine for TCP: the little HTTP/1.1 that the measurements need is written on
// it here, and would not do for a server that strangers reach.
//
// As gnet's documentation recommends it runs a loop for each processor, with a listener each
// (SO_REUSEPORT), and hands blocking work to gnet's pool of goroutines, which answers by AsyncWrite.
// It has no router, and so no routes but those of the service.
package main

import (
	"fmt"
	"log"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/panjf2000/gnet/v2"
	"github.com/panjf2000/gnet/v2/pkg/pool/goroutine"
	"go.uber.org/zap"

	"github.com/penstock-go/penstock/bench/internal/service"
)

// A server is what all connections share. It is used by all loops.
type server struct {
	gnet.BuiltinEventEngine
	address string
	block   []byte
	workers *goroutine.Pool
	fields  atomic.Pointer[[]byte] // the fields Server and Date, made once a second
}

func main() {
	arguments := service.Start()
	s := &server{address: arguments.Address, block: service.Block(), workers: goroutine.Default()}
	s.OnTick()
	log.Fatal(gnet.Run(s, "tcp4://"+arguments.Address,
		gnet.WithNumEventLoop(runtime.GOMAXPROCS(0)),
		gnet.WithReusePort(true),
		gnet.WithTicker(true),
		gnet.WithLogger(zap.NewNop().Sugar()), // it logs each connection that a client resets
	))
}

// OnBoot is called when the listeners are there.
func (s *server) OnBoot(gnet.Engine) gnet.Action {
	service.Announce(s.address)
	return gnet.None
}

func (s *server) OnTick() (time.Duration, gnet.Action) {
	fields := fmt.Appendf(nil, "Server: gnet\r\nDate: %s\r\n", time.Now().UTC().Format(http.TimeFormat))
	s.fields.Store(&fields)
	return time.Second, gnet.None
}

func (s *server) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	c.SetContext(&connection{server: s})
	return nil, gnet.None
}

func (s *server) OnTraffic(c gnet.Conn) gnet.Action {
	return c.Context().(*connection).serve(c)
}
