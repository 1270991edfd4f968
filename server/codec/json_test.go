package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
)

// order is what the tests read.
type order struct {
	Name  string    `json:"name"`
	Count int8      `json:"count"`
	Items []item    `json:"items"`
	Due   time.Time `json:"due"`
	Key   []byte    `json:"key"`
}

type item struct {
	Price float64        `json:"price"`
	Tags  map[int]string `json:"tags"`
	Paid  *bool          `json:"paid"`
	Own   own            `json:"own"`
}

// own reads JSON itself.
type own struct{}

func (*own) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"public"`:
		return fmt.Errorf("own: %w", &publicError{})
	case `"teapot"`:
		return &server.Error{Code: 418, Message: "I am a teapot."}
	case `"syntax"`:
		return json.Unmarshal([]byte("{"), new(any))
	}
	return nil
}

type publicError struct{}

func (*publicError) Error() string  { return "secret" }
func (*publicError) Public() string { return "It is not one of ours." }

// readText reads a JSON text that is there.
func readText[T any](t *testing.T, text string, options ...JSONOption) (T, error) {
	t.Helper()
	values, err := read(t, func(*pipelinetest.Turn) pipeline.Source[T] {
		return ReadJSON[T](pipeline.Once([]byte(text)), options...)
	})
	var none T
	switch {
	case err == io.EOF && len(values) == 1:
		return values[0], nil
	case err == io.EOF || len(values) > 0:
		t.Fatalf("%q gave the values %v, then %v; one value, or an error, was expected", text, values, err)
	}
	return none, err
}

func TestReadJSONSaysWhatIsWrong(t *testing.T) {
	deep := strings.Repeat("[", 101) + strings.Repeat("]", 101)
	for _, c := range []struct {
		why, text string
		options   []JSONOption
		status    int
		want      string // in what the client is told
	}{
		{"nothing", "", nil, 400, "The content is empty; JSON was expected."},
		{"whitespace", " \r\n\t", nil, 400, "The content is empty; JSON was expected."},
		{"an object that does not end", `{"name":`, nil, 400, "line 1, column 9 (byte 9): the text ends before the value does."},
		{"a string that does not end", `"\`, nil, 400, "line 1, column 3 (byte 3): the text ends"},
		{"a syntax error", "{\n  \"ä\": ?}", nil, 400, "The JSON is malformed at line 2, column 8 (byte 11): invalid character '?' looking for beginning of value."},
		{"a byte order mark", "\ufeff{}", nil, 400, "line 1, column 1 (byte 1): invalid character"},
		{"what is no UTF-8", "{\"name\":\n\"a\xffb\"}", nil, 400, "line 2, column 3 (byte 12): the text is not UTF-8."},
		{"a surrogate in UTF-8", "\"\xed\xa0\x80\"", nil, 400, "(byte 2): the text is not UTF-8."},
		{"data behind the end", "{}\n {}", nil, 400, "line 2, column 2 (byte 5): something stands behind the end of the value."},
		{"garbage behind a number", "12x", nil, 400, "column 3"},
		{"a value of the wrong type with data behind it", `[] x`, nil, 400, "something stands behind the end"},
		{"too deep", deep, nil, 400, "line 1, column 101 (byte 101): arrays and objects lie more than 100 deep in each other."},
		{"deeper than an option allows", `{"name":[]}`, []JSONOption{MaxDepth(1)}, 400, "(byte 9): arrays and objects lie more than 1 deep"},
		{"too long", `{"name":"x"}`, []JSONOption{MaxBytes(11)}, 413, "the content is longer than the 11 bytes allowed"},
		{"a string for an integer", `{"count":"7"}`, nil, 422, "The value at #/count is a string; an integer from -128 to 127 was expected."},
		{"a number out of range", `{"count":128}`, nil, 422, "The value at #/count is the number 128; an integer from -128 to 127 was expected."},
		{"a fraction for an integer", `{"count":1.5}`, nil, 422, "#/count is the number 1.5; an integer"},
		{"a long number", `{"count":1` + strings.Repeat("0", 100) + `}`, nil, 422, "#/count is a number; an integer"},
		{"an object for an array", `{"items":{}}`, nil, 422, "#/items is an object; an array was expected."},
		{"an array for an object", `[1]`, nil, 422, "The value at # is an array; an object was expected."},
		{"a bool for a string", `{"name":true}`, nil, 422, "#/name is true or false; a string was expected."},
		{"deep inside, behind what has names too", `{"name":"{\"[,", "items":[{"price":1,"paid":null},{"price":[]}]}`, nil, 422, "#/items/1/price is an array; a number was expected."},
		{"a number for a pointer to a bool", `{"items":[{"paid":0}]}`, nil, 422, "#/items/0/paid is a number; true or false was expected."},
		{"a name that must be a number", `{"items":[{"tags":{"1":"a","x/~ y":"b"}}]}`, nil, 422, "#/items/0/tags/x~1~0%20y is a string; an integer"},
		{"a number for a time", `{"due":1}`, nil, 422, "A value is not what was expected."},
		{"what is no time", `{"due":"today"}`, nil, 422, "A time as in RFC 3339 was expected"},
		{"a number for bytes", `{"key":1}`, nil, 422, "#/key is a number; a string in base64 was expected."},
		{"what is no base64", `{"key":"?"}`, nil, 422, "A string in base64 was expected"},
		{"an error of a type that reads JSON itself", `{"items":[{"own":"syntax"}]}`, nil, 422, "A value is not what was expected."},
		{"one that is fit for clients", `{"items":[{"own":"public"}]}`, nil, 422, "It is not one of ours."},
		{"one that has a status", `{"items":[{"own":"teapot"}]}`, nil, 418, "I am a teapot."},
		{"null for an object", ` null `, nil, 422, "The value at # is null; an object was expected."},
		{"a member that is not known", `{"nam":"x"}`, []JSONOption{RefuseUnknownMembers()}, 422, `The member "nam" is not known.`},
		{"one with quotes", `{"items":[{"\"\u0000":1}]}`, []JSONOption{RefuseUnknownMembers()}, 422, `The member "\"\x00" is not known.`},
		{"a member that is not known, by default", `{"nam":"x"}`, nil, 200, ""},
		{"data behind the end, allowed", `{"name":"x"} {"name":"y"} ?`, []JSONOption{AllowTrailingData()}, 200, ""},
		{"whitespace around", "\t{} \r\n", nil, 200, ""},
		{"null for a part", `{"name":null,"items":null,"due":null}`, nil, 200, ""},
		{"brackets in strings are not deep", `{"name":"[[\"[["}`, []JSONOption{MaxDepth(1)}, 200, ""},
		{"as long as allowed", `{"name":"x"}`, []JSONOption{MaxBytes(12)}, 200, ""},
	} {
		_, err := readText[order](t, c.text, c.options...)
		if err == nil {
			err = io.EOF
		}
		if statusOf(err) != c.status || c.status != 200 && !strings.Contains(textOf(err), c.want) {
			t.Errorf("%s: %.80q was answered with %d, %q; it should be %d, with %q", c.why, c.text, statusOf(err), textOf(err), c.status, c.want)
		}
	}
}

func TestReadJSONReadsAsTheStandardLibrary(t *testing.T) {
	const text = `{"name":"a\u00e4","count":-128,"items":[{"price":1e2,"tags":{"1":"x"},"paid":true}],"due":"2020-01-02T03:04:05Z","key":"YWI="}`
	var want order
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if got, err := readText[order](t, text); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the value is %+v (%v); %+v was expected", got, err, want)
	}
	if got, err := readText[*order](t, text); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("by a pointer the value is %+v (%v); %+v was expected", got, err, want)
	}
}

// A null in place of everything would give a T that the client has said nothing of.
func TestNullIsOfTheRightTypeOnlyWhereItIsAValue(t *testing.T) {
	status := func(err error) int {
		if err == nil {
			return 200
		}
		return statusOf(err)
	}
	_, pointer := readText[*order](t, "null")
	_, text := readText[string](t, "null")
	_, slice := readText[[]int](t, "null")
	_, table := readText[map[string]int](t, "null")
	_, any := readText[any](t, "null")
	_, raw := readText[json.RawMessage](t, "null")
	_, reads := readText[own](t, "null")
	got := []int{status(pointer), status(text), status(slice), status(table), status(any), status(raw), status(reads)}
	if want := []int{422, 422, 200, 200, 200, 200, 200}; !reflect.DeepEqual(got, want) {
		t.Errorf("null was answered with %v; %v was expected for a pointer, a string, a slice, a map, any, raw JSON and what reads JSON itself", got, want)
	}
}

func TestProblemsOfJSONNameTheirCauseAndPlace(t *testing.T) {
	_, err := readText[order](t, `{"count":[]}`)
	var problem *server.Problem
	var cause *json.UnmarshalTypeError
	if !errors.As(err, &problem) || !errors.As(err, &cause) {
		t.Fatalf("the error is %v; a *server.Problem with the error of encoding/json behind it was expected", err)
	}
	want := []server.FieldError{{Pointer: "#/count", Detail: "is an array; an integer from -128 to 127 was expected"}}
	if !reflect.DeepEqual(problem.Errors, want) {
		t.Errorf("the errors are %+v; %+v was expected", problem.Errors, want)
	}
	_, err = readText[order](t, "?")
	if !errors.As(err, new(*json.SyntaxError)) {
		t.Errorf("behind %v the *json.SyntaxError was expected", err)
	}
}

// jsonModel says what ReadJSON makes of in.
func jsonModel[T any](limit int, options ...JSONOption) func(in []byte, end error) ([]T, error) {
	return func(in []byte, end error) ([]T, error) {
		if len(in) > limit {
			return nil, &pipeline.LimitError{Subject: "the content", Limit: int64(limit)}
		}
		if end != io.EOF {
			return nil, end
		}
		v, err := decodeJSON[T](newJSONReader(options), in)
		if err != nil {
			return nil, err
		}
		return []T{v}, io.EOF
	}
}

func TestReadJSONKeepsTheLaws(t *testing.T) {
	for _, in := range []string{"", `{"name":"a","items":[{"price":1}]}`, "{\"count\":\n300}", `[1,{"a":"ä\n"}]`} {
		for _, limit := range []int{10, 100} {
			pipelinetest.TestBytes(t, pipelinetest.BytesCase[order]{
				Stage: func(src pipeline.Source[[]byte]) pipeline.Source[order] { return ReadJSON[order](src, MaxBytes(limit)) },
				In:    []byte(in), Model: jsonModel[order](limit), Rounds: 4,
			})
			pipelinetest.TestBytes(t, pipelinetest.BytesCase[any]{
				Stage: func(src pipeline.Source[[]byte]) pipeline.Source[any] { return ReadJSON[any](src, MaxBytes(limit)) },
				In:    []byte(in), Model: jsonModel[any](limit), Rounds: 4,
			})
		}
	}
}

// FuzzJSON: what is read is what json.Unmarshal reads, but for what is refused besides; what
// is refused is told in valid text; how the bytes are cut does not show.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"name":"a","items":[{"tags":{"1":"x"}}]}`), []byte{3, 1, 7}, false)
	f.Add([]byte("{\"items\":[{\"price\":1},\n{\"price\":\"\"}]}"), []byte{}, true)
	f.Add([]byte(" null\n"), []byte{1}, false)
	f.Add([]byte(`[[[["\"[`), []byte{2, 2}, false)
	f.Fuzz(func(t *testing.T, in, cuts []byte, strict bool) {
		options := []JSONOption{MaxDepth(3), MaxBytes(len(in))} // decodeJSON, which is the model, has no limit
		if strict {
			options = append(options, RefuseUnknownMembers())
		}
		whole, wholeErr := decodeJSON[order](newJSONReader(options), in)
		got, err := read(t, func(turn *pipelinetest.Turn) pipeline.Source[order] {
			return ReadJSON[order](pipelinetest.Poison(pipelinetest.Stream(turn, cut(in, cuts), nil)), options...)
		})
		switch {
		case wholeErr == nil && (err != io.EOF || len(got) != 1 || !reflect.DeepEqual(got[0], whole)):
			t.Fatalf("%q cut by %v gave %+v, then %v; whole it gave %+v", in, cuts, got, err, whole)
		case wholeErr != nil && (len(got) != 0 || !reflect.DeepEqual(err, wholeErr)):
			t.Fatalf("%q cut by %v gave %+v, then %v; whole it ended with %v", in, cuts, got, err, wholeErr)
		}
		var want order
		wantErr := json.Unmarshal(in, &want)
		_, deep := tooDeep(in, 3)
		refused := strict || !utf8.Valid(in) || deep || isNull(in)
		if wholeErr == nil && (wantErr != nil || !reflect.DeepEqual(whole, want)) || wholeErr != nil && wantErr == nil && !refused {
			t.Errorf("%q was read as %+v, %v; json.Unmarshal reads %+v, %v", in, whole, wholeErr, want, wantErr)
		}
		if wholeErr != nil && (!utf8.ValidString(textOf(wholeErr)) || len(textOf(wholeErr)) > 2000 || statusOf(wholeErr) < 400) {
			t.Errorf("%q is told with %d, %q", in, statusOf(wholeErr), textOf(wholeErr))
		}
	})
}
