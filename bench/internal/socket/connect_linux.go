// Package socket makes the non-blocking client sockets of the programs that hold thousands of
// connections.
package socket

import (
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Connect begins a connection to the server, an IPv4 address, and does not wait for it: the
// descriptor becomes writable when it is there. prepare, when not nil, sets what must be set
// before that. The caller closes the descriptor, which resets the connection.
func Connect(server netip.AddrPort, prepare func(fd int) error) (fd int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("no socket: %w", err)
	}
	// Closed by RST: thousands of ports in TIME_WAIT would be missing to the next round.
	err = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	if err == nil && prepare != nil {
		err = prepare(fd)
	}
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: server.Addr().As4(), Port: int(server.Port())})
	}
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		unix.Close(fd)
		return 0, fmt.Errorf("no connection to %v: %w", server, err)
	}
	return fd, nil
}

// ParseServer reads the host:port of a server, as Connect takes it.
func ParseServer(address string) (netip.AddrPort, error) {
	server, err := netip.ParseAddrPort(address)
	if err != nil || !server.Addr().Is4() {
		return netip.AddrPort{}, fmt.Errorf("-addr is %q, expected an IPv4 address and a port", address)
	}
	return server, nil
}
