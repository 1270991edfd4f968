package client

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

// fixture is a client on a loop that is turned by hand, with connections whose other ends a test plays.
type fixture struct {
	t       testing.TB
	loop    *looptest.Loop
	client  *Client
	pool    *pool
	scripts []*script       // of all connections that were asked for
	prepare func(s *script) // before its connection is there; nil: nothing
}

func newFixture(t testing.TB, o Options) *fixture {
	t.Helper()
	return newFixtureOn(t, looptest.New(t), o)
}

func newFixtureOn(t testing.TB, l *looptest.Loop, o Options) *fixture {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatalf("The client could not be made: %v.", err)
	}
	u, err := c.Upstream("unix:/upstream")
	if err != nil {
		t.Fatalf("The upstream was refused: %v.", err)
	}
	f := &fixture{t: t, loop: l, client: c, pool: c.local(l.Loop).pool(u)}
	c.connect = func(a *dialAttempt) error {
		s := &script{t: t, conn: a.conn, attempt: a, room: -1}
		a.conn.transport = s
		f.scripts = append(f.scripts, s)
		return nil
	}
	return f
}

// connect has the connections be there that were asked for, and returns the last.
func (f *fixture) connect() *script {
	f.t.Helper()
	var last *script
	for _, s := range f.scripts {
		if last = s; s.attempt != nil {
			if f.prepare != nil {
				f.prepare(s)
			}
			a := s.attempt
			s.attempt = nil
			a.dial.attemptOver(a, nil)
		}
	}
	f.loop.Settle()
	return last
}

// close ends the client, so that nothing is left on the loop.
func (f *fixture) close() {
	f.client.Close()
	f.loop.Settle()
}

// script is a transport whose other end is played by a test.
type script struct {
	t       testing.TB
	conn    *conn
	attempt *dialAttempt // while it is on its way
	random  *rand.Rand   // cuts reads and writes anywhere; nil: they are as long as they can be

	in       []byte // has arrived and was not read
	inEnded  bool
	inBroken error
	room     int // in the send buffer; negative: endless
	noWrite  error

	out           []byte // was written
	fin, reset    bool
	closes, reads int
}

func (s *script) arrives(bytes string) {
	s.in = append(s.in, bytes...)
	s.conn.SocketEvent(loop.Readable)
}

func (s *script) ends() {
	s.inEnded = true
	s.conn.SocketEvent(loop.Readable | loop.HalfClosed)
}

func (s *script) breaks() {
	s.inBroken = errors.New("script: connection reset by peer")
	s.noWrite = s.inBroken
	s.conn.SocketEvent(loop.Readable | loop.Writable | loop.HalfClosed | loop.Broken)
}

func (s *script) drains(room int) {
	s.room = room
	s.conn.SocketEvent(loop.Writable)
}

func (s *script) Read(p []byte) (int, error) {
	s.open("Read")
	s.reads++
	n := min(len(p), len(s.in))
	switch {
	case n > 0 && s.random != nil:
		n = 1 + s.random.IntN(n)
	case n > 0:
	case s.inBroken != nil:
		return 0, s.inBroken
	case s.inEnded:
		return 0, io.EOF
	default:
		return 0, loop.ErrAgain
	}
	copy(p, s.in[:n])
	s.in = s.in[n:]
	return n, nil
}

func (s *script) Writev(bufs [][]byte) (int, error) {
	s.open("Writev")
	if s.noWrite != nil {
		return 0, s.noWrite
	}
	n := 0
	for _, b := range bufs {
		take := len(b)
		if s.room >= 0 {
			take = min(take, s.room)
		}
		if s.random != nil && take > 0 && s.random.IntN(4) == 0 {
			take = s.random.IntN(take)
		}
		s.out = append(s.out, b[:take]...)
		n += take
		if s.room >= 0 {
			s.room -= take
		}
		if take < len(b) {
			break
		}
	}
	if n == 0 {
		return 0, loop.ErrAgain
	}
	return n, nil
}

func (s *script) SpliceIn(*loop.Pipe, int) (int, error) { return 0, nil }

func (s *script) Readable() bool {
	return s.closes == 0 && (len(s.in) > 0 || s.inEnded || s.inBroken != nil)
}

func (s *script) PeerClosed() bool { return s.inEnded || s.inBroken != nil }

func (s *script) CloseWrite() error {
	s.open("CloseWrite")
	if s.fin {
		s.t.Errorf("FIN was sent twice.")
	}
	s.fin = true
	return s.noWrite
}

func (s *script) Reset() { s.reset = true }
func (s *script) Close() { s.closes++ }

func (s *script) open(what string) {
	if s.closes > 0 {
		s.t.Errorf("%s was called on a connection that was closed.", what)
	}
}

// woken counts wakes.
type woken struct{ times int }

func (w *woken) Wake() { w.times++ }

// pieces is the body of a request.
type pieces struct {
	chunks []string
	ready  int   // how many of the chunks may be polled; with one more, the end
	end    error // nil: io.EOF
	inPoll func()

	t             testing.TB
	waker         pipeline.Waker
	polls, closes int
	ended, failed bool
	last          []byte
}

func allOf(t testing.TB, chunks ...string) *pieces {
	return &pieces{t: t, chunks: chunks, ready: len(chunks) + 1}
}

func (p *pieces) Poll(w pipeline.Waker) ([]byte, error) {
	if p.closes > 0 {
		p.t.Errorf("The body of a request was polled after it was closed.")
	}
	p.spoil()
	p.polls++
	if p.inPoll != nil {
		p.inPoll()
	}
	switch {
	case p.ready == 0:
		p.waker = w
		return nil, pipeline.ErrPending
	case len(p.chunks) > 0:
		p.ready--
		p.last = []byte(p.chunks[0])
		p.chunks = p.chunks[1:]
		return p.last, nil
	case p.end != nil:
		p.failed = true
		return nil, p.end
	}
	p.ended = true
	return nil, io.EOF
}

func (p *pieces) Close() {
	p.spoil()
	p.closes++
}

// spoil overwrites the last chunk: nobody may be looking at it any more.
func (p *pieces) spoil() {
	for i := range p.last {
		p.last[i] = '!'
	}
	p.last = nil
}

// more has some more of the body ready.
func (p *pieces) more(n int) {
	p.ready += n
	if w := p.waker; w != nil {
		p.waker = nil
		w.Wake()
	}
}

// spoilBuffers overwrites what nobody should be looking at any more: the buffers that were given back.
func (f *fixture) spoilBuffers() {
	var lent []*loop.ReadBuffer
	for range 3 {
		b := f.loop.LendReadBuffer()
		for i := 0; i < len(b.Bytes); i += 64 {
			b.Bytes[i] = 0xdb
		}
		copy(b.Bytes[:], spoilt[:])
		lent = append(lent, b)
	}
	for _, b := range lent {
		f.loop.TakeBackReadBuffer(b)
	}
}

var spoilt = func() (b [256]byte) {
	for i := range b {
		b[i] = 0xdb
	}
	return b
}()
