package codec

import (
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/pipeline/pipelinetest"
	"github.com/penstock-go/penstock/server"
)

func readForm(limits FormLimits) pipeline.Stage[[]byte, Values] {
	return func(src pipeline.Source[[]byte]) pipeline.Source[Values] { return ReadForm(src, limits) }
}

// readFormText reads a form that is there.
func readFormText(t *testing.T, text string, limits FormLimits) (Values, error) {
	t.Helper()
	values, err := read(t, func(*pipelinetest.Turn) pipeline.Source[Values] {
		return ReadForm(pipeline.Once([]byte(text)), limits)
	})
	if err != io.EOF {
		return nil, err
	}
	return values[0], nil
}

func TestFormIsReadAsTheStandardSays(t *testing.T) {
	for text, want := range map[string]Values{
		"":                 nil,
		"&&":               nil,
		"a=1&b=2":          {{"a", "1"}, {"b", "2"}},
		"b=2&a=1&b=3":      {{"b", "2"}, {"a", "1"}, {"b", "3"}},
		"a":                {{"a", ""}},
		"a=":               {{"a", ""}},
		"=b":               {{"", "b"}},
		"=":                {{"", ""}},
		"a==b=c":           {{"a", "=b=c"}},
		"a+b=+c%20+":       {{"a b", " c  "}},
		"%3D=%26%2B&%41=B": {{"=", "&+"}, {"A", "B"}},
		"a=%4a%4A":         {{"a", "JJ"}},
		"a=%zz%4&%=%%41":   {{"a", "%zz%4"}, {"%", "%A"}},
		"a=1;b=2":          {{"a", "1;b=2"}},
		"ä=%C3%A4":         {{"ä", "ä"}},
		"a=%FF\xfe":        {{"a", "\uFFFD"}},
		"a=b\r\n":          {{"a", "b\r\n"}},
		"a=%00%0D%0A":      {{"a", "\x00\r\n"}},
		"\ufeffa=\ufeffb":  {{"\ufeffa", "\ufeffb"}},
	} {
		if got, err := readFormText(t, text, FormLimits{}); err != nil || !slices.Equal(got, want) {
			t.Errorf("the form %q was read as %q, %v; %q was expected", text, got, err, want)
		}
	}
}

func TestFormIsCapped(t *testing.T) {
	for _, c := range []struct {
		why, text string
		limits    FormLimits
		status    int
	}{
		{"as many pairs as allowed", strings.Repeat("a&", 1000), FormLimits{}, 200},
		{"one more", strings.Repeat("a&", 1001), FormLimits{}, 413},
		{"100,000 pairs", strings.Repeat("a=b&", 100_000), FormLimits{}, 413},
		{"as many bytes as allowed", strings.Repeat("a", 1<<20), FormLimits{}, 200},
		{"one more byte", strings.Repeat("a", 1<<20+1), FormLimits{}, 413},
		{"what is between two & is no pair", strings.Repeat("&", 1<<20), FormLimits{}, 200},
		{"limits of one's own", "a&b", FormLimits{Bytes: 3, Pairs: 2}, 200},
		{"too many bytes by a limit of one's own", "a&b&", FormLimits{Bytes: 3, Pairs: 2}, 413},
		{"too many pairs by a limit of one's own", "a&b&c", FormLimits{Bytes: 5, Pairs: 2}, 413},
	} {
		_, err := readFormText(t, c.text, c.limits)
		if err == nil {
			err = io.EOF
		}
		if statusOf(err) != c.status {
			t.Errorf("%s: the form was answered with %d, %v; it should be %d", c.why, statusOf(err), err, c.status)
		}
	}
}

// A form that is refused takes no memory for what is behind the pair that was one too many.
func TestFormThatIsRefusedTakesLittleMemory(t *testing.T) {
	text := strings.Repeat("a=%41&", 100_000)
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := parseForm(text, 10); err == nil {
			t.Error("a form of 100,000 pairs should be refused where 10 are allowed")
		}
	})
	if allocated > 40 {
		t.Errorf("a form that was refused after 10 pairs has allocated %v times", allocated)
	}
}

func TestReadFormKeepsTheLaws(t *testing.T) {
	for _, in := range []string{"", "a=1&b=%20+&a=%", "a&b&c&d"} {
		limits := FormLimits{Bytes: 12, Pairs: 3}
		pipelinetest.TestBytes(t, pipelinetest.BytesCase[Values]{
			Stage: readForm(limits), In: []byte(in),
			Model: func(in []byte, end error) ([]Values, error) {
				if len(in) > limits.Bytes {
					return nil, &pipeline.LimitError{Subject: "the content", Limit: int64(limits.Bytes)}
				}
				values, err := parseForm(string(in), limits.Pairs)
				switch {
				case end != io.EOF:
					return nil, end
				case err != nil:
					return nil, err
				}
				return []Values{values}, io.EOF
			},
		})
	}
}

func TestValues(t *testing.T) {
	values := Values{{"a", "1"}, {"b", ""}, {"a", "2"}}
	if values.Get("a") != "1" || values.Get("b") != "" || values.Get("c") != "" {
		t.Errorf("Get returned %q, %q and %q for a, b and c; the first value of each was expected", values.Get("a"), values.Get("b"), values.Get("c"))
	}
	if !values.Has("a") || !values.Has("b") || values.Has("c") {
		t.Error("Has should find a and b, which is empty, and not c")
	}
	if all := slices.Collect(values.All("a")); !slices.Equal(all, []string{"1", "2"}) {
		t.Errorf("All gave %q for a; both values were expected, in their order", all)
	}
}

func TestFormOfARequest(t *testing.T) {
	a := serve(t, func(r *server.Request) server.Response {
		return WithForm(r, func(v Values) server.Response { return server.Text(200, v.Get("name")) }, FormLimits{Bytes: 20})
	})
	for _, c := range []struct {
		why, fields, body string
		status            int
		want              string
	}{
		{"a form", "Content-Type: application/x-www-form-urlencoded\r\n", "name=A+B", 200, "A B"},
		{"with parameters", "Content-Type: Application/X-WWW-Form-URLEncoded; charset=\"UTF-8\"\r\n", "name=A", 200, "A"},
		{"in another charset", "Content-Type: application/x-www-form-urlencoded; charset=latin1\r\n", "name=A", 415, `The charset is \"latin1\"`},
		{"no type", "", "name=A", 415, "application/x-www-form-urlencoded was expected"},
		{"another type", "Content-Type: multipart/form-data; boundary=x\r\n", "name=A", 415, "application/x-www-form-urlencoded was expected"},
		{"too long, which shows before it is sent", "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 21\r\nExpect: 100-continue\r\n", "", 413,
			"longer than the 20 bytes"},
		{"nothing", "Content-Type: application/x-www-form-urlencoded\r\n", "", 200, ""},
	} {
		if status, _, content := a.post(c.fields, c.body); status != c.status || !strings.Contains(content, c.want) {
			t.Errorf("%s: the answer is %d, %q; it should be %d, with %q", c.why, status, content, c.status, c.want)
		}
	}
}

// HOSTILE row 35: 100,000 values cost their sender one answer, and nobody else anything.
func TestFormOfManyValuesIsRefused(t *testing.T) {
	a := serve(t, func(r *server.Request) server.Response {
		return WithForm(r, func(v Values) server.Response { return server.Text(200, v.Get("name")) }, FormLimits{})
	})
	const fields = "Content-Type: application/x-www-form-urlencoded\r\n"
	if status, contentType, content := a.post(fields, strings.Repeat("a=b&", 100_000)); status != 413 ||
		contentType != "application/problem+json" || !strings.Contains(content, "more than the 1000 values allowed") {
		t.Errorf("the answer is %d, %q, %q; 413 with a problem that says the limit was expected", status, contentType, content)
	}
	if status, _, content := a.post(fields, "name=A"); status != 200 || content != "A" {
		t.Errorf("the next request was answered with %d, %q; 200, \"A\" was expected", status, content)
	}
}

// FuzzForm: what net/url reads without an error is read as the same; what comes out is UTF-8,
// and what is encoded of it is read as the same again.
func FuzzForm(f *testing.F) {
	f.Add([]byte("a=1&b=%20+&a=%"), []byte{3, 1, 7})
	f.Add([]byte("&=&==%ff%C3%A4&+"), []byte{})
	f.Add([]byte("a;b=\xff"), []byte{1})
	f.Fuzz(func(t *testing.T, in, cuts []byte) {
		limits := FormLimits{Bytes: len(in) + 1, Pairs: len(in) + 1} // more than can be in it, however long it is
		got, err := read(t, func(turn *pipelinetest.Turn) pipeline.Source[Values] {
			return ReadForm(pipelinetest.Poison(pipelinetest.Stream(turn, cut(in, cuts), nil)), limits)
		})
		if err != io.EOF || len(got) != 1 {
			t.Fatalf("%q cut by %v gave %q, then %v; one value was expected", in, cuts, got, err)
		}
		var encoded []string
		query := url.Values{}
		for _, v := range got[0] {
			if !utf8.ValidString(v.Name) || !utf8.ValidString(v.Value) {
				t.Fatalf("%q was read as %q, which is no UTF-8", in, got[0])
			}
			query.Add(v.Name, v.Value)
			encoded = append(encoded, url.QueryEscape(v.Name)+"="+url.QueryEscape(v.Value))
		}
		if want, err := url.ParseQuery(string(in)); err == nil && isUTF8(want) && !reflect.DeepEqual(want, query) {
			t.Fatalf("%q was read as %q; net/url reads it as %q", in, query, want)
		}
		if again, err := parseForm(strings.Join(encoded, "&"), limits.Pairs); err != nil || !slices.Equal(again, got[0]) {
			t.Fatalf("%q was encoded and read as %q, %v", got[0], again, err)
		}
	})
}

// isUTF8 says whether all of query is UTF-8, each name and value by itself; net/url lets other bytes be.
func isUTF8(query url.Values) bool {
	for name, values := range query {
		if !utf8.ValidString(name) || slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
			return false
		}
	}
	return true
}
