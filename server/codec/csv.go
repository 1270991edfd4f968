package codec

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// A CSVOption changes how CSV is written.
type CSVOption func(*csvWriter)

// GuardFormulas has a field that a spreadsheet would take for a formula written with an
// apostrophe in front: one that begins with =, +, -, @, tab, CR, LF, or the full-width forms
// of the first four, and is no plain number such as -1.5. It is for files that people open in a
// spreadsheet and that have text in them that others wrote, who can otherwise run formulas
// there (OWASP, CSV Injection). It changes the data: a program that reads the file gets the
// apostrophe too. Without it fields are written as they are.
func GuardFormulas() CSVOption { return func(c *csvWriter) { c.guards = true } }

// CSV is a response with the rows as text/csv in UTF-8 (RFC 4180). header is the first line,
// and the media type says so (header=present); without one it says header=absent. Each row
// goes out as soon as it comes and the client takes it. For the client to save it under a
// name, set Content-Disposition.
func CSV(header []string, rows pipeline.Source[[]string], options ...CSVOption) server.Response {
	contentType := "text/csv; charset=utf-8; header=absent"
	if len(header) > 0 {
		contentType = "text/csv; charset=utf-8; header=present"
		rows = pipeline.Concat(pipeline.Once(header), rows)
	}
	return server.Stream(http.StatusOK, contentType, WriteCSV(rows, options...))
}

// WriteCSV is the stage from rows to the bytes of CSV (RFC 4180): each row is one chunk,
// ended with CRLF. A field with a comma, a quote, CR or LF in it is quoted, and so is the
// empty field of a row that has no other, which would be an empty line. A row without fields
// cannot be written and ends the stream with an error. That all rows have as many fields is
// for the caller to see to; fields are written as the bytes they are.
func WriteCSV(rows pipeline.Source[[]string], options ...CSVOption) pipeline.Source[[]byte] {
	c := new(csvWriter)
	for _, option := range options {
		option(c)
	}
	return pipeline.Map(rows, c.row)
}

// csvWriter writes rows, one after the other to the same chunk.
type csvWriter struct {
	guards bool
	chunk  []byte
}

var errNoFields = errors.New("codec: a row to be written as CSV has no fields, which CSV cannot say")

func (c *csvWriter) row(fields []string) ([]byte, error) {
	if len(fields) == 0 {
		return nil, errNoFields
	}
	if cap(c.chunk) > largestKept {
		c.chunk = nil
	}
	b := c.chunk[:0]
	for i, field := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		prefix := ""
		if c.guards && isFormula(field) {
			prefix = "'"
		}
		b = appendField(b, prefix, field, len(fields) == 1)
	}
	c.chunk = append(b, '\r', '\n')
	return c.chunk, nil
}

// appendField appends prefix and field, quoted if need be.
func appendField(b []byte, prefix, field string, alone bool) []byte {
	if !strings.ContainsAny(field, ",\"\r\n") && (field != "" || !alone) {
		return append(append(b, prefix...), field...)
	}
	b = append(append(b, '"'), prefix...)
	for {
		before, after, found := strings.Cut(field, `"`)
		b = append(b, before...)
		if !found {
			return append(b, '"')
		}
		b = append(b, '"', '"')
		field = after
	}
}

// isFormula says whether a spreadsheet may run the field.
func isFormula(field string) bool {
	for _, start := range [...]string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		if strings.HasPrefix(field, start) {
			return !isPlainNumber(field)
		}
	}
	return false
}

// isPlainNumber says whether the field is a sign, digits, and digits behind a point.
func isPlainNumber(field string) bool {
	if strings.Trim(field, "+-.0123456789") != "" {
		return false
	}
	_, err := strconv.ParseFloat(field, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}
