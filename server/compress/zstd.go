package compress

import (
	"sync"

	"github.com/klauspost/compress/zstd"
)

// zstdEncoder codes a stream as one frame of Zstandard. Several frames would need no encoder
// between two flushes, but many clients read the first only.
type zstdEncoder struct {
	writer *zstdWriter // from the first write until release
}

// zstdWriter is an encoder and where it writes to.
type zstdWriter struct {
	encoder *zstd.Encoder
	output  []byte
}

func (w *zstdWriter) Write(b []byte) (int, error) {
	w.output = append(w.output, b...)
	return len(b), nil
}

// zstdWindow is how far back a frame refers: half the memory of an encoder hangs on it.
const zstdWindow = 128 << 10

var zstdWriters = sync.Pool{New: func() any {
	encoder, err := zstd.NewWriter(nil,
		zstd.WithEncoderConcurrency(1), // no goroutines
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(zstdWindow),
		zstd.WithLowerEncoderMem(true),
		zstd.WithZeroFrames(true), // a frame for no bytes too
	)
	if err != nil {
		panic(err) // an option is wrong
	}
	return &zstdWriter{encoder: encoder}
}}

func (e *zstdEncoder) lendWriter() *zstdWriter {
	if e.writer == nil {
		e.writer = zstdWriters.Get().(*zstdWriter)
		e.writer.encoder.Reset(e.writer)
	}
	return e.writer
}

func (e *zstdEncoder) write(b []byte) {
	_, _ = e.lendWriter().encoder.Write(b) // flush returns its error again
}

func (e *zstdEncoder) flush(last bool) ([]byte, error) {
	w := e.lendWriter()
	end := w.encoder.Flush
	if last {
		end = w.encoder.Close
	}
	if err := end(); err != nil {
		return nil, err
	}
	return w.output, nil
}

// recycle drops what was returned, and a buffer that is much too large for most.
func (e *zstdEncoder) recycle() {
	w := e.writer
	if w == nil {
		return
	}
	if w.output = w.output[:0]; cap(w.output) > 2*pollSize {
		w.output = nil
	}
}

func (e *zstdEncoder) release() {
	if w := e.writer; w != nil {
		e.writer = nil
		zstdWriters.Put(w)
	}
}
