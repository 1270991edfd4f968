package compress

import (
	"encoding/binary"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/valyala/bytebufferpool"
)

// gzipEncoder codes a stream as gzip, and holds an encoder only while it does.
//
// Theory. Deflate (RFC 1951) does not care who wrote the bytes before: a block may refer to
// up to 32 KiB of what came out before it, and behind a flush the next block begins at a
// whole byte. So any encoder can go on where another has left off, if it is told the end of
// the text so far. Each flush of more than a little takes one from the pool, primes it with
// that, and gives it back: at no time are more in use than there are loops. A little is
// coded here, without one.
//
// text is the end of what was coded, then what was written since and is still a little.
type gzipEncoder struct {
	writer   *flate.Writer              // from the write that was too much until flush
	output   *bytebufferpool.ByteBuffer // until recycle
	text     []byte
	coded    int    // how much of text is coded
	checksum uint32 // of all that was written: CRC-32
	size     uint32 // of it, modulo 2^32
	began    bool   // the header is out
}

const (
	// gzipLevel is where coding text still takes little more time than sending it saves.
	gzipLevel = 3
	// little is what is coded in one block with fixed codes.
	little = 1 << 10
	// historySize is how far back the next flush can refer. With little it is what an open
	// stream costs.
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

// lastBlock is an empty final block with fixed codes (RFC 1951, section 3.2.6).
const lastBlock = "\x03\x00"

func (e *gzipEncoder) write(b []byte) {
	e.checksum = crc32.Update(e.checksum, crc32.IEEETable, b)
	e.size += uint32(len(b))
	if e.writer == nil && len(e.text)-e.coded+len(b) <= little {
		e.keep(b)
		return
	}
	if e.writer == nil {
		e.lendOutput()
		e.writer = flateWriters.Get().(*flate.Writer)
		e.writer.ResetDict(e.output, e.text[:e.coded])
		_, _ = e.writer.Write(e.text[e.coded:]) // a buffer takes everything
	}
	_, _ = e.writer.Write(b)
	b = b[max(0, len(b)-historySize):]
	e.forget(historySize - len(b))
	e.keep(b)
	e.coded = len(e.text)
}

// keep appends to text, which does not grow beyond what it ever needs.
func (e *gzipEncoder) keep(b []byte) {
	if n := len(e.text) + len(b); n > cap(e.text) {
		e.text = append(make([]byte, 0, min(2*n, historySize+little)), e.text...)
	}
	e.text = append(e.text, b...)
}

// forget keeps the last n bytes of text, all of which is coded.
func (e *gzipEncoder) forget(n int) {
	if over := len(e.text) - n; over > 0 {
		e.text = e.text[:copy(e.text, e.text[over:])]
	}
	e.coded = len(e.text)
}

func (e *gzipEncoder) flush(last bool) ([]byte, error) {
	e.lendOutput()
	if w := e.writer; w != nil {
		e.writer = nil
		if err := w.Flush(); err != nil {
			return nil, err
		}
		flateWriters.Put(w)
	} else if e.coded < len(e.text) {
		e.output.B = appendFixedBlock(e.output.B, e.text, e.coded)
		e.forget(historySize)
	}
	if last {
		out := append(e.output.B, lastBlock...)
		out = binary.LittleEndian.AppendUint32(out, e.checksum)
		e.output.B = binary.LittleEndian.AppendUint32(out, e.size)
	}
	return e.output.B, nil
}

// lendOutput takes a buffer, in which the header is if it is not out yet.
func (e *gzipEncoder) lendOutput() {
	if e.output != nil {
		return
	}
	e.output = bytebufferpool.Get()
	if !e.began {
		e.began = true
		e.output.B = append(e.output.B, gzipHeader...)
	}
}

func (e *gzipEncoder) recycle() {
	if b := e.output; b != nil {
		e.output = nil
		bytebufferpool.Put(b)
	}
}

func (e *gzipEncoder) release() { e.text, e.coded = nil, 0 }
