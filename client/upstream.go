package client

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// An Upstream is a server that requests are sent to. Any goroutine may use it where a method does not
// say otherwise.
type Upstream struct {
	client     *Client
	address    string     // as it was given
	key        string     // the same for the same server
	authority  string     // of the Host field
	network    string     // "tcp" or "unix"
	host       string     // name or address, or the path of the socket
	literal    netip.Addr // host as an address, if it is one
	port       uint16
	index      int         // in the pools of a local
	preferIPv4 atomic.Bool // that is how it was reached last
	slots      slots
}

// Do returns the response to a request as a source of one value, and then io.EOF. The request is
// begun when the source is first polled. Closing the source before it has given the response
// cancels the request.
//
// Do is called on the goroutine of l, and so are the methods of what it returns.
func (u *Upstream) Do(l *loop.Loop, r *Request) pipeline.Source[*Response] {
	return newCall(u.client.local(l).pool(u), r)
}

func parseAddress(address string) (*Upstream, error) {
	if path, found := strings.CutPrefix(address, "unix:"); found {
		if path == "" {
			return nil, errors.New("client: the upstream \"unix:\" has no path")
		}
		return &Upstream{address: address, key: address, network: "unix", host: path, authority: "localhost"}, nil
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("client: the upstream %q is no URL: %w", address, err)
	}
	switch {
	case parsed.Scheme == "https":
		return nil, fmt.Errorf("client: the upstream %q is to be spoken to with TLS, which is not supported; only http is", address)
	case parsed.Scheme != "http" || parsed.Hostname() == "":
		return nil, fmt.Errorf("client: the upstream %q is neither http://host:port nor unix:/path", address)
	case parsed.User != nil || parsed.Path != "" && parsed.Path != "/" || parsed.RawQuery != "" || parsed.Fragment != "":
		return nil, fmt.Errorf("client: the upstream %q has more than a host and a port", address)
	}
	port, err := parsePort(parsed.Port())
	if err != nil {
		return nil, fmt.Errorf("client: the upstream %q: %w", address, err)
	}
	u := &Upstream{address: address, network: "tcp", host: parsed.Hostname(), port: port, authority: parsed.Host}
	u.key = strings.ToLower(u.host) + " " + strconv.Itoa(int(port))
	if literal, err := netip.ParseAddr(u.host); err == nil {
		u.literal = literal.Unmap()
	}
	return u, nil
}

// parsePort reads the port of a URL; "" is 80.
func parsePort(text string) (uint16, error) {
	if text == "" {
		return 80, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("the port is %q, and must be from 1 to 65535", text)
	}
	return uint16(port), nil
}
