package client

import (
	"net/netip"

	"github.com/penstock-go/penstock/loop"
)

// A dialAttempt is a connection to one address on its way. It is told of its socket's events until the
// connection is there; then the connection is. Owned by the loop goroutine.
type dialAttempt struct {
	dial    *dial
	conn    *conn
	address *netip.Addr // nil for a Unix socket
	number  int         // in the race
}

// attempt begins an attempt. An error means that there is none.
func (d *dial) attempt(number int, address *netip.Addr) error {
	a := &dialAttempt{dial: d, conn: newConn(d.pool), address: address, number: number}
	if err := d.pool.upstream.client.connect(a); err != nil {
		return err
	}
	d.attempts[number] = a
	return nil
}

// connectSocket is how a client begins an attempt, but in tests.
func connectSocket(a *dialAttempt) error {
	u, l := a.dial.pool.upstream, a.dial.pool.local.loop
	if a.address == nil {
		return a.conn.socket.ConnectUnix(l, u.host, a)
	}
	return a.conn.socket.ConnectTCP(l, netip.AddrPortFrom(*a.address, u.port), a)
}

// SocketEvent is called by the loop until the attempt is over.
func (a *dialAttempt) SocketEvent(loop.Readiness) {
	err := a.conn.socket.Connected()
	if err == loop.ErrAgain {
		return
	}
	a.conn.socket.SetHandler(a.conn)
	a.dial.attemptOver(a, err)
}
