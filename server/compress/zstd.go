package compress

import (
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/valyala/bytebufferpool"
)

// zstdEncoder codes each piece as a frame of Zstandard.
type zstdEncoder struct {
	began bool // a frame is out: there must be one, and none for nothing behind it
}

// zstdWindow is how far back a frame refers. The memory of an encoder hangs on it.
const zstdWindow = 128 << 10

var zstdEncoders = sync.Pool{New: func() any {
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
	return encoder
}}

func (e *zstdEncoder) encode(out *bytebufferpool.ByteBuffer, plain []byte, _ bool) error {
	if len(plain) == 0 && e.began {
		return nil
	}
	e.began = true
	encoder := zstdEncoders.Get().(*zstd.Encoder)
	out.B = encoder.EncodeAll(plain, out.B)
	zstdEncoders.Put(encoder)
	return nil
}
