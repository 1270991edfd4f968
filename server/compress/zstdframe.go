package compress

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// zstdFrame reads one frame of Zstandard (RFC 8878, section 3.1.1) from in, and hands it on
// to a decoder that would otherwise believe what the frame says of itself.
//
// Theory. A decoder makes room for the window that a frame declares, which a client can
// have at no cost; and it cannot tell a frame that was cut between two blocks from one that
// has ended. The frame's outline says all that is needed: a header, blocks that each begin
// with their length, and a checksum. So the reader follows it.
//
// Rules:
//
//  1. A window is never larger than what may be decoded at all, and one block: where the
//     header says more, it is rewritten. No byte below the limit can refer further back.
//  2. Nothing is handed on before a 64th of the window has come, or the whole frame.
//  3. The frame ends with io.EOF behind its last block and its checksum, nowhere else.
type zstdFrame struct {
	in    io.Reader
	limit int64 // how many bytes may be decoded

	head     []byte // to be handed out before what in gives next
	window   uint64
	checksum bool // is still to come
	block    int  // bytes of the block's content still to come
	last     bool // the block is the last one
	ended    bool
	skipped  bool // it was a skippable frame, and has been read
}

const (
	maxWindow     = 8 << 20 // RFC 9659, section 3
	maxBlock      = 128 << 10
	windowsPerGet = 64 // rule 2: how much memory a byte may cost
	pieceSize     = 4 << 10
)

var (
	errNotZstd = errors.New("a frame begins with a wrong magic number")
	errWindow  = errors.New("a frame needs a window of more than 8 MiB")
)

// begin reads the header. io.EOF says that in has ended before it.
func (f *zstdFrame) begin() error {
	magic, err := f.take(4)
	if err != nil {
		return err
	}
	switch number := binary.LittleEndian.Uint32(magic); {
	case number&^0xf == 0x184d2a50:
		f.skipped = true
		return noEOF(f.skip())
	case number != 0xfd2fb528:
		return errNotZstd
	}
	if err := f.readHeader(); err != nil {
		return noEOF(err)
	}
	for !f.ended && len(f.head) < int(f.window/windowsPerGet) {
		if err := f.readOn(); err != nil {
			return noEOF(err)
		}
	}
	return nil
}

// skip reads a skippable frame (RFC 8878, section 3.1.2).
func (f *zstdFrame) skip() error {
	size, err := f.take(4)
	if err == nil {
		_, err = io.CopyN(io.Discard, f.in, int64(binary.LittleEndian.Uint32(size)))
	}
	return err
}

// readHeader reads the rest of the header and checks and rewrites its window.
func (f *zstdFrame) readHeader() error {
	b, err := f.take(1)
	if err != nil {
		return err
	}
	descriptor := b[0]
	f.checksum = descriptor&4 != 0
	single := descriptor&0x20 != 0
	dictionary := [4]int{0, 1, 2, 4}[descriptor&3]
	length := [4]int{0, 2, 4, 8}[descriptor>>6]
	if single {
		length = max(length, 1)
	} else if err := f.readWindow(); err != nil {
		return err
	}
	if b, err = f.take(dictionary + length); err != nil || !single {
		return err
	}
	var field [8]byte
	copy(field[:], b[dictionary:])
	f.window = binary.LittleEndian.Uint64(field[:])
	if length == 2 {
		f.window += 256
	}
	switch {
	case f.window > maxWindow && f.window > uint64(f.limit):
		return &pipeline.LimitError{Subject: "the content", Limit: f.limit}
	case f.window > maxWindow:
		return errWindow
	}
	return nil
}

// readWindow reads the window's descriptor, and puts a smaller one in its place if it is
// larger than it need be.
func (f *zstdFrame) readWindow() error {
	b, err := f.take(1)
	if err != nil {
		return err
	}
	if f.window = windowOf(b[0]); f.window > maxWindow {
		return errWindow
	}
	needed := uint64(f.limit) + maxBlock
	for descriptor := range b[0] {
		if w := windowOf(descriptor); w >= needed {
			b[0], f.window = descriptor, w
			break
		}
	}
	return nil
}

// windowOf returns the size that a window's descriptor stands for; they ascend.
func windowOf(descriptor byte) uint64 {
	base := uint64(1) << (10 + descriptor>>3)
	return base + base/8*uint64(descriptor&7)
}

// take reads n bytes, which are handed out too, and returns them where they can be changed.
func (f *zstdFrame) take(n int) ([]byte, error) {
	from := len(f.head)
	f.head = append(f.head, make([]byte, n)...)
	got, err := io.ReadFull(f.in, f.head[from:])
	f.head = f.head[:from+got]
	return f.head[from:], err
}

// readOn reads the next piece of the frame to head.
func (f *zstdFrame) readOn() error {
	switch {
	case f.block > 0:
		b, err := f.take(min(f.block, pieceSize))
		f.block -= len(b)
		return err
	case f.last && f.checksum:
		f.checksum = false
		_, err := f.take(4)
		return err
	case f.last:
		f.ended = true
		return nil
	}
	b, err := f.take(3)
	if err != nil {
		return err
	}
	header := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	f.last = header&1 != 0
	switch header >> 1 & 3 {
	case 1: // one byte, repeated
		f.block = 1
	case 3: // reserved: the decoder refuses it
	default:
		f.block = header >> 3
	}
	return nil
}

// Read hands the frame on.
func (f *zstdFrame) Read(p []byte) (int, error) {
	for len(f.head) == 0 {
		if f.ended {
			return 0, io.EOF
		}
		if f.block > 0 {
			n, err := f.in.Read(p[:min(len(p), f.block)])
			f.block -= n
			return n, noEOF(err)
		}
		if err := f.readOn(); err != nil {
			return 0, noEOF(err)
		}
	}
	n := copy(p, f.head)
	if f.head = f.head[n:]; len(f.head) == 0 {
		f.head = nil // it may have been large
	}
	return n, nil
}

// noEOF has the end of the input be an error: the frame goes on.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
