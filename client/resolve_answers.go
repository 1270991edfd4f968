package client

import (
	"container/list"
	"net/netip"
	"slices"
	"time"
)

// Rules of an answer, from the time at which the resolver gave it:
//
//	fresh   it has addresses and was given less than its time ago: it serves.
//	old     it has addresses, and its time is over: the resolver is asked again.
//	failed  the resolver was asked and did not answer: the error serves for a short time, or the old
//	        addresses do if there are any. They go on doing so, while the resolver is asked again
//	        and again beside that, until they are too old as well.

// answers are what a resolver has said, at most a number of hosts' worth: beyond that those are
// forgotten whose answer is the oldest.
type answers struct {
	fresh  time.Duration // how long addresses serve
	stale  time.Duration // how long they stand in beyond that while the resolver fails
	failed time.Duration // how long an error serves
	limit  int

	byHost map[string]*list.Element
	byAge  list.List // of *answer, the oldest first
}

type answer struct {
	host       string
	addresses  []netip.Addr // shared by all who ask: never changed; nil when there are none
	freshUntil time.Time
	staleUntil time.Time
	err        error // of the latest question, nil when that was answered
	errUntil   time.Time
}

// get returns what serves for host: addresses, or an error, or neither when the resolver must be
// asked. Addresses may come with refresh: the resolver should be asked beside that.
func (a *answers) get(host string, now time.Time) (addresses []netip.Addr, refresh bool, err error) {
	found := a.find(host)
	switch {
	case found == nil:
		return nil, false, nil
	case found.err == nil:
		if now.Before(found.freshUntil) {
			return found.addresses, false, nil
		}
		return nil, false, nil
	}
	recent := now.Before(found.errUntil)
	if stale := a.old(host, now); stale != nil {
		return stale, !recent, nil
	}
	if recent {
		return nil, false, found.err
	}
	return nil, false, nil
}

// old returns the addresses that stand in for host while the resolver fails, or nil.
func (a *answers) old(host string, now time.Time) []netip.Addr {
	if found := a.find(host); found != nil && now.Before(found.staleUntil) {
		return found.addresses
	}
	return nil
}

// put keeps the addresses of host.
func (a *answers) put(host string, addresses []netip.Addr, now time.Time) {
	kept := a.renew(host)
	*kept = answer{host: host, addresses: addresses, freshUntil: now.Add(a.fresh)}
	kept.staleUntil = kept.freshUntil.Add(max(a.stale, 0))
}

// fail keeps an error. When it says that there is no such host, old addresses are forgotten.
func (a *answers) fail(host string, err error, noSuchHost bool, now time.Time) {
	kept := a.renew(host)
	kept.host, kept.err, kept.errUntil = host, err, now.Add(a.failed)
	if noSuchHost {
		kept.addresses = nil
	}
}

func (a *answers) find(host string) *answer {
	if place := a.byHost[host]; place != nil {
		return place.Value.(*answer)
	}
	return nil
}

// renew returns the answer of host, made if need be, as the youngest of all.
func (a *answers) renew(host string) *answer {
	if place := a.byHost[host]; place != nil {
		a.byAge.MoveToBack(place)
		return place.Value.(*answer)
	}
	if len(a.byHost) >= a.limit {
		oldest := a.byAge.Front()
		delete(a.byHost, oldest.Value.(*answer).host)
		a.byAge.Remove(oldest)
	}
	if a.byHost == nil {
		a.byHost = make(map[string]*list.Element)
	}
	made := new(answer)
	a.byHost[host] = a.byAge.PushBack(made)
	return made
}

// maxAddresses is how many addresses of one host are kept.
const maxAddresses = 32

// usable returns the addresses that can be connected to, each once, in their order: IPv4 addresses as such, also those
// that came mapped into IPv6. It returns nil when there are none.
func usable(addresses []netip.Addr) []netip.Addr {
	var kept []netip.Addr
	for _, address := range addresses {
		address = address.Unmap()
		if address.IsValid() && len(kept) < maxAddresses && !slices.Contains(kept, address) {
			kept = append(kept, address)
		}
	}
	return kept
}
