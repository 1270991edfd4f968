package proxy

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/server"
)

// owners returns who each of n keys belongs to.
func owners(s *selection, n int) []*member {
	owners := make([]*member, n)
	for i := range owners {
		owners[i] = s.owner(hashString(fmt.Sprintf("/reports/%d", i)), nil)
	}
	return owners
}

// TestHashSharesByWeight: the share of each member is within five standard deviations of what a
// perfect hash would give it.
func TestHashSharesByWeight(t *testing.T) {
	const keys = 50_000
	for _, weights := range [][]int{{1, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {1, 2, 3}, {10, 1}} {
		members, total := newTestMembers(t, weights...), 0
		for _, w := range weights {
			total += w
		}
		counts := make(map[*member]int)
		for _, m := range owners(newSelection(members), keys) {
			counts[m]++
		}
		for _, m := range members {
			share := float64(m.weight) / float64(total)
			want, deviation := keys*share, math.Sqrt(keys*share*(1-share))
			if off := float64(counts[m]) - want; math.Abs(off) > 5*deviation {
				t.Errorf("with the weights %v, %s should have %.0f keys within %.0f, and has %d", weights, m.address, want, 5*deviation, counts[m])
			}
		}
	}
}

// TestHashMovesOnlyTheKeysOfWhoGoes: to all others, and back when it comes back.
func TestHashMovesOnlyTheKeysOfWhoGoes(t *testing.T) {
	const keys = 20_000
	for _, weights := range [][]int{{1, 1, 1, 1, 1}, {4, 1, 2, 1, 1}, {2, 1, 1, 1, 1}} {
		members := newTestMembers(t, weights...)
		before := owners(newSelection(members), keys)
		for gone := range members {
			after, moved := owners(newSelection(slices.Delete(slices.Clone(members), gone, gone+1)), keys), make(map[*member]int)
			for i := range before {
				switch {
				case before[i] == members[gone]:
					moved[after[i]]++
				case before[i] != after[i]:
					t.Fatalf("when %s goes, key %d of %s should stay, and moves to %s", members[gone].address, i, before[i].address, after[i].address)
				}
			}
			if len(moved) != len(members)-1 {
				t.Errorf("the keys of %s should move to all %d others, and move to %d", members[gone].address, len(members)-1, len(moved))
			}
		}
	}
}

// TestHashOfAMemberThatHasFailed: the key goes where it would if the member were out.
func TestHashOfAMemberThatHasFailed(t *testing.T) {
	members := newTestMembers(t, 1, 1, 1)
	s := newSelection(members)
	key := ""
	h := Hash(func(*server.Request) string { return key })
	for i := range 1000 {
		key = fmt.Sprint("key ", i)
		first := h.choose(s, 0, nil, nil)
		second := h.choose(s, 0, nil, []*client.Upstream{first.upstream})
		if out := slices.Index(members, first); second != newSelection(slices.Delete(slices.Clone(members), out, out+1)).owner(hashString(key), nil) {
			t.Fatalf("%q should go to the same member whether %s has failed for the request or is out", key, first.address)
		}
		if again := h.choose(s, rand.Uint64(), nil, nil); again != first {
			t.Fatalf("%q should belong to %s at every turn, and belongs to %s too", key, first.address, again.address)
		}
	}
	key = ""
	for turn := range uint64(6) {
		if m := h.choose(s, turn, nil, nil); m != members[turn%3] {
			t.Errorf("a request without a key should go to the members in turn: %d is that of member %d, and goes to %s", turn, turn%3, m.address)
		}
	}
}

// TestHashStaysWhatItIs: gateways of different versions share upstreams, so that another hash is
// a change that breaks caches.
func TestHashStaysWhatItIs(t *testing.T) {
	for _, c := range []struct {
		weights []int
		want    string
	}{
		{[]int{1, 1, 1, 1}, "2330231022323023002103301022230300123233"},
		{[]int{1, 2, 3, 4}, "2332231022323323002113331323232333123233"},
	} {
		members, got := newTestMembers(t, c.weights...), ""
		for _, m := range owners(newSelection(members), 40) {
			got += strconv.Itoa(slices.Index(members, m))
		}
		if got != c.want {
			t.Errorf("with the weights %v the keys should belong to\n%s as they always have, and belong to\n%s", c.weights, c.want, got)
		}
	}
}

func FuzzHashString(f *testing.F) {
	f.Add("")
	f.Add("http://127.0.0.1:8080")
	f.Fuzz(func(t *testing.T, text string) {
		standard := fnv.New64a()
		standard.Write([]byte(text))
		if got, want := hashString(text), standard.Sum64(); got != want {
			t.Errorf("the hash of %q should be that of hash/fnv, %#x, and is %#x", text, want, got)
		}
	})
}

// TestMixSpreadsEachBit: a bit that changes changes about half of the result's.
func TestMixSpreadsEachBit(t *testing.T) {
	const samples = 2000
	random := rand.New(rand.NewPCG(3, 0))
	for bit := range 64 {
		flipped := 0
		for range samples {
			x := random.Uint64()
			flipped += bits.OnesCount64(mix(x) ^ mix(x^1<<bit))
		}
		if mean := float64(flipped) / samples; mean < 31 || mean > 33 {
			t.Errorf("a change of bit %d should change 32 bits on average, and changes %.1f", bit, mean)
		}
	}
}
