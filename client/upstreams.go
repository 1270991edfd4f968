package client

import (
	"container/list"
	"fmt"
)

// maxPassing is how many upstreams are kept that were not asked for by Client.Upstream.
const maxPassing = 1024

// upstreams are those that a client knows: for good those that it was asked for by
// Client.Upstream, and for a while those that a URL has named. Of the latter there are no more than a
// number: another takes the place of the one that was named least recently of those that have no
// connection. Guarded by Client.mu.
type upstreams struct {
	byKey   map[string]*known
	passing list.List // of *known, the one that was named last is the last
	unused  []int     // indexes of those that were forgotten
}

type known struct {
	upstream *Upstream
	place    *list.Element // in passing; nil for good
}

// Upstream returns the server at address: "http://host", "http://host:port", or "unix:/path" for a
// socket in the file system, with "unix:@name" for one in Linux's abstract namespace. The same server
// gives the same Upstream. It is kept as long as the client is. Any goroutine.
func (c *Client) Upstream(address string) (*Upstream, error) {
	u, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.upstreams.byKey[u.key]
	if k == nil {
		k = c.addUpstream(u)
	} else if k.place != nil {
		c.upstreams.passing.Remove(k.place)
		k.place = nil
	}
	return k.upstream, nil
}

// passingUpstream is Upstream for an address that comes from a URL, which need not be kept. The client
// keeps 1,024 of those. When each of them has connections, there is no room for another: that is
// ErrPoolFull.
func (c *Client) passingUpstream(address string) (*Upstream, error) {
	u, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	all := &c.upstreams
	if k := all.byKey[u.key]; k != nil {
		if k.place != nil {
			all.passing.MoveToBack(k.place)
		}
		return k.upstream, nil
	}
	if all.passing.Len() >= maxPassing && !all.forgetOne() {
		return nil, &Error{Kind: ErrPoolFull, Upstream: address, Cause: fmt.Errorf("there are connections to %d upstreams", maxPassing)}
	}
	k := c.addUpstream(u)
	k.place = all.passing.PushBack(k)
	return u, nil
}

func (c *Client) addUpstream(u *Upstream) *known {
	all := &c.upstreams
	u.client, u.slots.limit = c, c.options.MaxConnections
	u.index = len(all.byKey)
	if n := len(all.unused); n > 0 {
		u.index = all.unused[n-1]
		all.unused = all.unused[:n-1]
	}
	if all.byKey == nil {
		all.byKey = make(map[string]*known)
	}
	k := &known{upstream: u}
	all.byKey[u.key] = k
	return k
}

// forgetOne forgets the passing upstream without connections that was named least recently. Who
// still has it may use it.
func (all *upstreams) forgetOne() bool {
	for place := all.passing.Front(); place != nil; place = place.Next() {
		if k := place.Value.(*known); k.upstream.unused() {
			all.passing.Remove(place)
			delete(all.byKey, k.upstream.key)
			all.unused = append(all.unused, k.upstream.index)
			return true
		}
	}
	return false
}

// unused says whether no loop has a connection to the upstream, or a call that waits for one.
func (u *Upstream) unused() bool {
	s := u.Stats()
	return s.Connections+s.Connecting+s.Waiting == 0
}
