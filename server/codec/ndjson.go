package codec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Newline-delimited JSON: one JSON text a line. Each value is read, and written, as soon as
// it is there, so a stream of any length takes the memory of one line.

// ReadNDJSON returns the lines of src, each as one T, read as [ReadJSON] reads the whole of
// one; lines end with LF or CRLF, blank ones are skipped. A line of more than limit bytes
// ends the stream with a *pipeline.LimitError. What is wrong with a line is told with its
// number, counted from 1; the values before it have come by then. Of the options
// [MaxDepth], [RefuseUnknownMembers] and [AllowTrailingData] have a meaning here.
//
// The Content-Type is not looked at: none is registered, and clients say many.
func ReadNDJSON[T any](src pipeline.Source[[]byte], limit int, options ...JSONOption) pipeline.Source[T] {
	return &lineReader[T]{lines: pipeline.Lines(src, limit), reader: newJSONReader(options)}
}

// lineReader gives a value for each line that is not blank. Owned by the loop goroutine.
type lineReader[T any] struct {
	lines  pipeline.Source[[]byte] // nil once closed
	reader *jsonReader             // counts the lines
	end    error
}

// maxBlankLines is how many lines are skipped in one Poll.
const maxBlankLines = 256

func (s *lineReader[T]) Poll(w pipeline.Waker) (T, error) {
	var zero T
	if s.end != nil {
		return zero, s.end
	}
	for range maxBlankLines {
		line, err := s.lines.Poll(w)
		if err == pipeline.ErrPending {
			return zero, err
		}
		s.reader.line++
		if err != nil {
			s.end = s.reader.located(err)
			return zero, s.end
		}
		if whitespace(line) == len(line) {
			continue
		}
		v, err := decodeJSON[T](s.reader, line)
		if err != nil {
			s.end = err
			return zero, err
		}
		return v, nil
	}
	w.Wake()
	return zero, pipeline.ErrPending
}

func (s *lineReader[T]) Close() {
	lines := s.lines
	if lines == nil {
		return
	}
	s.lines = nil
	if s.end == nil {
		s.end = pipeline.ErrClosed
	}
	lines.Close()
}

// located says which line is too long.
func (j *jsonReader) located(err error) error {
	if limit, found := err.(*pipeline.LimitError); found && limit.Subject == "a line" {
		return &pipeline.LimitError{Subject: fmt.Sprintf("line %d", j.line), Limit: limit.Limit}
	}
	return err
}

// NDJSON is a response with each value as a line of JSON, as application/x-ndjson. Each goes
// out as soon as it comes and the client takes it. A value that cannot be encoded ends the
// stream as failed: the connection is closed without the end of the body, unless it was the
// first.
func NDJSON[T any](values pipeline.Source[T]) server.Response {
	return server.Stream(http.StatusOK, "application/x-ndjson", WriteNDJSON(values))
}

// WriteNDJSON is the stage from values to lines of JSON: each value is one chunk, as
// encoding/json writes it, but <, > and & as they are, and ends with LF. A value that cannot
// be encoded ends the stream with the error of encoding/json.
func WriteNDJSON[T any](values pipeline.Source[T]) pipeline.Source[[]byte] {
	chunk := new(bytes.Buffer)
	return pipeline.Map(values, func(v T) ([]byte, error) {
		if chunk.Cap() > largestKept {
			chunk = new(bytes.Buffer)
		}
		chunk.Reset()
		encoder := json.NewEncoder(chunk)
		encoder.SetEscapeHTML(false)
		err := encoder.Encode(v)
		return chunk.Bytes(), err
	})
}

// largestKept is how large a buffer may be that is kept for the next chunk.
const largestKept = 64 << 10
