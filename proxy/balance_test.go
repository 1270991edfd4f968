package proxy

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/penstock-go/penstock/client"
)

// newTestMembers makes members with these weights that belong to no group.
func newTestMembers(t testing.TB, weights ...int) []*member {
	t.Helper()
	c, err := client.New(client.Options{})
	if err != nil {
		t.Fatalf("a client could not be made: %v", err)
	}
	members := make([]*member, len(weights))
	for i, w := range weights {
		address := fmt.Sprintf("http://10.0.0.%d:80", i+1)
		u, err := c.Upstream(address)
		if err != nil {
			t.Fatalf("the upstream %s could not be made: %v", address, err)
		}
		members[i] = newMember(&Group{}, u, Member{Address: address, Weight: w})
	}
	return members
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		weights []int
		want    string
	}{
		{nil, "[]"},
		{[]int{7}, "[0]"},
		{[]int{3, 3, 3}, "[0 1 2]"},
		{[]int{5, 1, 1}, "[0 0 1 0 2 0 0]"},
		{[]int{2, 4}, "[1 0 1]"},
	} {
		if got := fmt.Sprint(spread(c.weights)); got != c.want {
			t.Errorf("the cycle for the weights %v should be %s, and is %s", c.weights, c.want, got)
		}
	}
}

// TestSpreadIsFairAndEven: everyone has its share in a cycle, and at no time anyone is ahead or
// behind by as much as there are members.
func TestSpreadIsFairAndEven(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		weights, total := make([]int, 1+random.IntN(8)), 0
		for i := range weights {
			weights[i] = 1 + random.IntN(20)
			total += weights[i]
		}
		cycle, counts := spread(weights), make([]int, len(weights))
		for step, i := range cycle {
			counts[i]++
			for j, n := range counts {
				if behind := float64(weights[j]*(step+1))/float64(total) - float64(n); max(behind, -behind) >= float64(max(len(weights)-1, 1)) {
					t.Fatalf("seed %d, weights %v: after %d steps %d should be about at its share, and is off by %v", seed, weights, step+1, j, behind)
				}
			}
		}
		for i, n := range counts {
			if n*total != weights[i]*len(cycle) {
				t.Fatalf("seed %d: in a cycle for the weights %v, %d should be %d in %d times, and is %d in %d", seed, weights, i, weights[i], total, n, len(cycle))
			}
		}
	}
}

func TestRoundRobinPassesOverWhatHasFailed(t *testing.T) {
	members := newTestMembers(t, 1, 1, 1)
	s := newSelection(members)
	for turn := range uint64(9) {
		if m := RoundRobin().choose(s, turn, nil, nil); m != members[turn%3] {
			t.Errorf("turn %d should be that of member %d, and is that of %s", turn, turn%3, m.address)
		}
	}
	failed := []*client.Upstream{members[1].upstream}
	if m := RoundRobin().choose(s, 1, nil, failed); m != members[2] {
		t.Errorf("the turn of a member that has failed should be that of the next, and is that of %s", m.address)
	}
	failed = append(failed, members[0].upstream, members[2].upstream)
	for _, b := range []Balance{RoundRobin(), LeastPending()} {
		if m := b.choose(s, 1, nil, failed); m != nil {
			t.Errorf("when all have failed nobody should be chosen, and %s is", m.address)
		}
	}
}

// TestLeastPending: nobody has fewer requests for its weight than the one chosen, and nobody
// who has failed is chosen.
func TestLeastPending(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 2))
		weights := make([]int, 1+random.IntN(6))
		for i := range weights {
			weights[i] = 1 + random.IntN(4)
		}
		members := newTestMembers(t, weights...)
		s := newSelection(members)
		for i := range 100 {
			m := members[random.IntN(len(members))]
			if random.IntN(3) > 0 || m.pending() == 0 {
				m.started.Add(1)
			} else {
				m.finished.Add(1)
			}
			var failed []*client.Upstream
			if len(members) > 1 && random.IntN(4) == 0 {
				failed = append(failed, members[random.IntN(len(members))].upstream)
			}
			chosen := LeastPending().choose(s, random.Uint64(), nil, failed)
			for _, other := range members {
				if len(failed) > 0 && other.upstream == failed[0] {
					if chosen == other {
						t.Fatalf("seed %d, step %d: %s has failed, and should not be chosen", seed, i, other.address)
					}
				} else if other.pending()*int64(chosen.weight) < chosen.pending()*int64(other.weight) {
					t.Fatalf("seed %d, step %d: %s with %d pending and the weight %d should be chosen before %s with %d and %d", seed, i,
						other.address, other.pending(), other.weight, chosen.address, chosen.pending(), chosen.weight)
				}
			}
		}
	}
}

func TestLeastPendingTakesTurnsWhenEqual(t *testing.T) {
	members := newTestMembers(t, 1, 2)
	s, counts := newSelection(members), make(map[*member]int)
	for turn := range uint64(300) {
		counts[LeastPending().choose(s, turn, nil, nil)]++
	}
	if counts[members[0]] != 100 || counts[members[1]] != 200 {
		t.Errorf("idle members should get requests in turn as their weights say, 100 and 200; they got %d and %d", counts[members[0]], counts[members[1]])
	}
}
