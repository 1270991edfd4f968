package multipart

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSafeFileName(t *testing.T) {
	for sent, want := range map[string]string{
		"report.pdf":                      "report.pdf",
		"日本 2024.txt":                     "日本 2024.txt",
		"../../etc/passwd":                "passwd",
		`C:\Users\me\a.txt`:               "a.txt",
		"dir/":                            "unnamed",
		"":                                "unnamed",
		"..":                              "unnamed",
		".bashrc":                         "bashrc",
		"a.txt. .":                        "a.txt",
		"a\x00b\r\nc":                     "a_b__c",
		"<a>:\"b\"|?*":                    "_a___b____",
		"\xff\xfe.txt":                    "__.txt",
		"photo\u202egpj.exe":              "photo_gpj.exe",
		"con":                             "_con",
		"NUL.tar.gz":                      "_NUL.tar.gz",
		"com1 .txt":                       "_com1 .txt",
		"console.txt":                     "console.txt",
		strings.Repeat("x", 300):          strings.Repeat("x", 200),
		strings.Repeat("ä", 200) + ".txt": strings.Repeat("ä", 98) + ".txt",
		strings.Repeat("x", 250) + "." + strings.Repeat("y", 30): strings.Repeat("x", 200),
		"CON" + strings.Repeat(" ", 250) + "x":                   "_CON",
	} {
		p := Part{FileName: sent}
		if got := p.SafeFileName(); got != want {
			t.Errorf("the safe name of %q is %q, and should be %q", sent, got, want)
		}
	}
}

// FuzzSafeFileName: whatever a client sends, the name is one that can be used.
func FuzzSafeFileName(f *testing.F) {
	for _, seed := range []string{"a.txt", "../a", `..\..\a`, "CON", "con.txt", "...", "\xc3\x28", "a\x00", "LPT1 ." + strings.Repeat("x", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		name := (&Part{FileName: sent}).SafeFileName()
		switch {
		case name == "" || len(name) > longestFileName:
			t.Errorf("the safe name of %q is %q of %d bytes, 1 to %d were expected", sent, name, len(name), longestFileName)
		case !utf8.ValidString(name):
			t.Errorf("the safe name of %q is %q, which is not UTF-8", sent, name)
		case strings.ContainsAny(name, "/\\:\x00\r\n") || name[0] == '.' || isReserved(name):
			t.Errorf("the safe name of %q is %q, which is not safe", sent, name)
		}
		if again := (&Part{FileName: name}).SafeFileName(); again != name {
			t.Errorf("the safe name of %q is %q, and of that %q: it should stay what it is", sent, name, again)
		}
	})
}
