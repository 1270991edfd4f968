package multipart

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

const typeB = "multipart/form-data; boundary=b"

// lines joins lines with CRLF, none behind the last.
func lines(all ...string) string { return strings.Join(all, "\r\n") }

const nameA, nameF = `Content-Disposition: form-data; name="a"`, `Content-Disposition: form-data; name="f"; filename="f.txt"`

// forms are forms with the boundary b that are well-formed, and what is in them: name=content.
var forms = []struct{ name, form, want string }{
	{"one field", lines("--b", nameA, "", "one", "--b--", ""), "a=one"},
	{"a field and a file", lines("--b", nameA, "", "one", "--b", nameF, "Content-Type: text/x", "", "two\r\n", "--b--", ""), "a=one f=two\r\n"},
	{"empty contents", lines("--b", nameA, "", "", "--b", nameF, "", "", "--b--", ""), "a= f="},
	{"a delimiter right behind the head", lines("--b", nameA, "", "--b", nameF, "", "--b--"), "a= f="},
	{"no parts", lines("--b--", ""), ""},
	{"a preamble and an epilogue", lines("pre", "--", "--b ", nameA, "", "one", "--b-- \t", "--b", "more"), "a=one"},
	{"a preamble that begins with CRLF", lines("", "", "--b", nameA, "", "one", "--b--"), "a=one"},
	{"white space behind boundaries", lines("--b \t ", nameA, "", "one", "--b-- "), "a=one"},
	{"no CRLF behind the last boundary", lines("--b", nameA, "", "one", "--b--"), "a=one"},
	{"CR behind the last boundary", lines("--b", nameA, "", "one", "--b--\r"), "a=one"},
	{"what is nearly a boundary", lines("--b", nameA, "", "--", "-b", "--", "--bb", "--b-", "--b-x", "\r", "\r\r", "\n--b", "--a", "--b--"),
		"a=--\r\n-b\r\n--\r\n--bb\r\n--b-\r\n--b-x\r\n\r\r\n\r\r\r\n\n--b\r\n--a"},
	{"content that begins as a boundary does", lines("--b", nameA, "", "--bb", "--b", nameF, "", "--b-", "--b--"), "a=--bb f=--b-"},
	{"starts of boundaries one after another", lines("--b", nameA, "", "\r\r\r\n\r\n-\r\n--\r\n--\r\n--b--"), "a=\r\r\r\n\r\n-\r\n--\r\n--"},
	{"a boundary in the middle of a line", lines("--b", nameA, "", "x--b--", "--b--"), "a=x--b--"},
	{"bare LF in front of a boundary", lines("--b", nameA, "", "x\n--b--\n", "--b--"), "a=x\n--b--\n"},
}

func TestPartsKeepTheLaws(t *testing.T) {
	for _, c := range forms {
		t.Run(c.name, func(t *testing.T) {
			parts, _ := reference(c.form, "b", Limits{}, io.EOF)
			pipelinetest.TestBytes(t, pipelinetest.BytesCase[string]{
				Stage: listing("b", Limits{}), In: []byte(c.form), Want: listed(parts), Rounds: 2,
			})
			var contents [][]byte
			for _, p := range parts {
				contents = append(contents, []byte(p.content))
			}
			pipelinetest.TestBytes(t, pipelinetest.BytesCase[[]byte]{
				Stage: func(src pipeline.Source[[]byte]) pipeline.Source[[]byte] {
					return pipeline.Flatten(pipeline.Map(Parts(src, typeB, Limits{}), func(p *Part) (pipeline.Source[[]byte], error) {
						return p.Body, nil
					}))
				},
				In: []byte(c.form), Want: contents, Same: pipelinetest.SameBytes, Rounds: 2,
			})
		})
	}
}

// Forms that end anywhere, properly or not.
func TestPartsThatAreCutAreReadAsTheReferenceReadsThem(t *testing.T) {
	for _, c := range forms {
		for n := range len(c.form) {
			for size := range 4 {
				for _, end := range []error{nil, io.ErrUnexpectedEOF} {
					turn := pipelinetest.NewTurn(t, uint64(n))
					chunks := slices.Collect(slices.Chunk([]byte(c.form[:n]), 1+size*size*size))
					src := listing("b", Limits{})(pipelinetest.Poison(pipelinetest.Stream(turn, chunks, end)))
					got, err := pipelinetest.Drain(turn, src)
					pipelinetest.Close(turn, src)
					if end == nil {
						end = io.EOF
					}
					parts, wantErr := reference(c.form[:n], "b", Limits{}, end)
					if want := listed(parts); !slices.Equal(got, want) || err != wantErr {
						t.Fatalf("%s: %q is read as\n%q, %v, and should be\n%q, %v", c.name, c.form[:n], got, err, want, wantErr)
					}
				}
			}
		}
	}
}

// The reference could be wrong in the same way as what it is held against; this says what is right.
func TestPartsOfForms(t *testing.T) {
	for _, c := range forms {
		values, err := drainForm(t, pipeline.Once([]byte(c.form)), typeB, Limits{})
		var got []string
		for _, v := range values {
			got = append(got, v.Name+"="+string(v.Content))
		}
		if err != io.EOF || strings.Join(got, " ") != c.want {
			t.Errorf("%s: the form has %q and ends with %v, but %q was written", c.name, got, err, c.want)
		}
	}
}

func TestPartsThatNobodyReadsAreSkipped(t *testing.T) {
	form := lines("--b", nameA, "", "one", "--b", nameF, "", "two", "--b--", "the end")
	pipelinetest.TestBytes(t, pipelinetest.BytesCase[string]{
		Stage: func(src pipeline.Source[[]byte]) pipeline.Source[string] {
			return pipeline.Map(Parts(src, typeB, Limits{}), func(p *Part) (string, error) { return p.Name, nil })
		},
		In:   []byte(form),
		Want: []string{"a", "f"}, Rounds: 4,
	})
}

// In refusals the forms are not: want is the error that the parts end with.
var refusals = []struct {
	name, contentType, form string
	want                    error
}{
	{"no type", "", lines("--b--"), errType},
	{"another type", "multipart/mixed; boundary=b", lines("--b--"), errType},
	{"a form of another kind", "application/x-www-form-urlencoded", "a=b", errType},
	{"no boundary", "multipart/form-data", lines("--b--"), errBoundary},
	{"an empty boundary", `multipart/form-data; boundary=""`, lines("----"), errBoundary},
	{"two boundaries", "multipart/form-data; boundary=b; boundary=c", lines("--b--"), errBoundary},
	{"the same boundary twice", "multipart/form-data; boundary=b; Boundary=b", lines("--b--"), errBoundary},
	{"a boundary of 71 bytes", "multipart/form-data; boundary=" + strings.Repeat("b", 71), lines("--b--"), errBoundary},
	{"a boundary that ends with a space", `multipart/form-data; boundary="b "`, lines("--b --"), errBoundary},
	{"a boundary with a sign that it must not have", `multipart/form-data; boundary="b*"`, lines("--b*--"), errBoundary},
	{"a boundary in quotation marks that do not end", `multipart/form-data; boundary="b`, lines("--b--"), errBoundary},
	{"a parameter without a value", "multipart/form-data; boundary=b; x", lines("--b--"), errBoundary},
	{"nothing", typeB, "", errCut},
	{"another boundary", typeB, lines("--c", nameA, "", "one", "--c--"), errCut},
	{"no last boundary", typeB, lines("--b", nameA, "", "one", "--b", ""), errCut},
	{"the end within content", typeB, lines("--b", nameA, "", "one"), errCut},
	{"the end within a boundary", typeB, lines("--b", nameA, "", "one", "--b-"), errCut},
	{"the end within a head", typeB, lines("--b", nameA, ""), errCut},
	{"bare LF behind a boundary", typeB, "--b\n" + nameA + "\n\none\n--b--\n", errPadding},
	{"something behind a boundary", typeB, lines("--b x", nameA, "", "one", "--b--"), errPadding},
	{"something behind the last boundary", typeB, lines("--b", nameA, "", "one", "--b--x"), errPadding},
	{"CR behind a boundary", typeB, lines("--b\r", nameA, "", "one", "--b--"), errPadding},
	{"bare LF in a head", typeB, lines("--b", nameA+"\nX: y", "", "one", "--b--"), errLineEnd},
	{"bare CR in a head", typeB, lines("--b", nameA+"\rX: y", "", "one", "--b--"), errField},
	{"NUL in a head", typeB, lines("--b", nameA, "X: \x00", "", "one", "--b--"), errField},
	{"DEL in a head", typeB, lines("--b", nameA, "X: \x7f", "", "one", "--b--"), errField},
	{"a folded field", typeB, lines("--b", nameA+";", ` filename="x"`, "", "one", "--b--"), errField},
	{"a line that begins with white space", typeB, lines("--b", nameA, " X: y", "", "one", "--b--"), errField},
	{"white space before a colon", typeB, lines("--b", nameA, "X : y", "", "one", "--b--"), errField},
	{"a line that is no field", typeB, lines("--b", nameA, "X", "", "one", "--b--"), errField},
	{"a field without a name", typeB, lines("--b", nameA, ": x", "", "one", "--b--"), errField},
	{"no head", typeB, lines("--b", "", "one", "--b--"), errNoName},
	{"no name", typeB, lines("--b", "Content-Disposition: form-data", "", "one", "--b--"), errNoName},
	{"only a file name", typeB, lines("--b", `Content-Disposition: form-data; filename="x"`, "", "one", "--b--"), errNoName},
	{"two names", typeB, lines("--b", nameA+"; name=b", "", "one", "--b--"), errParameter},
	{"two file names", typeB, lines("--b", nameF+"; filename=b", "", "one", "--b--"), errParameter},
	{"two dispositions", typeB, lines("--b", nameA, "content-disposition: form-data; name=b", "", "one", "--b--"), errTwice},
	{"two types", typeB, lines("--b", nameA, "Content-Type: a/b", "Content-Type: a/b", "", "one", "--b--"), errTwice},
	{"another disposition", typeB, lines("--b", `Content-Disposition: attachment; name="a"`, "", "one", "--b--"), errFormData},
	{"a name that does not end", typeB, lines("--b", `Content-Disposition: form-data; name="a`, "", "one", "--b--"), errParameter},
	{"something behind a name", typeB, lines("--b", `Content-Disposition: form-data; name="a"b`, "", "one", "--b--"), errParameter},
	{"a name that is no token", typeB, lines("--b", `Content-Disposition: form-data; name=ä`, "", "one", "--b--"), errParameter},
	{"65 fields", typeB, lines("--b", nameA, strings.Repeat("X: y\r\n", 64), "one", "--b--"), errFields},
}

func TestPartsRefuse(t *testing.T) {
	for _, c := range refusals {
		for _, size := range []int{1, 2, 7, len(c.form) + 1} {
			turn := pipelinetest.NewTurn(t, 1)
			var chunks [][]byte
			for chunk := range slices.Chunk([]byte(c.form), size) {
				chunks = append(chunks, chunk)
			}
			src := Parts(pipelinetest.Stream(turn, chunks, nil), c.contentType, Limits{})
			_, err := pipelinetest.Drain(turn, src)
			pipelinetest.Close(turn, src)
			if err != c.want {
				t.Errorf("%s, in chunks of %d bytes: the parts ended with %v, and %v was expected", c.name, size, err, c.want)
			}
		}
	}
}

func TestRefusalsSayTheirStatus(t *testing.T) {
	for _, c := range []struct {
		err interface {
			error
			Status() int
			Public() string
		}
		status int
	}{{errType, 415}, {errBoundary, 400}, {errCut, 400}, {errNoName, 400}, {errFields, 413}} {
		if c.err.Status() != c.status || !strings.HasSuffix(c.err.Public(), ".") {
			t.Errorf("the error %q has the status %d, and %d with a sentence was expected", c.err, c.err.Status(), c.status)
		}
	}
}

// CVE-2023-24536 and CVE-2023-45290: parts and lines without end.
func TestPartsAreBounded(t *testing.T) {
	part := []byte(lines("", "--b", nameA, "", ""))
	for _, c := range []struct {
		name          string
		first, repeat []byte
		limits        Limits
		polls         int
		want          string
	}{
		{"endless parts", nil, part, Limits{}, 1001, "The form has more than the 1000 parts allowed."},
		{"endless parts, 5 allowed", nil, part, Limits{Parts: 5}, 6, "The form has more than the 5 parts allowed."},
		{"an endless line", []byte("--b\r\nX: "), bytes.Repeat([]byte("x"), 1000), Limits{}, 10, "The head of a part is longer than the 8192 bytes allowed."},
		{"endless fields", []byte("--b\r\n"), bytes.Repeat([]byte("X: y\r\n"), 100), Limits{Head: 1000}, 3, "The head of a part is longer than the 1000 bytes allowed."},
	} {
		turn := pipelinetest.NewTurn(t, 1)
		chunks := slices.Insert(slices.Repeat([][]byte{c.repeat}, 5000), 0, c.first)
		up := pipelinetest.Watch(turn, pipeline.FromSlice(chunks))
		src := Parts(up, typeB, c.limits)
		_, err := pipelinetest.Drain(turn, src)
		pipelinetest.Close(turn, src)
		var public interface {
			Status() int
			Public() string
		}
		if !errors.As(err, &public) || public.Status() != 413 || public.Public() != c.want {
			t.Errorf("%s: the parts ended with %v, a 413 that says %q was expected", c.name, err, c.want)
		}
		if up.Polls > c.polls+1 {
			t.Errorf("%s: the parts ended after %d chunks, %d were expected", c.name, up.Polls, c.polls)
		}
	}
}

func TestBodyEnds(t *testing.T) {
	form := lines("--b", nameA, "", "one", "--b", nameF, "", "two", "--b", nameA, "", "three", "--b--")
	turn := pipelinetest.NewTurn(t, 1)
	src := Parts(pipelinetest.Watch(turn, pipeline.Once([]byte(form))), typeB, Limits{})
	next := func() *Part {
		p, err := pipelinetest.Poll(turn, src)
		if err != nil {
			t.Fatalf("the form should have another part, and ended with %v", err)
		}
		return p
	}
	whole := next()
	if all, err := pipelinetest.Drain(turn, whole.Body); err != io.EOF || string(bytes.Join(all, nil)) != "one" {
		t.Errorf("the first part is %q and ends with %v, but \"one\" was sent", all, err)
	}
	cut := next()
	if _, err := pipelinetest.Poll(turn, cut.Body); err != nil {
		t.Errorf("the second part should have content, and ended with %v", err)
	}
	last := next()
	if _, err := pipelinetest.Poll(turn, cut.Body); err != ErrPartOver {
		t.Errorf("the body of a part that is over ended with %v, ErrPartOver was expected", err)
	}
	pipelinetest.Close(turn, src)
	for _, c := range []struct {
		name string
		part *Part
		want error
	}{{"that was read whole", whole, io.EOF}, {"that is over", cut, ErrPartOver}, {"whose form was closed", last, pipeline.ErrClosed}} {
		if _, err := pipelinetest.Poll(turn, c.part.Body); err != c.want {
			t.Errorf("the body of a part %s ends with %v, and %v was expected", c.name, err, c.want)
		}
	}
}

func TestBodyThatIsClosedIsSkipped(t *testing.T) {
	form := lines("--b", nameA, "", "one", "--b", nameF, "", "two", "--b--")
	turn := pipelinetest.NewTurn(t, 1)
	src := Parts(pipelinetest.Watch(turn, pipeline.Once([]byte(form))), typeB, Limits{})
	first, _ := pipelinetest.Poll(turn, src)
	first.Body.Close()
	if _, err := pipelinetest.Poll(turn, first.Body); err != pipeline.ErrClosed {
		t.Errorf("a body that was closed ends with %v, ErrClosed was expected", err)
	}
	if second, err := pipelinetest.Poll(turn, src); err != nil || second.Name != "f" {
		t.Errorf("behind a part whose body was closed should come f, and came %v, %v", second, err)
	}
	pipelinetest.Close(turn, src)
}

// What a chunk has of the content is one piece of it, although there are delimiters in it that are none.
func TestContentIsNotCopied(t *testing.T) {
	chunk := []byte(lines("--b", nameA, "", strings.Repeat("content\r\n--bx", 1000)))
	turn := pipelinetest.NewTurn(t, 1)
	src := Parts(pipeline.Once(chunk), typeB, Limits{})
	part, err := pipelinetest.Poll(turn, src)
	if err != nil {
		t.Fatalf("the form should have a part, and ended with %v", err)
	}
	content, err := pipelinetest.Poll(turn, part.Body)
	start := bytes.Index(chunk, []byte("content"))
	if err != nil || &content[0] != &chunk[start] || len(content) != len(chunk)-start {
		t.Errorf("of the content came %d bytes (%v), the %d of the chunk themselves were expected", len(content), err, len(chunk)-start)
	}
	pipelinetest.Close(turn, src)
}
