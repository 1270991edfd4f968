package parser

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the parser says into the golden files of testdata")

// The golden files are prose around pairs of code blocks: the bytes of a stream, and
// what the parser says about them.
//
// The first block is labelled "request" or "response", with the method answered and
// "eof" behind it where they matter. A line end in it means nothing: CR and LF are
// written as \r and \n, other bytes as \t or \x00, a backslash as \\. The second is
// labelled "events": the position behind each head and each message, the fields and
// data, and the error. A stream that is not finished ends without either.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("There are no golden files in testdata: %v.", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { testGoldenFile(t, file) })
	}
}

func testGoldenFile(t *testing.T, file string) {
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(content), "```")
	title, label, input := "", "", ""
	for i, part := range parts {
		if i%2 == 0 {
			if _, after, found := strings.Cut(part, "\n## "); found {
				title, _, _ = strings.Cut(after, "\n")
			}
			continue
		}
		first, body, _ := strings.Cut(part, "\n")
		if first != "events" {
			label, input = first, body
			continue
		}
		t.Run(title, func(t *testing.T) {
			got := goldenEvents(t, label, input)
			if got != body && !*update {
				t.Errorf("%s: the parser says\n%s\nand the file\n%s", title, got, body)
			}
			parts[i] = "events\n" + got
		})
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(parts, "```")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// goldenEvents runs one case in every cut, and once more with the bytes of another
// message behind it.
func goldenEvents(t *testing.T, label, input string) string {
	t.Helper()
	s := goldenSession(t, label)
	stream := unescape(t, input)
	text, _ := s.everyCut(t, stream)
	next := []byte("GET /next HTTP/1.1\r\nHost: next\r\n\r\n")
	if s.kind == Response {
		next = []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	}
	whole := strings.HasSuffix(text, "end\n")
	refused := strings.Contains(text, "\nerror") || strings.HasPrefix(text, "error")
	if s.eof || !whole && !refused {
		return text
	}
	s.messages = strings.Count(text, " end\n")
	if refused {
		s.messages++
	}
	followed, rest := s.everyCut(t, append(slices.Clone(stream), next...))
	if followed != text {
		t.Errorf("With another message behind it, the parser says\n%s\nand without\n%s", followed, text)
	}
	if whole && string(rest) != string(next) {
		t.Errorf("After the last End, %q is left over; the next message %q was expected.", rest, next)
	}
	return text
}

func goldenSession(t *testing.T, label string) (s session) {
	t.Helper()
	for _, word := range strings.Fields(label) {
		switch word {
		case "request":
			s.kind = Request
		case "response":
			s.kind = Response
		case "eof":
			s.eof = true
		case "HEAD", "CONNECT", "GET":
			s.answerTo = word
		default:
			t.Fatalf("The label %q has the unknown word %q.", label, word)
		}
	}
	return s
}

func unescape(t testing.TB, input string) []byte {
	t.Helper()
	var stream []byte
	for line := range strings.Lines(input) {
		line = strings.TrimSuffix(line, "\n")
		text, err := strconv.Unquote(`"` + strings.ReplaceAll(line, `"`, `\"`) + `"`)
		if err != nil {
			t.Fatal(fmt.Errorf("the line %q of a golden file has a wrong escape: %w", line, err))
		}
		stream = append(stream, text...)
	}
	return stream
}
