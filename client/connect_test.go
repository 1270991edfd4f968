package client

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A namedWorld is a world whose upstream has a name, which the test resolves.
type namedWorld struct {
	*poolWorld
	questions []func() // that workers have been given
	addresses []netip.Addr
	err       error
}

func newNamedWorld(t *testing.T, o Options, addresses ...string) *namedWorld {
	n := &namedWorld{}
	for _, a := range addresses {
		n.addresses = append(n.addresses, netip.MustParseAddr(a))
	}
	n.poolWorld = newWorldFor(t, 1, o, "http://upstream.example:8080")
	n.client.names = newNameCache(nameOptions{resolver: n, executor: n, after: func(time.Duration, func()) func() bool {
		return func() bool { return true }
	}})
	return n
}

func (n *namedWorld) Submit(question func()) error {
	n.questions = append(n.questions, question)
	return nil
}

func (n *namedWorld) Resolve(context.Context, string) ([]netip.Addr, error) {
	return n.addresses, n.err
}

// answer has the resolver answer what it was asked.
func (n *namedWorld) answer() {
	for _, question := range n.questions {
		question()
	}
	n.questions = nil
	n.settle()
}

// wantDialed checks which addresses are being connected to.
func (n *namedWorld) wantDialed(why string, want ...string) {
	n.t.Helper()
	var got []string
	for _, a := range n.upAttempts() {
		got = append(got, a.address.String())
	}
	if len(got) != len(want) {
		n.t.Fatalf("%s: %q are being connected to, and should be %q", why, got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			n.t.Errorf("%s: %q are being connected to, and should be %q", why, got, want)
		}
	}
}

func TestNameIsResolvedOnce(t *testing.T) {
	n := newNamedWorld(t, Options{}, "192.0.2.1")
	first, second := n.begin(0), n.begin(0)
	n.wantDialed("nobody knows the address yet")
	if len(n.questions) != 1 {
		t.Errorf("the resolver was asked %d times for two requests; it should be once", len(n.questions))
	}
	n.answer()
	n.wantDialed("both are connecting", "192.0.2.1", "192.0.2.1")
	wire := n.succeed(0)
	first.wantOn("its connection was made", wire)
	if at := wire.conn.pool.info(wire.conn).Remote; at != netip.MustParseAddrPort("192.0.2.1:8080") {
		t.Errorf("the hooks are told that the connection is to %v; it should be 192.0.2.1:8080", at)
	}
	second.wantWaiting("its own is still on its way")
	n.begin(0)
	n.wantDialed("the address is known by now", "192.0.2.1", "192.0.2.1")
}

func TestAddressesRace(t *testing.T) {
	n := newNamedWorld(t, Options{}, "192.0.2.1", "2001:db8::1", "192.0.2.2")
	c := n.begin(0)
	n.answer()
	n.wantDialed("IPv6 is first", "2001:db8::1")
	n.advance(defaultRaceDelay)
	n.wantDialed("it is slow", "2001:db8::1", "192.0.2.1")
	n.fail(0, unix.ENETUNREACH)
	n.wantDialed("it has failed, and the next takes its place", "192.0.2.1", "192.0.2.2")
	wire := n.succeed(0)
	c.wantOn("an address was connected to", wire)
	n.wantDialed("the others were given up")
	n.begin(0)
	n.wantDialed("IPv4 has won, and is first from now on", "192.0.2.1")
}

func TestAllAddressesFail(t *testing.T) {
	n := newNamedWorld(t, Options{}, "192.0.2.1", "192.0.2.2")
	c := n.begin(0)
	n.answer()
	n.fail(0, unix.ECONNREFUSED)
	n.fail(0, unix.EHOSTUNREACH)
	n.settle()
	for _, want := range []error{ErrConnect, unix.ECONNREFUSED, unix.EHOSTUNREACH} {
		c.want("no address could be connected to", want)
	}
}

// TestAddressesFailAtOnce: that is no attempt to wait for.
func TestAddressesFailAtOnce(t *testing.T) {
	n := newNamedWorld(t, Options{}, "192.0.2.1", "192.0.2.2")
	c := n.begin(0)
	n.refuse = unix.EMFILE
	n.answer()
	c.want("there is no descriptor left", ErrConnect)
	c.want("there is no descriptor left", unix.EMFILE)
}

func TestNameIsNotResolved(t *testing.T) {
	n := newNamedWorld(t, Options{})
	n.err = errors.New("the name servers are away")
	c := n.begin(0)
	n.answer()
	c.want("its name was not resolved", ErrResolve)
	c.want("and that is why", n.err)
	if e := (*Error)(nil); !errors.As(c.err, &e) || e.Upstream != "http://upstream.example:8080" {
		t.Errorf("the error is %v; it should name the upstream as it was given", c.err)
	}
}

func TestConnectTimeout(t *testing.T) {
	n := newNamedWorld(t, Options{Timeouts: Timeouts{Connect: 5 * time.Second}}, "192.0.2.1")
	slow := n.begin(0)
	n.advance(3 * time.Second)
	n.answer()
	n.wantDialed("its name was resolved in time", "192.0.2.1")
	n.advance(1900 * time.Millisecond)
	slow.wantWaiting("it has a little time left")
	n.advance(200 * time.Millisecond)
	slow.want("resolving and connecting together took too long", ErrConnectTimeout)
	n.wantDialed("it was given up")
	if stats := n.upstream.Stats(); stats.Connecting != 0 {
		t.Errorf("nothing is being connected to, and the counts are %+v", stats)
	}
}

func TestResolvingTakesTooLong(t *testing.T) {
	n := newNamedWorld(t, Options{Timeouts: Timeouts{Connect: 5 * time.Second}}, "192.0.2.1")
	c := n.begin(0)
	n.advance(6 * time.Second)
	c.want("the resolver has not answered in time", ErrConnectTimeout)
	n.answer()
	n.wantDialed("nobody waits for the answer any more")
}

// TestCloseWhileResolving: the question ends by itself.
func TestCloseWhileResolving(t *testing.T) {
	n := newNamedWorld(t, Options{}, "192.0.2.1")
	c := n.begin(0)
	n.client.Close()
	n.settle()
	c.want("the client was closed", ErrClientClosed)
	n.answer()
	n.wantDialed("the answer comes too late")
}

// TestAddressesOfUpstreams: what is understood, what is not, and what is the same server.
func TestAddressesOfUpstreams(t *testing.T) {
	c, _ := New(Options{})
	for _, bad := range []string{"", "host:80", "https://host", "http://", "http://host:0", "http://host:65536", "http://host/path",
		"http://user@host", "http://host?query", "http://host#fragment", "unix:", "ftp://host", "http://[::1", "http://ho st"} {
		if u, err := c.Upstream(bad); err == nil {
			t.Errorf("the address %q was understood as %+v; it should be refused", bad, u.key)
		}
	}
	for _, same := range [][2]string{
		{"http://host", "http://HOST:80/"}, {"http://127.0.0.1:80", "http://127.0.0.1"}, {"http://[::1]", "http://[::1]:80"}, {"unix:/a", "unix:/a"},
	} {
		a, err1 := c.Upstream(same[0])
		b, err2 := c.Upstream(same[1])
		if a == nil || a != b {
			t.Errorf("%q and %q should be the same upstream; the errors are %v and %v", same[0], same[1], err1, err2)
		}
	}
	a, _ := c.Upstream("http://host:81")
	b, _ := c.Upstream("http://host")
	if a == b {
		t.Error("two ports of a host are two upstreams")
	}
}
