package pipelinetest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
)

// BytesCase is a stage that reads bytes, the bytes, and what must come out however they are cut into chunks.
type BytesCase[Out any] struct {
	Stage pipeline.Stage[[]byte, Out]
	In    []byte // then comes io.EOF

	// Want and WantEnd are what comes out; a nil WantEnd is io.EOF.
	Want    []Out
	WantEnd error

	// Model, if not nil, is asked instead of Want and WantEnd: what comes out of in, when upstream then ends with end?
	// It is asked for each beginning of In, ended by io.EOF and by a failure.
	Model func(in []byte, end error) ([]Out, error)

	Same   func(got, want []Out) bool // as in SourceCase; SameBytes for a stage whose chunks may be cut anywhere
	Seed   uint64                     // as in SourceCase
	Rounds int                        // how many cuts to try, each under a few schedules; 0 for 40
}

// SameBytes reports whether got and want are the same bytes, however they are cut.
func SameBytes(got, want [][]byte) bool {
	return bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil))
}

// cutSchedules is how many schedules each cut is run under.
const cutSchedules = 4

// TestBytes checks that a stage that reads bytes keeps the laws: the bytes come whole, one by one, cut in two at each
// offset, and cut at random with empty chunks between, and each chunk is overwritten at the next Poll or Close.
func TestBytes[Out any](t Reporter, c BytesCase[Out]) {
	t.Helper()
	seed := seedOf(t, c.Seed)
	run := func(in []byte, cuts []int, end error) bool {
		t.Helper()
		broken := law(3)
		if len(cuts) == 0 {
			broken = 2
		}
		return check[Out]{
			make: func(turn *Turn) pipeline.Source[Out] {
				return c.Stage(Poison(Stream(turn, chunks(in, cuts), end)))
			},
			judge:  explain(in, judge(c.Model, in, end, c.Want, c.WantEnd, c.Same)),
			what:   fmt.Sprintf("%d bytes cut at %v, then %q, ", len(in), cuts, endOf(end)),
			broken: broken, seed: seed, rounds: cutSchedules,
		}.all(t)
	}
	for _, cuts := range allCuts(len(c.In), c.Rounds, seed) {
		if !run(c.In, cuts, nil) || !run(c.In, cuts, errUpstream) {
			return
		}
	}
	random := rand.New(rand.NewPCG(seed, 1))
	if !checkAborts(t, c.Stage, chunks(c.In, randomCuts(random, len(c.In))), seed) || c.Model == nil {
		return
	}
	for n := range c.In {
		cuts := randomCuts(random, n)
		if !run(c.In[:n], cuts, nil) || !run(c.In[:n], cuts, errUpstream) {
			return
		}
	}
}

// explain adds to a difference where it comes from, if that shows.
func explain[Out any](in []byte, judge func([]Out, error) string) func([]Out, error) string {
	return func(got []Out, end error) string {
		wrong := judge(got, end)
		if strings.Contains(wrong, `\xdb`) && !bytes.Contains(in, []byte{poison}) {
			wrong += `; \xdb stands for a chunk that was kept beyond the next Poll, which breaks law 7`
		}
		return wrong
	}
}

func endOf(end error) error {
	if end == nil {
		return io.EOF
	}
	return end
}

// allCuts returns the ways to cut n bytes that a check tries, each as ascending offsets, where one that comes twice is
// an empty chunk.
func allCuts(n, rounds int, seed uint64) [][]int {
	if rounds == 0 {
		rounds = defaultRounds
	}
	random := rand.New(rand.NewPCG(seed, 0))
	each := make([]int, n)
	for i := range each {
		each[i] = i
	}
	all := [][]int{nil, each}
	for i := range n {
		if n > rounds && random.IntN(n) >= rounds {
			continue // of many offsets a sample
		}
		all = append(all, []int{i})
	}
	for range rounds {
		all = append(all, randomCuts(random, n))
	}
	return all
}

// randomCuts cuts n bytes at some offsets.
func randomCuts(random *rand.Rand, n int) []int {
	share := random.Float64()
	var cuts []int
	for i := range n + 1 {
		for random.Float64() < share/2 {
			cuts = append(cuts, i)
		}
	}
	return cuts
}

// chunks cuts in at the offsets.
func chunks(in []byte, cuts []int) [][]byte {
	var all [][]byte
	from := 0
	for _, to := range cuts {
		all = append(all, in[from:to])
		from = to
	}
	return append(all, in[from:])
}
