package codec

import (
	"bytes"
	"errors"

	"github.com/penstock-go/penstock/pipeline"
)

// WriteLines is the stage from lines to the bytes of them: each line is one chunk, ended with
// LF. pipeline.Lines is the way back, for lines that do not end with CR. A line that has an
// LF in it would be read as two, and ends the stream with an error.
func WriteLines(lines pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	var chunk []byte
	return pipeline.Map(lines, func(line []byte) ([]byte, error) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return nil, errLineFeed
		}
		if cap(chunk) > largestKept {
			chunk = nil
		}
		chunk = append(append(chunk[:0], line...), '\n')
		return chunk, nil
	})
}

var errLineFeed = errors.New("codec: a line to be written has an LF in it, and would be read as two")
