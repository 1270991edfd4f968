package codec

import (
	"bytes"
	"encoding/csv"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

func TestCSVIsWrittenAsTheStandardSays(t *testing.T) {
	for _, c := range []struct {
		row  []string
		want string
	}{
		{[]string{"a", "b c", ""}, "a,b c,\r\n"},
		{[]string{"", ""}, ",\r\n"},
		{[]string{""}, "\"\"\r\n"},
		{[]string{`say "x"`, `"`, `""`}, `"say ""x""","""",""""""` + "\r\n"},
		{[]string{"a,b", "a\nb", "a\rb", "a\r\nb"}, "\"a,b\",\"a\nb\",\"a\rb\",\"a\r\nb\"\r\n"},
		{[]string{"ä;\t", " a "}, "ä;\t, a \r\n"},
		{[]string{"=1+1"}, "=1+1\r\n"},
	} {
		chunks, err := read(t, func(*pipelinetest.Turn) pipeline.Source[[]byte] { return WriteCSV(pipeline.Once(c.row)) })
		if err != io.EOF || len(chunks) != 1 || string(chunks[0]) != c.want {
			t.Errorf("the row %q was written as %q, then %v; %q was expected", c.row, chunks, err, c.want)
		}
	}
	if chunks, err := read(t, func(*pipelinetest.Turn) pipeline.Source[[]byte] { return WriteCSV(pipeline.Once([]string{})) }); err == io.EOF {
		t.Errorf("a row without fields was written as %q; an error was expected", chunks)
	}
}

func TestFormulasAreGuardedAgainst(t *testing.T) {
	for field, want := range map[string]string{
		"=1+1": "'=1+1", "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0", "-2+3": "'-2+3", "@SUM(A1)": "'@SUM(A1)",
		"\t=1": "'\t=1", "\r=1": "\"'\r=1\"", "=\"a\"": `"'=""a"""`, "＝1": "'＝1", "-": "'-", "-1e5": "'-1e5",
		"-1.5": "-1.5", "+12": "+12", "-.5": "-.5", "1=1": "1=1", "": `""`, "a": "a", " =1": " =1",
	} {
		chunks, err := read(t, func(*pipelinetest.Turn) pipeline.Source[[]byte] {
			return WriteCSV(pipeline.Once([]string{field}), GuardFormulas())
		})
		if err != io.EOF || len(chunks) != 1 || string(chunks[0]) != want+"\r\n" {
			t.Errorf("the field %q was written as %q, then %v; %q was expected", field, chunks, err, want+"\r\n")
		}
	}
}

func TestWriteCSVKeepsTheLaws(t *testing.T) {
	large := strings.Repeat("x", 2*largestKept)
	pipelinetest.TestStage(t, pipelinetest.StageCase[[]string, []byte]{
		Stage:  func(src pipeline.Source[[]string]) pipeline.Source[[]byte] { return WriteCSV(src) },
		In:     [][]string{{"a", "b"}, {large}, {`"`}, {""}},
		Want:   [][]byte{[]byte("a,b\r\n"), []byte(large + "\r\n"), []byte("\"\"\"\"\r\n"), []byte("\"\"\r\n")},
		Rounds: 8,
	})
}

func TestCSVSaysWhetherItHasAHeader(t *testing.T) {
	rows := func() pipeline.Source[[]string] { return pipeline.FromSlice([][]string{{"1", "=2"}}) }
	for _, c := range []struct {
		header            []string
		contentType, want string
	}{
		{nil, "text/csv; charset=utf-8; header=absent", "1,'=2\r\n"},
		{[]string{"a", "b"}, "text/csv; charset=utf-8; header=present", "a,b\r\n1,'=2\r\n"},
	} {
		response := CSV(c.header, rows(), GuardFormulas())
		if contentType, _ := response.Field("Content-Type"); response.Status() != 200 || contentType != c.contentType {
			t.Errorf("the response is %d, %q; 200 and %q were expected", response.Status(), contentType, c.contentType)
		}
		var got []byte
		response.MapBody(func(body pipeline.Source[[]byte]) pipeline.Source[[]byte] {
			chunks, err := read(t, func(*pipelinetest.Turn) pipeline.Source[[]byte] { return body })
			if got = bytes.Join(chunks, nil); err != io.EOF {
				t.Errorf("the body ended with %v", err)
			}
			return body
		})
		if string(got) != c.want {
			t.Errorf("the body is %q; %q was expected", got, c.want)
		}
	}
}

// FuzzCSV: what is written is what encoding/csv reads. That takes CRLF in a field for LF, and
// so what is written has no CR here.
func FuzzCSV(f *testing.F) {
	f.Add("a", "b,c", "\"d\"", uint8(3))
	f.Add("", "", "=1+1", uint8(1))
	f.Add("a\nb", " c", "\\.", uint8(2))
	f.Fuzz(func(t *testing.T, a, b, c string, n uint8) {
		row := []string{a, b, c}[:1+n%3]
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], "\r", "")
		}
		rows := [][]string{row, {"x", "y"}, row}
		chunks, err := read(t, func(turn *pipelinetest.Turn) pipeline.Source[[]byte] {
			return WriteCSV(pipelinetest.Stream(turn, rows, nil))
		})
		reader := csv.NewReader(bytes.NewReader(bytes.Join(chunks, nil)))
		reader.FieldsPerRecord = -1
		got, readErr := reader.ReadAll()
		if err != io.EOF || readErr != nil || !reflect.DeepEqual(got, rows) {
			t.Fatalf("%q was written as %q, %v, and read as %q, %v", rows, chunks, err, got, readErr)
		}
	})
}
