package pipelinetest

import (
	"errors"
	"fmt"

	"github.com/penstock-go/penstock/pipeline"
)

// StageCase is a stage, what goes in and what must come out.
type StageCase[In, Out any] struct {
	Stage pipeline.Stage[In, Out]
	In    []In // then comes io.EOF

	// Want and WantEnd are what comes out; a nil WantEnd is io.EOF.
	Want    []Out
	WantEnd error

	// Model, if not nil, is asked instead of Want and WantEnd: what comes out of in, when upstream then ends with end?
	// It is asked for each beginning of In, ended by io.EOF and by a failure.
	Model func(in []In, end error) ([]Out, error)

	Same   func(got, want []Out) bool // as in SourceCase
	Seed   uint64                     // as in SourceCase
	Rounds int                        // as in SourceCase
}

// errUpstream is the failure of upstream in every check.
var errUpstream = errors.New("pipelinetest: upstream has failed, as it was told to")

// TestStage checks that a stage keeps the laws and makes of the values what the case says.
func TestStage[In, Out any](t Reporter, c StageCase[In, Out]) {
	t.Helper()
	seed := seedOf(t, c.Seed)
	run := func(stage pipeline.Stage[In, Out], in []In, end error, broken law, what string) bool {
		t.Helper()
		return check[Out]{
			make:   func(turn *Turn) pipeline.Source[Out] { return stage(Stream(turn, in, end)) },
			judge:  judge(c.Model, in, end, c.Want, c.WantEnd, c.Same),
			what:   what,
			broken: broken, seed: seed, rounds: c.Rounds,
		}.all(t)
	}
	ok := run(c.Stage, c.In, nil, 2, "") &&
		run(c.Stage, c.In, errUpstream, 2, "with a failure upstream, ") &&
		run(pipeline.Join(pipeline.Join(pass[In], c.Stage), pass[Out]), c.In, nil, 8, "joined, ") &&
		checkAborts(t, c.Stage, c.In, seed)
	if c.Model == nil {
		return
	}
	for n := 0; ok && n < len(c.In); n++ {
		what := fmt.Sprintf("with %d of %d values, ", n, len(c.In))
		ok = run(c.Stage, c.In[:n], nil, 2, what) && run(c.Stage, c.In[:n], errUpstream, 2, what+"then a failure, ")
	}
}

// judge returns what tells whether the right values came out of in and end. Without a model a failure upstream must
// come out unchanged, unless the stage has ended before it, and the values before it are not known.
func judge[Input, Out any](model func(Input, error) ([]Out, error), in Input, end error, want []Out, wantEnd error,
	same func(got, want []Out) bool) func([]Out, error) string {
	return func(got []Out, gotEnd error) string {
		want, wantEnd := want, wantEnd
		switch {
		case model != nil:
			want, wantEnd = model(in, endOf(end))
		case end != nil && wantEnd == nil:
			want, wantEnd = got, end
		case end != nil:
			want = got
		}
		return compare(got, want, gotEnd, wantEnd, same)
	}
}

// pass is the stage that changes nothing.
func pass[T any](src pipeline.Source[T]) pipeline.Source[T] {
	return pipeline.Inspect(src, func(T, error) {})
}
