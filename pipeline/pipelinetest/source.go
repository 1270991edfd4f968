package pipelinetest

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/penstock-go/penstock/pipeline"
)

// SourceCase is a source, and what must come out of it.
type SourceCase[T any] struct {
	// Make returns a new source that gives the same each time. What it reads from is made of turn: of Stream, or of
	// Script watched by Watch.
	Make func(turn *Turn) pipeline.Source[T]

	Want    []T
	WantEnd error // nil for io.EOF; an end that errors.Is finds equal, or that is deeply equal, will do

	// Same reports whether got is what was wanted. Nil compares one by one, bytes as bytes and others deeply. It is for
	// values that come in any order, or that may be cut otherwise.
	Same func(got, want []T) bool

	Seed   uint64 // 0 for one chosen at random
	Rounds int    // how many schedules to try, 0 for 40
}

// TestSource checks that a source keeps the laws and gives what the case says. Values that it gives and that have a
// method Close() are closed, as their receiver must.
func TestSource[T any](t Reporter, c SourceCase[T]) {
	t.Helper()
	check[T]{
		make: c.Make, broken: 2, seed: seedOf(t, c.Seed), rounds: c.Rounds,
		judge: func(got []T, end error) string { return compare(got, c.Want, end, c.WantEnd, c.Same) },
	}.all(t)
}

// check is one way to make a stream, run under many schedules.
type check[T any] struct {
	make   func(*Turn) pipeline.Source[T]
	judge  func(got []T, end error) string // says what is wrong, or ""
	what   string                          // how the stream was made, for failures
	broken law                             // what a difference between the runs breaks
	seed   uint64
	rounds int
}

const (
	defaultRounds = 40
	closedRounds  = 6 // of these, how many are repeated with a Close after each poll
)

// all runs the check until a run fails, and reports whether none did.
func (c check[T]) all(t Reporter) bool {
	t.Helper()
	rounds := c.rounds
	if rounds == 0 {
		rounds = defaultRounds
	}
	for round := range uint64(rounds) {
		turn, polls := c.whole(t, round)
		if turn.failed {
			return false
		}
		if round >= closedRounds {
			continue
		}
		for at := range polls {
			if c.cut(t, round, at).failed {
				return false
			}
		}
	}
	return true
}

func (c check[T]) turn(t Reporter, round uint64, how string) *Turn {
	return newTurn(t, c.seed, round, fmt.Sprintf("%s%s, round %d, seed %d", c.what, how, round, c.seed))
}

// whole runs the stream to its end, and three polls further, and returns how many polls that took.
func (c check[T]) whole(t Reporter, round uint64) (*Turn, int) {
	t.Helper()
	turn := c.turn(t, round, "read to its end")
	src := c.make(turn)
	got, end := c.consume(turn, src, maxPolls)
	for range 3 {
		if turn.failed {
			break
		}
		_, again := Poll(turn, src)
		if !reflect.DeepEqual(again, end) {
			turn.fail(5, "the stream ended with %s, then Poll returned %s", answer(end), answer(again))
		}
	}
	if wrong := c.judge(got, end); wrong != "" {
		broken := c.broken
		if round == 0 && broken == 2 {
			broken = 0 // nothing was pending, so it is not the schedule's fault
		}
		turn.fail(broken, "%s", wrong)
	}
	Close(turn, src)
	return turn, turn.polls + 1
}

// cut runs the stream and closes it after a number of polls.
func (c check[T]) cut(t Reporter, round uint64, polls int) *Turn {
	t.Helper()
	turn := c.turn(t, round, "closed early")
	src := c.make(turn)
	c.consume(turn, src, polls)
	Close(turn, src)
	return turn
}

// consume polls src until it ends, but polls times at most. Between two polls anything may happen.
func (c check[T]) consume(turn *Turn, src pipeline.Source[T], polls int) (got []T, end error) {
	spurious := 0.0
	if turn.share < 1 {
		spurious = 0.1
	}
	for turn.polls < polls && !turn.failed {
		v, err := Poll(turn, src)
		switch {
		case err == nil:
			kept := keep(v)
			got = append(got, kept)
			for turn.chance(0.3) && turn.Step() {
			}
			if !equal(v, kept) {
				turn.fail(7, "a chunk was %q when it was handed out, and %q before the next Poll", any(kept), any(v))
			}
			if closer, ok := any(v).(interface{ Close() }); ok {
				closer.Close()
			}
		case err != pipeline.ErrPending:
			return got, err
		case turn.polls < polls:
			turn.wait(spurious)
		default: // it is closed while it is pending, or after it was woken
			for turn.chance(0.5) && turn.Step() {
			}
		}
	}
	if turn.polls == maxPolls {
		turn.fail(0, "the stream had not ended after %d polls", maxPolls)
	}
	return got, nil
}

// compare says how a stream differs from what was wanted, or "".
func compare[T any](got, want []T, end, wantEnd error, same func(got, want []T) bool) string {
	if same == nil {
		same = equalEach
	}
	if wantEnd == nil {
		wantEnd = io.EOF
	}
	if !same(got, want) {
		return fmt.Sprintf("the values were %s, but %s were wanted", list(got), list(want))
	}
	if !errors.Is(end, wantEnd) && !reflect.DeepEqual(end, wantEnd) {
		return fmt.Sprintf("the end was %s, but %q was wanted", answer(end), wantEnd)
	}
	return ""
}

func equalEach[T any](got, want []T) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if !equal(got[i], want[i]) {
			return false
		}
	}
	return true
}

// equal compares bytes as bytes, so that nil and empty are the same, and anything else deeply.
func equal[T any](got, want T) bool {
	g, ok := any(got).([]byte)
	if !ok {
		return reflect.DeepEqual(got, want)
	}
	return string(g) == string(any(want).([]byte))
}

// list formats values for a failure, bytes as text.
func list[T any](values []T) string {
	var none T
	if _, ok := any(none).([]byte); ok {
		return fmt.Sprintf("%q", any(values))
	}
	return fmt.Sprintf("%v", values)
}

// answer formats an error that Poll returned.
func answer(err error) string {
	if err == nil {
		return "a value"
	}
	return fmt.Sprintf("%q", err)
}
