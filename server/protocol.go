package server

import (
	"errors"
	"io"
	"net/netip"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// Protocol returns the protocol of one connection as a stage, with no connection below it:
// of the bytes that a client sends it makes the bytes that the client gets. l is one of the
// server's loops, on which the stage is used.
//
// The source that it makes ends with io.EOF when the connection would be closed, and with
// another error when the client would have to see that a message was cut. Closing it is the
// client's going away. What belongs to connections it has not: no time runs out, it is not
// counted, addresses are zero, Shutdown does not wait for it, and a [Hijack] fails. Behind an
// [Upgrade] io.EOF is the end of what its stage gives, and what the client sends can be read
// until the source is closed.
func (s *Server) Protocol(l *loop.Loop) pipeline.Stage[[]byte, []byte] {
	local := s.locals[l]
	return func(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
		u := &unconnected{input: input}
		u.core.local, u.core.link = local, (*inputLink)(u)
		return u
	}
}

// unconnected is a core as a source of bytes. Owned by the loop goroutine.
type unconnected struct {
	core    core
	input   pipeline.Source[[]byte]
	waker   pipeline.Waker // of the latest Poll; nil once closed
	segment segment        // what is left of it is given out next
	piece   []byte         // of a file or a pipe
	end     error
}

func (u *unconnected) Poll(w pipeline.Waker) ([]byte, error) {
	u.waker = w
	for u.end == nil {
		if u.segment.size() > 0 {
			return u.next()
		}
		s, err := u.core.Poll(w)
		switch err {
		case nil:
			u.segment = s
		case pipeline.ErrPending:
			if !u.core.halfClosed() {
				return nil, err
			}
			u.fail(io.EOF)
		default:
			u.fail(err)
		}
	}
	return nil, u.end
}

// next gives out the next piece of the segment.
func (u *unconnected) next() ([]byte, error) {
	s := &u.segment
	for _, b := range [...]*[]byte{&s.head, &s.data, &s.tail} {
		if chunk := *b; len(chunk) > 0 {
			*b = nil
			return chunk, nil
		}
	}
	if u.piece == nil {
		u.piece = make([]byte, flushSize)
	}
	var n int
	var err error
	if s.pipe != nil {
		n, err = s.pipe.Read(u.piece)
	} else {
		n, err = s.file.ReadAt(u.piece[:min(s.length, flushSize)], s.offset)
	}
	if n == 0 {
		u.fail(err)
		return nil, u.end
	}
	s.offset += int64(n)
	if s.length -= int64(n); s.length == 0 {
		u.core.local.release(s)
	}
	return u.piece[:n], nil
}

// fail is the end of the stream, of which a handler that wants the connection is told.
func (u *unconnected) fail(err error) {
	u.end = err
	if h, found := u.core.local.handovers[&u.core]; found {
		go h.take(nil, nil, errNoConnection)
	}
}

var errNoConnection = errors.New("server: there is no connection below this protocol that could be handed over")

func (u *unconnected) Close() {
	if u.waker = nil; u.end == nil {
		u.end = pipeline.ErrClosed
	}
	u.core.local.release(&u.segment)
	u.segment = segment{}
	u.core.Close()
	u.core.refuseHandover(ErrClientGone)
	u.core.local.fallIdle()
	u.input.Close()
}

// inputLink is an unconnected as the link of its core.
type inputLink unconnected

func (l *inputLink) Poll(w pipeline.Waker) ([]byte, error) { return l.input.Poll(w) }

func (l *inputLink) Wake() {
	if l.waker != nil {
		l.waker.Wake()
	}
}

// Release has nothing to give back: a chunk is the input's.
func (l *inputLink) Release() {}

func (l *inputLink) Forget()                    {}
func (l *inputLink) Close()                     {}
func (l *inputLink) RemoteAddr() netip.AddrPort { return netip.AddrPort{} }
func (l *inputLink) LocalAddr() netip.AddrPort  { return netip.AddrPort{} }
