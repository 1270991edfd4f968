package proxy

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/client"
)

// member is one upstream of a group. Its counters are shared by the loops; its health, and what
// probes it, are guarded by the mutex of the group.
type member struct {
	group    *Group
	upstream *client.Upstream
	address  string
	hash     uint64 // of the address
	weight   int
	ordinary attempt // what Pick returns: one is enough for all requests that are not probes
	anyway   attempt

	health health
	probe  *attempt // the latest

	_        [64]byte // keeps what is written with every request off the line of what is only read
	started  atomic.Int64
	finished atomic.Int64
	failures atomic.Int64
	_        [64]byte
}

// attemptKind is why a member was picked, which decides what its end means.
type attemptKind uint8

const (
	ordinary attemptKind = iota // it was in
	probing                     // it was out, and this is the one request that finds out
	anyway                      // it was out, and so were all
)

// attempt is the Target of a probe, and that of all requests that were picked for the same other
// reason.
type attempt struct {
	member *member
	kind   attemptKind
}

var _ Target = (*attempt)(nil)

func newMember(g *Group, u *client.Upstream, o Member) *member {
	m := &member{group: g, upstream: u, address: o.Address, hash: mix(hashString(o.Address)), weight: max(o.Weight, 1)}
	m.health.policy = &g.policy
	m.ordinary, m.anyway = attempt{m, ordinary}, attempt{m, anyway}
	return m
}

// begin counts a request that is going to be sent.
func (a *attempt) begin() Target {
	a.member.started.Add(1)
	return a
}

// pending is how many requests are in progress. Any goroutine.
func (m *member) pending() int64 {
	finished := m.finished.Load() // first: so it is never more than have been started
	return m.started.Load() - finished
}

// Upstream returns where to send the request.
func (a *attempt) Upstream() *client.Upstream { return a.member.upstream }

// Answered is told of the status of an answer.
func (a *attempt) Answered(status int) {
	switch {
	case status >= 500 && a.member.group.options.CountServerErrors:
		a.failed(&statusError{status})
	case a.kind != ordinary:
		a.update(nil, (*health).answered)
	}
}

// Done is told how the exchange has ended.
func (a *attempt) Done(o Outcome) {
	a.member.finished.Add(1)
	switch {
	case o.Status != 0: // Answered was told
	case countsAsFailure(o.Err):
		a.failed(o.Err)
	case a.kind == probing:
		a.updateProbe(nil, (*health).probeAbandoned)
	}
}

func (a *attempt) failed(cause error) {
	a.member.failures.Add(1)
	switch a.kind {
	case ordinary:
		a.update(cause, (*health).failed)
	case probing:
		a.updateProbe(cause, (*health).probeFailed)
	}
}

func (a *attempt) update(cause error, change func(*health, time.Duration)) {
	a.member.group.update(a.member, cause, change)
}

// updateProbe is update, unless the member has been in since the probe began, and is probed by
// another one now.
func (a *attempt) updateProbe(cause error, change func(*health, time.Duration)) {
	a.update(cause, func(h *health, now time.Duration) {
		if a.member.probe == a {
			change(h, now)
		}
	})
}

// countsAsFailure says whether the upstream is to blame for err, which came before the answer.
func countsAsFailure(err error) bool {
	for _, kind := range [...]error{
		client.ErrConnect, client.ErrConnectTimeout, client.ErrResolve, client.ErrHeadTimeout, client.ErrBodyTimeout, client.ErrUpstream,
	} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
