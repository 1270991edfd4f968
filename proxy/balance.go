package proxy

import (
	"slices"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/server"
)

// A Balance says which of the members of a [Group] that are in gets a request. It is one of
// [RoundRobin], [LeastPending] and [Hash].
type Balance interface {
	// choose returns a member of s that is not among failed, or nil if there is none. s has a
	// member at least. turn counts the requests. Any goroutine.
	choose(s *selection, turn uint64, r *server.Request, failed []*client.Upstream) *member
}

// selection is the members that are in. It is replaced, never changed, so that choosing needs
// no lock.
type selection struct {
	members []*member
	cycle   []*member // each as often as its weight says, spread evenly
	even    bool      // all have the same weight
}

func newSelection(members []*member) *selection {
	s := &selection{members: members, even: true}
	weights := make([]int, len(members))
	for i, m := range members {
		weights[i] = m.weight
		s.even = s.even && m.weight == members[0].weight
	}
	for _, i := range spread(weights) {
		s.cycle = append(s.cycle, members[i])
	}
	return s
}

// spread returns a cycle in which each i is as often as weights[i] says, in lowest terms, and
// as evenly apart as can be: each step, everyone gains its weight, and the richest is chosen and
// pays for all.
func spread(weights []int) []int {
	divisor, total := 0, 0
	for _, w := range weights {
		divisor = greatestCommonDivisor(divisor, w)
		total += w
	}
	if total == 0 {
		return nil
	}
	wealth := make([]int, len(weights))
	cycle := make([]int, 0, total/divisor)
	for range cap(cycle) {
		richest := 0
		for i, w := range weights {
			wealth[i] += w
			if wealth[i] > wealth[richest] {
				richest = i
			}
		}
		wealth[richest] -= total
		cycle = append(cycle, richest)
	}
	return cycle
}

func greatestCommonDivisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// RoundRobin gives each member its share, in turn. Those of a member with a large weight are
// spread between those of the others.
func RoundRobin() Balance { return roundRobin{} }

type roundRobin struct{}

func (roundRobin) choose(s *selection, turn uint64, _ *server.Request, failed []*client.Upstream) *member {
	start := int(turn % uint64(len(s.cycle)))
	if len(failed) == 0 {
		return s.cycle[start]
	}
	for i := range s.cycle {
		if m := s.cycle[(start+i)%len(s.cycle)]; !slices.Contains(failed, m.upstream) {
			return m
		}
	}
	return nil
}

// LeastPending gives a request to the member that has the fewest in progress, in proportion to
// its weight; those that have equally few get them in turn. It is the right one for requests
// that take unequally long.
func LeastPending() Balance { return leastPending{} }

type leastPending struct{}

func (leastPending) choose(s *selection, turn uint64, r *server.Request, failed []*client.Upstream) *member {
	best := roundRobin{}.choose(s, turn, r, failed)
	if best == nil {
		return nil
	}
	pending := best.pending()
	for _, m := range s.members {
		if pending == 0 {
			break // nobody has fewer
		}
		if p := m.pending(); p*int64(best.weight) < pending*int64(m.weight) && !slices.Contains(failed, m.upstream) {
			best, pending = m, p
		}
	}
	return best
}
