package pipelinetest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
)

// A Reporter is told of failures, each a sentence. A *testing.T is one.
type Reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// law is the number of a law of package pipeline, and 0 for what is expected beside them.
type law int

var lawNames = [...]string{
	1: "demand",
	2: "schedule invariance",
	3: "split invariance",
	4: "no lost wakeup",
	5: "the end is sticky",
	6: "release exactly once",
	7: "chunks are valid until the next Poll or Close",
	8: "joining changes nothing",
}

func (l law) String() string {
	if l == 0 {
		return "the stream"
	}
	return fmt.Sprintf("law %d, %s", int(l), lawNames[l])
}

// seedOf returns the seed to use: given, or the environment's, or a new one.
func seedOf(t Reporter, given uint64) uint64 {
	if given != 0 {
		return given
	}
	text := os.Getenv("PIPELINETEST_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Errorf("PIPELINETEST_SEED is %q, a decimal number of 64 bits was expected", text)
	}
	return seed
}
