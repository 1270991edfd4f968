package loop

import (
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// RemoteAddr asks the kernel for the peer's address. An IPv4 peer of a dual-stack
// listener has its IPv4 address. A Unix socket has the zero AddrPort and no error.
//
// accept4(2) could have told it for nothing, but then it would have to be kept with each
// connection: 18 bytes, which lift a connection of 216 from the allocator's class of 224
// bytes into that of 240, idle or not. Asking costs one call without a wait, and only those
// who ask; who asks again and again for the same connection keeps the answer.
func (s *Socket) RemoteAddr() (netip.AddrPort, error) {
	if !s.open {
		return netip.AddrPort{}, ErrClosed
	}
	address, err := unix.Getpeername(int(s.fd))
	if err != nil {
		return netip.AddrPort{}, s.failed("ask for the peer's address of", err)
	}
	return addrPortOf(address), nil
}

// LocalAddr asks the kernel for the address on which the peer reached us, in the same
// form as RemoteAddr.
func (s *Socket) LocalAddr() (netip.AddrPort, error) {
	if !s.open {
		return netip.AddrPort{}, ErrClosed
	}
	address, err := unix.Getsockname(int(s.fd))
	if err != nil {
		return netip.AddrPort{}, s.failed("ask for the local address of", err)
	}
	return addrPortOf(address), nil
}

func addrPortOf(address unix.Sockaddr) netip.AddrPort {
	switch a := address.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(a.Addr).Unmap()
		if a.ZoneId != 0 {
			ip = ip.WithZone(zoneName(a.ZoneId))
		}
		return netip.AddrPortFrom(ip, uint16(a.Port))
	}
	return netip.AddrPort{}
}

// zoneName is the name of a network interface, or its number if it has gone.
func zoneName(index uint32) string {
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(index), 10)
}

// zoneIndex is the other way round; zero when there is no such interface.
func zoneIndex(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	n, err := strconv.ParseUint(zone, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}
