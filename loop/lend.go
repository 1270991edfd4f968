package loop

import "github.com/valyala/bytebufferpool"

// Buffers that the connections of one loop lend each other: a connection that waits needs
// none, and those that do not wait have their turns one after the other. So a loop has about
// as many as are in use at once, and they are still in the processor's cache.

const (
	// ReadBufferSize is the length of a read buffer.
	ReadBufferSize = 32 << 10

	keptReadBuffers = 16
	keptBuffers     = 64
	keptBufferSize  = 128 << 10
)

// A ReadBuffer is what a connection reads into.
type ReadBuffer struct{ Bytes [ReadBufferSize]byte }

// buffers are what is there to be lent. What is over the bounds goes to the garbage collector,
// and to bytebufferpool.
type buffers struct {
	read   []*ReadBuffer
	output []*bytebufferpool.ByteBuffer
}

// LendReadBuffer returns a read buffer, with whatever it holds from before, for as long as its
// user likes.
func (l *Loop) LendReadBuffer() *ReadBuffer {
	n := len(l.lent.read)
	if n == 0 {
		return new(ReadBuffer)
	}
	b := l.lent.read[n-1]
	l.lent.read = l.lent.read[:n-1]
	return b
}

// TakeBackReadBuffer takes a read buffer that is not used any more.
func (l *Loop) TakeBackReadBuffer(b *ReadBuffer) {
	if len(l.lent.read) < keptReadBuffers {
		l.lent.read = append(l.lent.read, b)
	}
}

// LendBuffer returns an empty buffer that grows with what is put into it.
func (l *Loop) LendBuffer() *bytebufferpool.ByteBuffer {
	n := len(l.lent.output)
	if n == 0 {
		return bytebufferpool.Get()
	}
	b := l.lent.output[n-1]
	l.lent.output = l.lent.output[:n-1]
	return b
}

// TakeBackBuffer takes a buffer that is not used any more.
func (l *Loop) TakeBackBuffer(b *bytebufferpool.ByteBuffer) {
	if len(l.lent.output) < keptBuffers && cap(b.B) <= keptBufferSize {
		b.B = b.B[:0]
		l.lent.output = append(l.lent.output, b)
		return
	}
	bytebufferpool.Put(b)
}
