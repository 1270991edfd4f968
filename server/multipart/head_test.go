package multipart

import (
	"reflect"
	"testing"

	"github.com/penstock-go/penstock/server"
)

func TestNames(t *testing.T) {
	for _, c := range []struct {
		why, disposition string
		name, fileName   string
		file             bool
	}{
		{"a field", `form-data; name="a"`, "a", "", false},
		{"tokens", `form-data; name=a; filename=b`, "a", "b", true},
		{"no white space, and too many semicolons", `form-data;;name="a";filename="b";`, "a", "b", true},
		{"another order and case", `Form-Data ; FileName="b" ; NAME="a"`, "a", "b", true},
		{"a file that was not chosen", `form-data; name="a"; filename=""`, "a", "", true},
		{"an empty name", `form-data; name=""`, "", "", false},
		{"what browsers escape", `form-data; name="%22%0D%0A%0d%0a%20%"; filename="%22.txt"`, "\"\r\n\r\n%20%", `".txt`, true},
		{"what others escape", `form-data; name="a\"b\\c"; filename="\\\""`, `a"b\c`, `\"`, true},
		{"the path of a client that escapes nothing", `form-data; name="a"; filename="C:\dir\new.txt"`, "a", `C:\dir\new.txt`, true},
		{"UTF-8", `form-data; name="ä"; filename="日本.txt"`, "ä", "日本.txt", true},
		{"semicolons and equals signs in names", `form-data; name="a; filename=b"; filename="c;name=d"`, "a; filename=b", "c;name=d", true},
		{"filename*, which must not be used", `form-data; name="a"; filename*=UTF-8''b.txt`, "a", "", false},
		{"filename* beside filename", `form-data; name="a"; filename="c.txt"; filename*=UTF-8''b.txt`, "a", "c.txt", true},
		{"other parameters", `form-data; x=y; name="a"; size=3`, "a", "", false},
	} {
		p, err := parseHead("Content-Disposition: " + c.disposition + "\r\n\r\n")
		if err != nil {
			t.Errorf("%s: %s was refused: %v", c.why, c.disposition, err)
			continue
		}
		if p.Name != c.name || p.FileName != c.fileName || p.File != c.file {
			t.Errorf("%s: %s has the names %q and %q, a file: %v; they should be %q and %q, %v",
				c.why, c.disposition, p.Name, p.FileName, p.File, c.name, c.fileName, c.file)
		}
	}
}

func TestFieldsOfAPart(t *testing.T) {
	p, err := parseHead("X-One:1\r\nContent-Disposition: form-data; name=a\r\nx-one: \t2 \r\nContent-Type:  text/x; y=z\t\r\nEmpty:\r\n\r\n")
	if err != nil {
		t.Fatalf("the head was refused: %v", err)
	}
	want := []server.Field{
		{Name: "X-One", Value: "1"}, {Name: "Content-Disposition", Value: "form-data; name=a"}, {Name: "x-one", Value: "2"},
		{Name: "Content-Type", Value: "text/x; y=z"}, {Name: "Empty", Value: ""},
	}
	if !reflect.DeepEqual(p.Fields, want) {
		t.Errorf("the fields are %q, and should be %q", p.Fields, want)
	}
	if p.Type != "text/x; y=z" || p.Field("X-ONE") != "1" || p.Field("Other") != "" {
		t.Errorf("the type is %q, X-One is %q and a field that is not there %q; they should be text/x; y=z, 1 and nothing",
			p.Type, p.Field("X-ONE"), p.Field("Other"))
	}
}

func TestTypeOfAPartThatHasNone(t *testing.T) {
	p, err := parseHead("Content-Disposition: form-data; name=a\r\n\r\n")
	if err != nil || p.Type != "text/plain" {
		t.Errorf("a part without a type should be text/plain (RFC 7578, section 4.4), and is %v, %v", p, err)
	}
}

func TestBoundaries(t *testing.T) {
	for contentType, want := range map[string]string{
		"multipart/form-data; boundary=b":                            "b",
		"Multipart/Form-Data;Boundary=b; charset=utf-8":              "b",
		"multipart/form-data; x=\"boundary=c\"; boundary=\"b c'()\"": "b c'()",
		"multipart/form-data; boundary=----WebKitFormBoundaryxA/b":   "",
		`multipart/form-data; boundary="----=_Part/1:2?3"`:           "----=_Part/1:2?3",
	} {
		if got, err := boundaryOf(contentType); got != want || (err == nil) != (want != "") {
			t.Errorf("the boundary of %q is %q (%v), and should be %q", contentType, got, err, want)
		}
	}
}
