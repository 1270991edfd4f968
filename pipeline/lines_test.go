package pipeline_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func lines(limit int) pipeline.Stage[[]byte, []byte] {
	return func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] { return pipeline.Lines(src, limit) }
}

// linesModel says what Lines makes of in, by bytes.Split.
func linesModel(in []byte, end error, limit int) (out [][]byte, _ error) {
	all := bytes.Split(in, []byte{'\n'})
	for i, line := range all {
		if i == len(all)-1 { // what no LF ended
			switch {
			case len(line) > limit+1 || len(line) == limit+1 && (end == io.EOF || line[limit] != '\r'):
			case end == io.EOF && len(line) > 0:
				return append(out, line), end
			default:
				return out, end
			}
		}
		if i < len(all)-1 {
			line = bytes.TrimSuffix(line, []byte{'\r'})
		}
		if len(line) > limit {
			return out, &pipeline.LimitError{Subject: "a line", Limit: int64(limit)}
		}
		out = append(out, line)
	}
	return out, end
}

func TestLines(t *testing.T) {
	for _, in := range []string{"", "\n", "\r\n", "one\ntwo\r\nthree", "\n\n a\rb\r\r\nabcd\r\n", "abcd\r", "no end\r\n"} {
		for _, limit := range []int{0, 1, 4, 5, math.MaxInt} {
			pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
				Stage: lines(limit),
				In:    []byte(in),
				Model: func(in []byte, end error) ([][]byte, error) {
					return linesModel(in, end, min(limit, math.MaxInt-1))
				},
				Rounds: 4,
			})
		}
	}
}

// The model is itself checked against cases written by hand.
func TestLinesByHand(t *testing.T) {
	for _, c := range []struct {
		in    string
		limit int
		want  []string
		long  bool
	}{
		{"a\nb\r\nc", 10, []string{"a", "b", "c"}, false},
		{"a\n\n", 10, []string{"a", ""}, false},
		{"abc\r\nabcd\n", 3, []string{"abc"}, true},
		{"abc\r", 3, nil, true},
		{"abc\r", 4, []string{"abc\r"}, false},
		{"ab\rc\r\r\n", 5, []string{"ab\rc\r"}, false},
		{"", -1, nil, false},
		{"\na\n", -1, []string{""}, true},
	} {
		var got []string
		all, err := drain(t, pipeline.Lines(pipeline.Once([]byte(c.in)), c.limit))
		for _, line := range all {
			got = append(got, string(line))
		}
		if !slices.Equal(got, c.want) || (err != io.EOF) != c.long {
			t.Errorf("the lines of %q up to %d bytes are %q, then %v; %q were expected, and one too long: %v",
				c.in, c.limit, got, err, c.want, c.long)
		}
	}
}

func TestLinesOfOneChunkAreNotCopied(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	chunk := []byte("one\ntwo\n")
	src := pipeline.Lines(pipeline.Once(chunk), 10)
	for i, start := range []int{0, 4} {
		line, err := pipelinetest.Poll(turn, src)
		if err != nil || &line[0] != &chunk[start] {
			t.Errorf("line %d is %q (%v) and was copied, the bytes of the chunk themselves were expected", i, line, err)
		}
	}
	pipelinetest.Close(turn, src)
}

func TestLinesEndWithClose(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	src := pipeline.Lines(pipeline.Once([]byte("one\ntwo\n")), 10)
	_, _ = pipelinetest.Poll(turn, src)
	closed(t, "Lines, after its first line,", src)
}

// A line that no LF ends is given up at the limit, not read on to its end.
func TestLinesKeepsNoMoreThanTheLimit(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	chunks := slices.Repeat([][]byte{bytes.Repeat([]byte{'x'}, 1000)}, 20)
	up := pipelinetest.Watch(turn, pipeline.FromSlice(chunks))
	src := pipeline.Lines(up, 2500)
	_, err := pipelinetest.Drain(turn, src)
	var limit *pipeline.LimitError
	if !errors.As(err, &limit) || limit.Limit != 2500 || up.Polls != 3 {
		t.Errorf("a long line ended with %v after %d chunks, a *LimitError after 3 was expected", err, up.Polls)
	}
	pipelinetest.Close(turn, src)
}

// FuzzLines: however bytes are cut, the lines are those that bytes.Split finds.
func FuzzLines(f *testing.F) {
	f.Add([]byte("one\ntwo\r\nthree"), []byte{3, 1, 7}, uint8(4))
	f.Add([]byte("abc\r\n\r\rabcd\r\n"), []byte{4, 1}, uint8(3))
	f.Add([]byte("\n\n\n"), []byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, in, cuts []byte, limit uint8) {
		var chunks [][]byte
		rest := in
		for _, n := range cuts {
			n := min(int(n), len(rest))
			chunks = append(chunks, rest[:n])
			rest = rest[n:]
		}
		chunks = append(chunks, rest)
		turn := pipelinetest.NewTurn(t, uint64(limit)+uint64(len(cuts))<<8)
		src := pipeline.Lines(pipelinetest.Poison(pipelinetest.Stream(turn, chunks, nil)), int(limit))
		got, err := pipelinetest.Drain(turn, src)
		pipelinetest.Close(turn, src)
		want, wantErr := linesModel(in, io.EOF, int(limit))
		if !slices.EqualFunc(got, want, bytes.Equal) || err.Error() != wantErr.Error() {
			t.Errorf("%q cut to %q: the lines are %q, then %v; %q and %v were expected", in, chunks, got, err, want, wantErr)
		}
	})
}

func ExampleLines() {
	body := pipeline.FromSlice([][]byte{[]byte("the first li"), []byte("ne\r\nand another"), []byte("\n")})
	showBytes(pipeline.Lines(body, 80))
	// Output:
	// "the first line"
	// "and another"
	// EOF
}
