package proxy

// MemberStats is what a group knows of a member.
type MemberStats struct {
	Address  string // as it was given
	Weight   int
	State    State
	Pending  int64 // requests in progress
	Requests int64 // picked so far, with those in progress
	Failures int64 // of those: that failed by the fault of the upstream, see GroupOptions.MaxFailures
}

// Stats returns what is known of each member, in the order in which NewGroup got them. The checks
// are not counted among the requests. Any goroutine.
func (g *Group) Stats() []MemberStats {
	stats := make([]MemberStats, len(g.members))
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, m := range g.members {
		stats[i] = MemberStats{
			Address: m.address, Weight: m.weight, State: m.health.shown(),
			Failures: m.failures.Load(), Pending: m.pending(), Requests: m.started.Load(),
		}
	}
	return stats
}
