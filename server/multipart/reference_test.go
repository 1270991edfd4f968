package multipart

import (
	"fmt"
	"io"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
)

// What a form means, told once more and in the plainest way: on the whole text, with nothing held back.

type referencePart struct {
	part    *Part
	content string // what is known of it
	whole   bool
}

// reference reads the form in, behind which the stream ends with end.
func reference(in, boundary string, limits Limits, end error) (parts []referencePart, err error) {
	limits = limits.withDefaults()
	cut := end
	if end == io.EOF {
		cut = errCut
	}
	delimiter := "\r\n--" + boundary
	rest := "\r\n" + in
	for {
		at, closes, found := findDelimiter(rest, delimiter)
		if len(parts) > 0 {
			last := &parts[len(parts)-1]
			last.content, last.whole = referenceContent(rest, delimiter, at, found), found
		}
		if !found {
			return parts, cut
		}
		rest = rest[at+len(delimiter):]
		if closes {
			rest = rest[2:]
		}
		rest = strings.TrimLeft(rest, " \t")
		switch {
		case closes && (rest == "" || rest == "\r"):
			return parts, end
		case rest == "" || rest == "\r":
			return parts, cut
		case !strings.HasPrefix(rest, "\r\n"):
			return parts, errPadding
		case closes:
			return parts, end
		case len(parts) == limits.Parts:
			return parts, tooManyParts(limits.Parts)
		}
		head, err := referenceHead(rest[2:], limits.Head)
		if err != nil {
			if err == io.EOF {
				err = cut
			}
			return parts, err
		}
		part, err := parseHead(head)
		if err != nil {
			return parts, err
		}
		parts = append(parts, referencePart{part: part})
		rest = rest[len(head):] // with the CRLF in front that the head may end with
	}
}

// findDelimiter finds the first delimiter in text that is followed by what makes it one.
func findDelimiter(text, delimiter string) (at int, closes, found bool) {
	for from := 0; ; {
		i := strings.Index(text[from:], delimiter)
		if i < 0 {
			return 0, false, false
		}
		at, from = from+i, from+i+len(delimiter)
		behind := text[from:]
		switch {
		case behind == "" || behind == "-":
			return 0, false, false
		case strings.HasPrefix(behind, "--"):
			return at, true, true
		case strings.ContainsAny(behind[:1], " \t\r\n"):
			return at, false, true
		}
	}
}

// referenceContent returns the content in text, which begins with the CRLF in front of it.
func referenceContent(text, delimiter string, at int, found bool) string {
	if !found {
		at = len(text)
		for n := min(len(delimiter)+1, len(text)); n > 0; n-- {
			if strings.HasSuffix(text, (delimiter + "-")[:n]) {
				at -= n
				break
			}
		}
	}
	return text[2:max(at, 2)]
}

// referenceHead returns the head that text begins with, or io.EOF if it is not whole.
func referenceHead(text string, limit int) (string, error) {
	size := 0
	for {
		end := strings.IndexByte(text[size:], '\n')
		if end < 0 {
			end = len(text) - 1 - size
			if len(text) <= limit {
				return "", io.EOF
			}
		}
		line := text[size : size+end+1]
		size += len(line)
		switch {
		case size > limit:
			return "", overLimit("the head of a part", limit)
		case !strings.HasSuffix(line, "\r\n"):
			return "", errLineEnd
		case line == "\r\n":
			return text[:size], nil
		}
	}
}

func describe(p *Part) string {
	return fmt.Sprintf("%q %q %v %q %q", p.Name, p.FileName, p.File, p.Type, p.Fields)
}

// listing is the stage that gives a line for each part, and then its content.
func listing(boundary string, limits Limits) pipeline.Stage[[]byte, string] {
	return func(src pipeline.Source[[]byte]) pipeline.Source[string] {
		parts := Parts(src, "multipart/form-data; boundary="+boundary, limits)
		return pipeline.Flatten(pipeline.Map(parts, func(p *Part) (pipeline.Source[string], error) {
			content := pipeline.Map(pipeline.Collect(p.Body, 1<<30), func(all []byte) (string, error) {
				return string(all), nil
			})
			return pipeline.Concat(pipeline.Once(describe(p)), content), nil
		}))
	}
}

// listed is what listing gives of what reference has read.
func listed(parts []referencePart) []string {
	var lines []string
	for _, p := range parts {
		lines = append(lines, describe(p.part))
		if p.whole {
			lines = append(lines, p.content)
		}
	}
	return lines
}
