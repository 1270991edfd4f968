package compress

import (
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// zstdReader is a decoder and its buffer.
type zstdReader struct {
	decoder *zstd.Decoder
	output  [decodedSize]byte
}

var zstdReaders = sync.Pool{New: func() any {
	decoder, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1), // no goroutines
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow),
	)
	if err != nil {
		panic(err) // an option is wrong
	}
	return &zstdReader{decoder: decoder}
}}

// pooledWindow is the largest window that a decoder may have had to be used again: it keeps
// the memory.
const pooledWindow = 1 << 20

// unzstd decodes the frames of Zstandard that in gives. Each has a decoder of its own, so
// that nothing is held between two.
func unzstd(in io.Reader, limit int64, yield func([]byte) bool) error {
	for frames := 0; ; frames++ {
		frame := &zstdFrame{in: in, limit: limit}
		err := frame.begin()
		if err == io.EOF && frames > 0 {
			return nil
		}
		if err == nil && !frame.skipped {
			err = decodeFrame(frame, yield)
		}
		if err != nil {
			return err
		}
	}
}

func decodeFrame(frame *zstdFrame, yield func([]byte) bool) error {
	r := zstdReaders.Get().(*zstdReader)
	defer func() {
		if frame.window <= pooledWindow && r.decoder.Reset(nil) == nil {
			zstdReaders.Put(r)
		}
	}()
	if err := r.decoder.Reset(frame); err != nil {
		return err
	}
	if err := copyOut(r.decoder, r.output[:], yield); err != nil {
		return err
	}
	if !frame.ended {
		return io.ErrUnexpectedEOF
	}
	return nil
}
