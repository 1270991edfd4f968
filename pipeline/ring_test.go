package pipeline

import (
	"math/rand/v2"
	"testing"
)

func TestRingAgainstASlice(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for _, limit := range []int{1, 2, 3, 5, 8, 100} {
		var r ring[int]
		var model []int
		for v := range 2000 {
			if len(model) < limit && random.IntN(5) < 3 {
				r.push(v, limit)
				model = append(model, v)
			} else if len(model) > 0 {
				if got := r.pop(); got != model[0] {
					t.Fatalf("pop returned %d, %d was expected (limit %d, seed %d)", got, model[0], limit, seed)
				}
				model = model[1:]
			}
			if r.count != len(model) || len(r.slots) > limit {
				t.Fatalf("the ring holds %d values in %d slots, %d in at most %d were expected (seed %d)",
					r.count, len(r.slots), len(model), limit, seed)
			}
		}
	}
}

func TestRingForgetsWhatWasPopped(t *testing.T) {
	var r ring[*int]
	r.push(new(int), 4)
	r.pop()
	for _, slot := range r.slots {
		if slot != nil {
			t.Error("the ring still holds a value that was popped")
		}
	}
}
