package compress

import (
	"encoding/binary"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/valyala/bytebufferpool"
)

// gzipEncoder codes a content as one member of gzip, and needs an encoder of deflate only
// while it does.
//
// Theory. Deflate (RFC 1951) does not care who wrote the bytes before: a block may refer to
// up to 32 KiB of what came out before it, and behind a flush the next block begins at a
// whole byte. So any encoder can go on where another has left off, if it is told the end of
// the text so far. A short piece is coded by one that keeps nothing; a longer one by one
// from the pool, which codes better and faster once it is there. At no time are more in use
// than there are loops.
type gzipEncoder struct {
	history  []byte // the end of what was coded
	checksum uint32 // of all that was coded: CRC-32
	size     uint32 // of it, modulo 2^32
	began    bool   // the header is out
}

const (
	// gzipLevel is where coding text still takes little more time than sending it saves.
	gzipLevel = 3
	// shortPiece is how long a piece may be for which no encoder is taken from the pool.
	shortPiece = 1 << 10
	// historySize is how far back the next piece can refer. It is what an open stream costs.
	historySize = 3 << 10
)

var flateWriters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, gzipLevel)
	if err != nil {
		panic(err) // the level is none
	}
	return w
}}

// gzipHeader says deflate, no time, no name, and no system (RFC 1952, section 2.3).
const gzipHeader = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

func (e *gzipEncoder) encode(out *bytebufferpool.ByteBuffer, plain []byte, last bool) error {
	if !e.began {
		e.began = true
		out.B = append(out.B, gzipHeader...)
	}
	if err := deflate(out, plain, last, e.history); err != nil {
		return err
	}
	e.checksum = crc32.Update(e.checksum, crc32.IEEETable, plain)
	e.size += uint32(len(plain))
	if last {
		out.B = binary.LittleEndian.AppendUint32(out.B, e.checksum)
		out.B = binary.LittleEndian.AppendUint32(out.B, e.size)
		return nil
	}
	e.remember(plain)
	return nil
}

// deflate appends plain, behind history, to out, and ends it as a flush does, or for good.
func deflate(out *bytebufferpool.ByteBuffer, plain []byte, last bool, history []byte) error {
	if len(plain) <= shortPiece {
		return flate.StatelessDeflate(out, plain, last, history)
	}
	w := flateWriters.Get().(*flate.Writer)
	w.ResetDict(out, history)
	_, err := w.Write(plain)
	switch {
	case err != nil:
	case last:
		err = w.Close()
	default:
		err = w.Flush()
	}
	w.ResetDict(nil, nil) // it must not keep the stream's memory
	flateWriters.Put(w)
	return err
}

// remember keeps the end of what was coded. The room for it does not grow beyond what it
// ever needs.
func (e *gzipEncoder) remember(plain []byte) {
	plain = plain[max(0, len(plain)-historySize):]
	if over := len(e.history) + len(plain) - historySize; over > 0 {
		e.history = e.history[:copy(e.history, e.history[over:])]
	}
	if n := len(e.history) + len(plain); n > cap(e.history) {
		e.history = append(make([]byte, 0, min(2*n, historySize)), e.history...)
	}
	e.history = append(e.history, plain...)
}
