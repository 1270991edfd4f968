package multipart

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline/pipelinetest"
)

// cutAs cuts in into chunks of the sizes in cuts; the rest is one.
func cutAs(in, cuts []byte) [][]byte {
	var chunks [][]byte
	for _, n := range cuts {
		n := min(int(n), len(in))
		chunks = append(chunks, in[:n])
		in = in[n:]
	}
	return append(chunks, in)
}

// FuzzParts: however any bytes are cut, they are read as the reference reads them whole, and no more than a head is held.
func FuzzParts(f *testing.F) {
	for _, c := range forms {
		f.Add([]byte(c.form), []byte{3, 1, 40, 7})
	}
	for _, c := range refusals {
		f.Add([]byte(c.form), []byte{50, 0, 2})
	}
	f.Add([]byte(strings.Repeat(lines("--b", nameA, "", "x", ""), 5)+"--b--"), []byte{9})
	f.Fuzz(func(t *testing.T, in, cuts []byte) {
		limits := Limits{Head: 100, Parts: 4}
		turn := pipelinetest.NewTurn(t, uint64(len(in))+uint64(len(cuts))<<32)
		src := listing("b", limits)(pipelinetest.Poison(pipelinetest.Stream(turn, cutAs(in, cuts), nil)))
		got, err := pipelinetest.Drain(turn, src)
		pipelinetest.Close(turn, src)
		parts, wantErr := reference(string(in), "b", limits, io.EOF)
		if want := listed(parts); !slices.Equal(got, want) {
			t.Errorf("%q cut at %v: the parts are\n%q, and should be\n%q", in, cuts, got, want)
		}
		if err.Error() != wantErr.Error() {
			t.Errorf("%q cut at %v: the parts ended with %v, and should with %v", in, cuts, err, wantErr)
		}
	})
}

// FuzzScannerHoldsLittle: nothing grows with the content, whatever it is.
func FuzzScannerHoldsLittle(f *testing.F) {
	f.Add([]byte(forms[1].form), []byte{3, 1, 40, 7})
	f.Fuzz(func(t *testing.T, in, cuts []byte) {
		var s scanner
		s.init("b", Limits{Head: 100}.withDefaults())
		for _, chunk := range cutAs(in, cuts) {
			s.input = chunk
			for {
				found, content, err := s.next()
				if err != nil {
					return
				}
				if len(s.head) > 100 || cap(s.head) > 256 || cap(s.pieces) > 16 || s.held >= len(s.closing) {
					t.Fatalf("the scanner holds %d bytes of a head, %d of a boundary, and has room for %d and %d, of %q",
						len(s.head), s.held, cap(s.head), cap(s.pieces), in)
				}
				if found == needsMore {
					break
				}
				if len(content) == 0 && found == hasContent {
					t.Fatalf("there was an empty piece of content in %q", in)
				}
			}
		}
	})
}

// FuzzPartsAgainstMIME: what mime/multipart writes, it and this package read alike.
func FuzzPartsAgainstMIME(f *testing.F) {
	f.Add("a", "f.txt", []byte("content"), []byte("\r\n--x"), []byte{5, 80, 1})
	f.Add(`q"\`, `C:\x`, []byte("\r\n--xy\r\n--x-\r\n--"), []byte("--xx"), []byte{90, 60, 1, 1, 1, 1})
	f.Add("ä;=", "b/c", []byte(""), []byte("\r\r\n\r\n-"), []byte{})
	f.Fuzz(func(t *testing.T, name, fileName string, first, second, cuts []byte) {
		if hasDelimiter(first) || hasDelimiter(second) {
			return // the form would not be well-formed
		}
		if strings.ContainsFunc(name+fileName, func(r rune) bool { return r < ' ' || r == 0x7f || r == '%' || r == '\uFFFD' }) || len(name+fileName) > 4000 {
			return
		}
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		if err := w.SetBoundary("x"); err != nil {
			t.Fatal(err)
		}
		value, _ := w.CreateFormField(name)
		_, _ = value.Write(first)
		file, _ := w.CreateFormFile(name, fileName)
		_, _ = file.Write(second)
		_ = w.Close()
		if got, want := readOurs(t, form.Bytes(), cuts, w.FormDataContentType()), readTheirs(t, form.Bytes()); !slices.Equal(got, want) {
			t.Errorf("%q cut at %v is read as\n%q, and by mime/multipart as\n%q", form.Bytes(), cuts, got, want)
		}
	})
}

// hasDelimiter says whether content would end before its end.
func hasDelimiter(content []byte) bool {
	text := "\r\n" + string(content) + "\r\n"
	for {
		_, behind, found := strings.Cut(text, "\r\n--x")
		if !found || behind == "" {
			return false
		}
		if strings.ContainsAny(behind[:1], " \t\r\n") || strings.HasPrefix(behind, "--") {
			return true
		}
		text = behind
	}
}

func readOurs(t *testing.T, form, cuts []byte, contentType string) (all []string) {
	t.Helper()
	turn := pipelinetest.NewTurn(t, 1)
	src := Form(pipelinetest.Poison(pipelinetest.Stream(turn, cutAs(form, cuts), nil)), contentType, Limits{})
	values, err := pipelinetest.Drain(turn, src)
	pipelinetest.Close(turn, src)
	if err != io.EOF {
		return []string{err.Error()}
	}
	for _, v := range values[0] {
		fileName := v.FileName
		if fileName != "" {
			fileName = filepath.Base(fileName)
		}
		all = append(all, v.Name, fileName, string(v.Content))
	}
	return all
}

func readTheirs(t *testing.T, form []byte) (all []string) {
	t.Helper()
	r := multipart.NewReader(bytes.NewReader(form), "x")
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("mime/multipart does not read what it has written, %q: %v", form, err)
		}
		content, err := io.ReadAll(p)
		if err != nil {
			t.Fatalf("mime/multipart does not read what it has written, %q: %v", form, err)
		}
		_, parameters, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		all = append(all, parameters["name"], p.FileName(), string(content))
	}
}

// FuzzParameters: no value of a field makes the parser run out of it, and what it gives was there.
func FuzzParameters(f *testing.F) {
	for _, seed := range []string{`form-data; name="a"; filename=b`, `a;b="\"`, `;;=`, `x; y="`, `x; y=z w`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		_, list := cutParameters(value)
		for list != "" {
			name, value, rest, ok := cutParameter(list)
			if !ok {
				return
			}
			if len(rest) >= len(list) || len(name)+len(value) > len(list) {
				t.Fatalf("of %q the parameter %q = %q was taken, and %q was left", list, name, value, rest)
			}
			list = rest
		}
	})
}
