package multipart

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// drainForm reads a form whole.
func drainForm(t *testing.T, src pipeline.Source[[]byte], contentType string, limits Limits) (Values, error) {
	t.Helper()
	turn := pipelinetest.NewTurn(t, 1)
	f := Form(src, contentType, limits)
	all, err := pipelinetest.Drain(turn, f)
	pipelinetest.Close(turn, f)
	if len(all) > 1 || len(all) == 0 && err == io.EOF {
		t.Errorf("a form should be one value, and is %d", len(all))
	}
	if len(all) == 0 {
		return nil, err
	}
	return all[0], err
}

// texts is the stage that gives the form as text.
func texts(limits Limits) pipeline.Stage[[]byte, string] {
	return func(src pipeline.Source[[]byte]) pipeline.Source[string] {
		return pipeline.Map(Form(src, typeB, limits), func(values Values) (string, error) {
			var b strings.Builder
			for _, v := range values {
				fmt.Fprintf(&b, "%s=%q ", describe(v.Part), v.Content)
			}
			return b.String(), nil
		})
	}
}

func TestFormKeepsTheLaws(t *testing.T) {
	for _, limit := range []int{0, 60, 130, 160} {
		form := forms[1].form
		want, end := formModel(form, io.EOF, limit)
		if end == io.EOF {
			end = nil // as a case of pipelinetest says it
		}
		pipelinetest.TestBytes(t, pipelinetest.BytesCase[string]{
			Stage: texts(Limits{Form: limit}), In: []byte(form), Want: want, WantEnd: end, Rounds: 2,
		})
	}
}

func TestFormIsWhatTheReferenceReads(t *testing.T) {
	for _, limit := range []int{0, 60, 130, 160} {
		for _, c := range forms {
			for n := range len(c.form) + 1 {
				turn := pipelinetest.NewTurn(t, uint64(n))
				chunks := slices.Collect(slices.Chunk([]byte(c.form[:n]), 1+n%20))
				src := texts(Limits{Form: limit})(pipelinetest.Poison(pipelinetest.Stream(turn, chunks, nil)))
				got, err := pipelinetest.Drain(turn, src)
				pipelinetest.Close(turn, src)
				want, wantErr := formModel(c.form[:n], io.EOF, limit)
				if !slices.Equal(got, want) || err.Error() != wantErr.Error() {
					t.Fatalf("%s: the form %q, of at most %d bytes, is %q, %v, and should be %q, %v", c.name, c.form[:n], limit, got, err, want, wantErr)
				}
			}
		}
	}
}

// formModel is what comes out of a form of at most limit bytes, 0 for any number.
func formModel(in string, end error, limit int) ([]string, error) {
	parts, err := reference(in, "b", Limits{}, end)
	size := 0
	var b strings.Builder
	for _, p := range parts {
		for _, field := range p.part.Fields {
			size += len(field.Name) + len(field.Value)
		}
		size += len(p.content)
		if limit > 0 && size > limit {
			return nil, overLimit("the form", limit)
		}
		fmt.Fprintf(&b, "%s=%q ", describe(p.part), p.content)
	}
	if err != io.EOF {
		return nil, err
	}
	return []string{b.String()}, io.EOF
}

func TestValues(t *testing.T) {
	form := lines("--b", nameF, "", "a file", "--b", `Content-Disposition: form-data; name="f"`, "", "a value", "--b", nameA, "", "1",
		"--b", nameA, "", "2", "--b--", "")
	values, err := drainForm(t, pipeline.Once([]byte(form)), typeB, Limits{})
	if err != io.EOF || len(values) != 4 {
		t.Fatalf("the form has %d entries and ends with %v, 4 were sent", len(values), err)
	}
	for name, want := range map[string]string{"a": "1", "f": "a value", "other": ""} {
		if got := values.Get(name); got != want {
			t.Errorf("the value of %s is %q, and should be %q", name, got, want)
		}
	}
	if file := values[0]; !file.File || file.FileName != "f.txt" || string(file.Content) != "a file" {
		t.Errorf("the first entry is %q %q, and should be the file f.txt", file.FileName, file.Content)
	}
}

func TestFormOverItsLimit(t *testing.T) {
	form := lines("--b", nameA, "", strings.Repeat("x", 1<<20), "--b--", "")
	values, err := drainForm(t, pipeline.Once([]byte(form)), typeB, Limits{})
	var limit *pipeline.LimitError
	if values != nil || !errors.As(err, &limit) || limit.Limit != 1<<20 || limit.Status() != 413 {
		t.Errorf("a form of more than 1 MiB ended with %v, a *LimitError was expected", err)
	}
	if values, err = drainForm(t, pipeline.Once([]byte(form)), typeB, Limits{Form: -1}); err != io.EOF || len(values) != 1 {
		t.Errorf("a form without a limit has %d entries and ends with %v, one was expected", len(values), err)
	}
}
