package server

import (
	"bytes"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/penstock-go/penstock/loop/looptest"
	"github.com/penstock-go/penstock/pipeline"
)

// driver runs a core without a socket: it is the link below it, the transport
// that polls it, and the schedule of everything that is late. All choices come
// from one seeded source.
type driver struct {
	t      testing.TB
	random *rand.Rand
	local  *local
	core   core

	input   []byte   // not given to the core yet
	ends    bool     // the client closes its sending side after the input
	breaks  error    // what reading behind the input fails with, or nil
	whole   bool     // no cuts, and nothing is ever late
	chunk   []byte   // lent to the core, overwritten when the loan ends
	pending []func() // what is late, to be run in any order

	woken  bool
	output []byte
	end    error // what the core ended with, or nil

	open   int // sources of handlers that were not closed yet
	closed map[string]int
}

var testEpoch = time.Date(2026, 11, 22, 1, 42, 0, 0, time.UTC)

func newDriver(t testing.TB, seed uint64, h func(*driver) Handler, o Options) *driver {
	o.Logger = slog.New(slog.DiscardHandler)
	o = o.withDefaults()
	d := &driver{t: t, random: rand.New(rand.NewPCG(seed, 1)), closed: map[string]int{}}
	l := looptest.New(t)
	d.local = newLocal(l.Loop, h(d), &o, func() time.Time { return testEpoch })
	t.Cleanup(func() { l.ClearTimer(&d.local.second) })
	d.core.local, d.core.link = d.local, (*driverLink)(d)
	return d
}

func (d *driver) Wake() { d.woken = true }

// run polls the core until it is done, or waits with nothing left that could wake
// it.
func (d *driver) run() {
	for d.end == nil {
		d.woken = false
		s, err := d.core.Poll(d)
		switch {
		case err == nil:
			d.write(s)
		case err != pipeline.ErrPending:
			d.end = err
		case !d.becomesWoken():
			return
		}
	}
}

// becomesWoken runs what is late, piece by piece, until the core is woken.
func (d *driver) becomesWoken() bool {
	for !d.woken {
		if len(d.pending) == 0 {
			return false
		}
		i := d.random.IntN(len(d.pending))
		late := d.pending[i]
		d.pending = append(d.pending[:i], d.pending[i+1:]...)
		late()
	}
	return true
}

func (d *driver) write(s segment) {
	if s.size() == 0 {
		d.t.Fatal("the core handed out a segment without a byte")
	}
	d.output = append(d.output, s.head...)
	d.output = append(d.output, s.data...)
	d.output = append(d.output, s.tail...)
	if s.file != nil {
		b := make([]byte, s.length)
		if _, err := s.file.ReadAt(b, s.offset); err != nil {
			d.t.Fatalf("the range of the segment's file could not be read: %v", err)
		}
		d.output = append(d.output, b...)
	}
}

// driverLink is the driver as the link of its core.
type driverLink driver

func (l *driverLink) Wake() { (*driver)(l).Wake() }

func (l *driverLink) Poll(w pipeline.Waker) ([]byte, error) {
	l.Release()
	d := (*driver)(l)
	if d.late(w) {
		return nil, pipeline.ErrPending
	}
	if len(d.input) == 0 {
		if d.ends {
			return nil, io.EOF
		}
		if d.breaks != nil {
			return nil, d.breaks
		}
		return nil, pipeline.ErrPending
	}
	n := len(d.input)
	if !d.whole {
		n = 1 + d.random.IntN(min(n, 1+d.random.IntN(3000)))
	}
	d.chunk = bytes.Clone(d.input[:n])
	d.chunk = d.chunk[:n:n]
	d.input = d.input[n:]
	return d.chunk, nil
}

// Release ends the loan of a chunk: what is looked at now reads as garbage.
func (l *driverLink) Forget() {}

func (l *driverLink) Release() {
	for i := range l.chunk {
		l.chunk[i] = 0xdd
	}
	l.chunk = nil
}

func (l *driverLink) Close()                     {}
func (l *driverLink) RemoteAddr() netip.AddrPort { return netip.AddrPort{} }
func (l *driverLink) LocalAddr() netip.AddrPort  { return netip.AddrPort{} }

// late decides whether a source has nothing yet, and if so wakes w later.
func (d *driver) late(w pipeline.Waker) bool {
	if d.whole || d.random.IntN(3) > 0 {
		return false
	}
	d.pending = append(d.pending, w.Wake)
	return true
}

// stutter is src with a seeded schedule of ErrPending, counted until it is closed.
func stutter[T any](d *driver, name string, src pipeline.Source[T]) pipeline.Source[T] {
	d.open++
	return &stuttering[T]{d: d, name: name, src: src}
}

type stuttering[T any] struct {
	d      *driver
	name   string
	src    pipeline.Source[T]
	closed bool
}

func (s *stuttering[T]) Poll(w pipeline.Waker) (T, error) {
	var none T
	if s.closed {
		s.d.t.Errorf("the source %s was polled after it was closed", s.name)
		return none, io.EOF
	}
	if s.d.late(w) {
		return none, pipeline.ErrPending
	}
	return s.src.Poll(w)
}

func (s *stuttering[T]) Close() {
	if s.closed {
		return
	}
	s.closed = true
	s.d.open--
	s.d.closed[s.name]++
	s.src.Close()
}

func itoa(n int) string { return strconv.Itoa(n) }

// temporaryFile returns a file of n bytes that counts as open until it is closed.
func temporaryFile(t testing.TB, n int) *os.File {
	f, err := os.CreateTemp(t.TempDir(), "body")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(filler(n)); err != nil {
		t.Fatal(err)
	}
	return f
}

// filler is n bytes in which every place can be told from its neighbours.
func filler(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz0123456789\n"[(i+i/37)%37]
	}
	return b
}
