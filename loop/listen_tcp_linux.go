package loop

import (
	"errors"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Sharing a port.
//
// Each loop has its own socket on the port, with SO_REUSEPORT (socket(7)), and the kernel
// spreads connections over them. If all of them were bound with that option, a second
// process of the same user could bind to the port as well and silently take a share of
// the connections. So the first socket is bound without it, which fails when the port is
// taken, and is given the option only then; the others find a socket that shares, and
// join it.

func listenTCP(network, address string, loops []*Loop, accept func(*Loop, int)) (*Listener, error) {
	resolved, err := net.ResolveTCPAddr(network, address)
	if err != nil {
		return nil, err
	}
	endpoint, v6Only := endpointOf(network, resolved)
	fds, bound, err := listenTCPSockets(endpoint, v6Only, len(loops))
	if isWithoutIPv6(err) && network == "tcp" && resolved.IP == nil {
		// No host was named and IPv6 is switched off: every IPv4 address it is.
		fds, bound, err = listenTCPSockets(&unix.SockaddrInet4{Port: resolved.Port}, 0, len(loops))
	}
	if err != nil {
		return nil, err
	}
	ln := &Listener{address: net.TCPAddrFromAddrPort(addrPortOf(bound))}
	for i, l := range loops {
		ln.acceptors = append(ln.acceptors, newAcceptor(l, fds[i], func(fd int) { l.handOver(fd, accept) }))
	}
	return ln, nil
}

// listenTCPSockets makes count sockets on one port, all of them or none, and says where
// they are bound.
func listenTCPSockets(endpoint unix.Sockaddr, v6Only, count int) (fds []int, bound unix.Sockaddr, err error) {
	for len(fds) < count && err == nil {
		var fd int
		if fd, err = listenTCPSocket(endpoint, v6Only, len(fds), count); err != nil {
			break
		}
		fds = append(fds, fd)
		// From the second on, the port that the first was given.
		endpoint, err = unix.Getsockname(fd)
	}
	if err != nil {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
		return nil, nil, err
	}
	return fds, endpoint, nil
}

// listenTCPSocket makes the socket of the loop with the given index out of count.
func listenTCPSocket(endpoint unix.Sockaddr, v6Only, index, count int) (int, error) {
	family := unix.AF_INET
	if _, ok := endpoint.(*unix.SockaddrInet6); ok {
		family = unix.AF_INET6
	}
	return listeningSocket(family, func(fd int) error {
		type option struct{ level, name, value int }
		options := []option{
			{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1}, // connections of an earlier run do not keep the port
			{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1}, // accepted sockets inherit it
		}
		if family == unix.AF_INET6 {
			options = append(options, option{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, v6Only})
		}
		share := option{unix.SOL_SOCKET, unix.SO_REUSEPORT, 1}
		if index > 0 {
			options = append(options, share)
		}
		for _, o := range options {
			if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
				return os.NewSyscallError("setsockopt", err)
			}
		}
		if err := unix.Bind(fd, endpoint); err != nil {
			return os.NewSyscallError("bind", err)
		}
		if index == 0 && count > 1 {
			return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, share.level, share.name, share.value))
		}
		return nil
	})
}

// endpointOf chooses the family as net.Listen does: a host that is missing, or "::", on
// "tcp" means both families, through one IPv6 socket.
func endpointOf(network string, address *net.TCPAddr) (endpoint unix.Sockaddr, v6Only int) {
	if v4 := address.IP.To4(); v4 != nil || network == "tcp4" {
		e := &unix.SockaddrInet4{Port: address.Port}
		copy(e.Addr[:], v4)
		return e, 0
	}
	e := &unix.SockaddrInet6{Port: address.Port, ZoneId: zoneIndex(address.Zone)}
	copy(e.Addr[:], address.IP.To16())
	if network == "tcp6" {
		v6Only = 1
	}
	return e, v6Only
}

// isWithoutIPv6 reports whether err says that this machine has no IPv6.
func isWithoutIPv6(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL)
}
