package codec

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func readNDJSON[T any](limit int, options ...JSONOption) pipeline.Stage[[]byte, T] {
	return func(src pipeline.Source[[]byte]) pipeline.Source[T] { return ReadNDJSON[T](src, limit, options...) }
}

// ndjsonModel says what ReadNDJSON makes of in: of each line what ReadJSON makes of it.
func ndjsonModel[T any](t *testing.T, in []byte, end error, limit int, options ...JSONOption) (values []T, _ error) {
	t.Helper()
	lines, err := read(t, func(turn *pipelinetest.Turn) pipeline.Source[[]byte] {
		return pipeline.Lines(pipelinetest.Stream(turn, [][]byte{in}, end), limit)
	})
	j := newJSONReader(options)
	for _, line := range lines {
		j.line++
		if len(bytes.Trim(line, " \t\r\n")) == 0 { // the whitespace of RFC 8259, section 2
			continue
		}
		v, err := decodeJSON[T](j, line)
		if err != nil {
			return values, err
		}
		values = append(values, v)
	}
	j.line++
	return values, j.located(err)
}

func TestReadNDJSONKeepsTheLaws(t *testing.T) {
	for _, in := range []string{"", "{\"count\":1}\n\n \r\n{\"name\":\"b\"}", "{}\n{\"count\":1000}\n{}\n", "{}\n{\n}\n"} {
		for _, limit := range []int{8, 100} {
			pipelinetest.TestBytes(t, pipelinetest.BytesCase[order]{
				Stage: readNDJSON[order](limit), In: []byte(in), Rounds: 4,
				Model: func(in []byte, end error) ([]order, error) {
					if end == io.EOF {
						end = nil
					}
					return ndjsonModel[order](t, in, end, limit)
				},
			})
		}
	}
}

func TestReadNDJSONTellsTheLine(t *testing.T) {
	for _, c := range []struct {
		text   string
		values int
		status int
		want   string
	}{
		{"{}\n\r\n{}", 2, 200, ""},
		{"{}\n\n{\"count\":}\n", 1, 400, "The JSON is malformed at line 3, column 10 (byte 10): invalid character '}'"},
		{"{}\n{\"count\":\"\"}\n", 1, 422, "Line 2: The value at #/count is a string"},
		{"{} {}\n", 0, 400, "line 1, column 4 (byte 4): something stands behind"},
		{"\xff\n", 0, 400, "line 1, column 1 (byte 1): the text is not UTF-8"},
		{"{}\n\n\n" + strings.Repeat(" ", 31) + "\n", 1, 413, "line 4 is longer than the 30 bytes allowed"},
		{"{\n}\n", 0, 400, "line 1, column 2 (byte 2): the text ends before the value does"},
	} {
		values, err := read(t, func(*pipelinetest.Turn) pipeline.Source[order] {
			return ReadNDJSON[order](pipeline.Once([]byte(c.text)), 30)
		})
		if len(values) != c.values || statusOf(err) != c.status || c.status != 200 && !strings.Contains(textOf(err), c.want) {
			t.Errorf("%q gave %d values, then %d, %q; it should give %d, then %d, %q",
				c.text, len(values), statusOf(err), textOf(err), c.values, c.status, c.want)
		}
	}
}

// A million blank lines are read in a constant stack, and the loop is not held while they are.
func TestReadNDJSONSkipsManyBlankLines(t *testing.T) {
	var wakes wakeCounter
	source := ReadNDJSON[int](pipeline.Once(append(bytes.Repeat([]byte{'\n'}, 1_000_000), '7')), 10)
	var err error
	v, pending := 0, 0
	for v, err = source.Poll(&wakes); err == pipeline.ErrPending; v, err = source.Poll(&wakes) {
		pending++
	}
	if v != 7 || err != nil || pending < 1000 || int(wakes) != pending {
		t.Errorf("after a million blank lines came %d, %v, and %d times nothing with %d wakes; 7, and many times nothing, each with a wake, was expected",
			v, err, pending, wakes)
	}
	source.Close()
}

// wakeCounter counts how often it is woken.
type wakeCounter int

func (c *wakeCounter) Wake() { *c++ }

func TestReadNDJSONEndsWithClose(t *testing.T) {
	turn := pipelinetest.NewTurn(t, 1)
	source := ReadNDJSON[int](pipeline.Once([]byte("1\n2\n")), 10)
	_, _ = pipelinetest.Poll(turn, source)
	source.Close()
	source.Close()
	if _, err := source.Poll(turn); err != pipeline.ErrClosed {
		t.Errorf("polled after it was closed it gave %v; pipeline.ErrClosed was expected", err)
	}
}

func TestWriteNDJSONKeepsTheLaws(t *testing.T) {
	pipelinetest.TestStage(t, pipelinetest.StageCase[any, []byte]{
		Stage: WriteNDJSON[any],
		In:    []any{1, "a\n<&>", json.RawMessage("{\n}"), strings.Repeat("x", 2*largestKept), nil, []int{}},
		Want: [][]byte{[]byte("1\n"), []byte("\"a\\n<&>\"\n"), []byte("{}\n"),
			[]byte(`"` + strings.Repeat("x", 2*largestKept) + "\"\n"), []byte("null\n"), []byte("[]\n")},
		Rounds: 8,
	})
}

func TestValueThatCannotBeEncodedEndsTheLines(t *testing.T) {
	lines, err := read(t, func(*pipelinetest.Turn) pipeline.Source[[]byte] {
		return WriteNDJSON(pipeline.FromSlice([]float64{1, math.NaN(), 2}))
	})
	if len(lines) != 1 || err == io.EOF || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("the lines are %q, then %v; one line and an error that names NaN were expected", lines, err)
	}
}

func TestNDJSONIsSentLineByLine(t *testing.T) {
	response := NDJSON(pipeline.FromSlice([]int{1, 2}))
	if contentType, _ := response.Field("Content-Type"); response.Status() != 200 || contentType != "application/x-ndjson" {
		t.Errorf("the response is %d, %q; 200 and application/x-ndjson were expected", response.Status(), contentType)
	}
	if length, streams := response.Streams(); !streams || length != -1 {
		t.Errorf("the response should be a stream of unknown length, and is %v, %d", streams, length)
	}
}

// FuzzNDJSON: however bytes are cut, the values are those of the lines one by one, and what is
// written of them is read as the same.
func FuzzNDJSON(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n\r\n[2]"), []byte{3, 1, 7}, uint8(20))
	f.Add([]byte("1\n2\n3x\n"), []byte{4, 1}, uint8(3))
	f.Add([]byte("\n\n\xff\n"), []byte{}, uint8(0))
	f.Fuzz(func(t *testing.T, in, cuts []byte, limit uint8) {
		in = in[:min(len(in), 50_000)] // pipelinetest.Drain polls 100,000 times, and each byte may be a line
		values, err := read(t, func(turn *pipelinetest.Turn) pipeline.Source[any] {
			return ReadNDJSON[any](pipelinetest.Poison(pipelinetest.Stream(turn, cut(in, cuts), nil)), int(limit))
		})
		want, wantErr := ndjsonModel[any](t, in, nil, int(limit))
		if !reflect.DeepEqual(values, want) || !reflect.DeepEqual(err, wantErr) {
			t.Fatalf("%q cut by %v gave %v, then %v; %v, then %v was expected", in, cuts, values, err, want, wantErr)
		}
		again, err := read(t, func(turn *pipelinetest.Turn) pipeline.Source[any] {
			return ReadNDJSON[any](WriteNDJSON(pipelinetest.Stream(turn, values, nil)), math.MaxInt, MaxDepth(200))
		})
		if err != io.EOF || !reflect.DeepEqual(again, values) {
			t.Fatalf("%v was written and read as %v, %v", values, again, err)
		}
	})
}
