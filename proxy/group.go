package proxy

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/server"
)

// ErrNoUpstream is what requests fail with while all members of a [Group] are out, with
// GroupOptions.RefuseWhenOut. Its status is 503.
var ErrNoUpstream error = &server.Error{Code: 503, Message: "No upstream is available."}

// A Group is a [Picker] of several upstreams that do the same: it balances the requests between
// them, and leaves out those that fail. Any goroutine may use it, all loops at once.
//
// While all members are in, picking one takes no lock and allocates nothing. What changes only
// when something has failed is behind a mutex, and published for picking: which members are in,
// and when the next one is to be probed.
type Group struct {
	options   GroupOptions
	policy    healthPolicy
	members   []*member            // in the order given
	everyone  *selection           // of all members
	now       func() time.Duration // since the group was made
	turns     atomic.Uint64
	selection atomic.Pointer[selection]
	due       atomic.Int64 // when a member is to be probed, a time.Duration; never if none is

	mu     sync.Mutex // guards the health of the members
	checks *checks    // nil without Check, and when closed
}

// NewGroup makes a group of servers that c sends the requests to. An address that c does not
// take, that is there twice, a weight that is out of bounds, and no member at all are errors.
func NewGroup(c *client.Client, members []Member, o GroupOptions) (*Group, error) {
	epoch := time.Now()
	return newGroup(c, members, o, func() time.Duration { return time.Since(epoch) })
}

// newGroup is NewGroup with a clock, which any goroutine may read.
func newGroup(c *client.Client, members []Member, o GroupOptions, now func() time.Duration) (*Group, error) {
	g := &Group{options: o.withDefaults(), now: now}
	g.policy = healthPolicy{
		maxFailures: g.options.MaxFailures, window: g.options.Window, out: g.options.Out, maxOut: g.options.MaxOut,
	}
	if len(members) == 0 {
		return nil, errors.New("proxy: a group must have a member at least")
	}
	for _, m := range members {
		if err := g.add(c, m); err != nil {
			return nil, err
		}
	}
	g.everyone = newSelection(g.members)
	g.publish()
	if o.Check != nil {
		if err := g.startChecks(*o.Check); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *Group) add(c *client.Client, m Member) error {
	if m.Weight < 0 || m.Weight > 256 {
		return fmt.Errorf("proxy: the weight of %s is %d, and must be from 1 to 256", m.Address, m.Weight)
	}
	u, err := c.Upstream(m.Address)
	if err != nil {
		return fmt.Errorf("proxy: a member of the group cannot be used: %w", err)
	}
	for _, other := range g.members {
		if other.upstream == u {
			return fmt.Errorf("proxy: %s is in the group twice; a larger share is what Weight is for", m.Address)
		}
	}
	g.members = append(g.members, newMember(g, u, m))
	return nil
}

// Pick returns the member for a request. It is called on the loop of r.
func (g *Group) Pick(r *server.Request, failed []*client.Upstream) (Target, error) {
	if due := time.Duration(g.due.Load()); due != never {
		if probe := g.takeProbe(due, failed); probe != nil {
			return probe.begin(), nil
		}
	}
	turn := g.turns.Add(1) - 1
	if s := g.selection.Load(); len(s.members) > 0 {
		return g.choose(s, turn, r, failed).ordinary.begin(), nil
	}
	if g.options.RefuseWhenOut {
		return nil, ErrNoUpstream
	}
	m := g.firstBack(failed)
	if m == nil {
		m = g.choose(g.everyone, turn, r, failed)
	}
	return m.anyway.begin(), nil
}

// choose has the balance choose a member of s, one that has not failed if there is one.
func (g *Group) choose(s *selection, turn uint64, r *server.Request, failed []*client.Upstream) *member {
	if m := g.options.Balance.choose(s, turn, r, failed); m != nil {
		return m
	}
	return g.options.Balance.choose(s, turn, r, nil)
}

// takeProbe has this request probe a member if one is due, and otherwise returns nil.
func (g *Group) takeProbe(due time.Duration, failed []*client.Upstream) *attempt {
	now := g.now()
	if now < due {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.members {
		if !slices.Contains(failed, m.upstream) && m.health.probe(now) {
			m.probe = &attempt{m, probing}
			g.publish()
			return m.probe
		}
	}
	return nil
}

// firstBack returns the member that is expected back first, of those that are not among failed
// if there are such; nil if none is expected, because the checks have found all of them down.
func (g *Group) firstBack(failed []*client.Upstream) *member {
	g.mu.Lock()
	defer g.mu.Unlock()
	first, tried := (*member)(nil), false
	for _, m := range g.members {
		if m.health.backAt() == never {
			continue
		}
		again := slices.Contains(failed, m.upstream)
		switch {
		case first == nil, tried && !again, tried == again && m.health.backAt() < first.health.backAt():
			first, tried = m, again
		}
	}
	return first
}

// update changes the health of a member, logs what others see of that, and publishes it. cause is
// what was wrong, or nil.
func (g *Group) update(m *member, cause error, change func(*health, time.Duration)) {
	now := g.now()
	g.mu.Lock()
	before := m.health.shown()
	change(&m.health, now)
	after, until := m.health.shown(), m.health.backAt()
	g.publish()
	g.mu.Unlock()

	switch {
	case before == after:
	case after == In:
		g.options.Logger.Info("proxy: the upstream is in again", "upstream", m.address)
	case after == Out && until == never:
		g.options.Logger.Warn("proxy: the upstream is out until a check succeeds", "upstream", m.address, "error", cause)
	case after == Out && cause != nil:
		g.options.Logger.Warn("proxy: the upstream is out", "upstream", m.address, "for", until-now, "error", cause)
	}
}

// publish makes known which members are in, and when one is to be probed. The caller holds g.mu.
func (g *Group) publish() {
	due := never
	var in []*member
	for _, m := range g.members {
		due = min(due, m.health.due())
		if m.health.available() {
			in = append(in, m)
		}
	}
	g.due.Store(int64(due))
	if s := g.selection.Load(); s == nil || !slices.Equal(s.members, in) {
		g.selection.Store(newSelection(in))
	}
}

// Close ends the checks, and what they have found is forgotten; it waits for the loop of the
// checks if that is the group's own. The group can still be picked from. Any goroutine, any number
// of times.
func (g *Group) Close() {
	g.mu.Lock()
	checks := g.checks
	g.checks = nil
	g.mu.Unlock()
	if checks == nil {
		return
	}
	checks.close()
}

// statusError is an answer that counts as a failure.
type statusError struct{ status int }

func (e *statusError) Error() string {
	return fmt.Sprintf("it has answered with the status %d", e.status)
}
