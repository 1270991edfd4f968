package proxy

import (
	"math"
	"slices"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/server"
)

// Hash gives requests with the same key to the same member, as long as that is in. key is called
// on the loop of the request and must not block; a request whose key is "" goes to the members in
// turn.
//
// It is rendezvous hashing: a key belongs to the member for which the hash of both is the
// greatest, in proportion to the weights. When a member goes only its keys move, to all others
// evenly, and when it comes back they do. Which member that is depends on the key, the addresses
// and the weights, and on nothing else: all gateways with the same members agree.
func Hash(key func(*server.Request) string) Balance { return hashing{key} }

type hashing struct {
	key func(*server.Request) string
}

func (h hashing) choose(s *selection, turn uint64, r *server.Request, failed []*client.Upstream) *member {
	key := h.key(r)
	if key == "" {
		return roundRobin{}.choose(s, turn, r, failed)
	}
	return s.owner(hashString(key), failed)
}

// owner returns the member that a key with this hash belongs to.
func (s *selection) owner(key uint64, failed []*client.Upstream) *member {
	var best *member
	greatest := math.Inf(-1)
	for _, m := range s.members {
		score := m.score(key, s.even)
		if score > greatest && !slices.Contains(failed, m.upstream) {
			best, greatest = m, score
		}
	}
	return best
}

// score is what members are compared by. Its maximum is at a member with a probability in
// proportion to weight, because -log of a uniform number is an exponential one, and of several of
// those the one with rate w is the first with probability w in the sum of all. With equal
// weights the logarithm changes no order, and is spared.
func (m *member) score(key uint64, even bool) float64 {
	uniform := (float64(mix(key^m.hash)>>11) + 0.5) / (1 << 53)
	if even {
		return uniform
	}
	return math.Log(uniform) / float64(m.weight)
}

// hashString is FNV-1a with 64 bits. What it returns is the same in every process, and
// differs too little for strings that differ in their last byte: see mix.
func hashString(text string) uint64 {
	hash := uint64(14695981039346656037)
	for i := range len(text) {
		hash = (hash ^ uint64(text[i])) * 1099511628211
	}
	return hash
}

// mix spreads each bit of x over all bits, and gives different results for different x: the
// finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
