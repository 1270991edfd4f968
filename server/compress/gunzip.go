package compress

import (
	"bufio"
	"io"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// gzipReader is a decoder and its buffers.
type gzipReader struct {
	input   *bufio.Reader
	decoder gzip.Reader
	output  [decodedSize]byte
}

var gzipReaders = sync.Pool{New: func() any {
	return &gzipReader{input: bufio.NewReaderSize(nil, 4<<10)}
}}

// gunzip decodes the members of gzip that in gives.
func gunzip(in io.Reader, yield func([]byte) bool) error {
	r := gzipReaders.Get().(*gzipReader)
	defer func() {
		r.input.Reset(nil)
		gzipReaders.Put(r)
	}()
	r.input.Reset(in)
	for {
		if err := r.decoder.Reset(r.input); err != nil {
			return err // io.EOF too: no member at all is not an empty one
		}
		// Left to itself the decoder takes the end of in within the name or the comment of a
		// further member for the end of the members.
		r.decoder.Multistream(false)
		if err := copyOut(&r.decoder, r.output[:], yield); err != nil {
			return err
		}
		if _, err := r.input.Peek(1); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}
