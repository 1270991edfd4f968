package client

import (
	"context"
	"net"
	"net/netip"
)

// A Resolver finds the addresses of a host. Resolve is called on a worker, for several hosts at
// once, and may block until ctx is cancelled; one that goes on blocking after that is left to
// itself. The host is a name in lower case, never an address.
//
// The addresses come in the order in which they are to be tried; those of the two families are
// mixed afterwards. An error that is a [net.DNSError] with IsNotFound says that there is no such
// host. After any other error, addresses that were found before may serve a little longer.
type Resolver interface {
	Resolve(ctx context.Context, host string) ([]netip.Addr, error)
}

// systemResolver resolves as the system is configured to.
type systemResolver struct{ names net.Resolver }

func (r *systemResolver) Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	return r.names.LookupNetIP(ctx, "ip", host)
}
