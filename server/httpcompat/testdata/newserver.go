package newserver

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/penstock-go/penstock/server"
)

// penstockListener is where a test server seems to listen: it has the address of a Penstock server, takes
// no connection itself, and ends that server when it is closed.
type penstockListener struct {
	address net.Addr
	server  *server.Server
	closed  chan struct{}
	closing sync.Once
}

func (l *penstockListener) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l *penstockListener) Addr() net.Addr            { return l.address }

func (l *penstockListener) Close() error {
	l.closing.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is still open is cut
		_ = l.server.Shutdown(ctx)
		close(l.closed)
	})
	return nil
}

// newPenstockServer stands for httptest.NewServer.
func newPenstockServer(h http.Handler) *httptest.Server {
	s, err := server.New(server.FromHTTP(h), server.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	address, err := s.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go s.Serve()
	ts := httptest.NewUnstartedServer(h)
	ts.Listener.Close()
	ts.Listener = &penstockListener{address: address, server: s, closed: make(chan struct{})}
	ts.Start()
	return ts
}
