package server

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/pipeline"
)

// tunnelRun is a tunnel under a seeded schedule, behind a few ordinary requests.
type tunnelRun struct {
	d    *driver
	talk conversation
	sent []byte // into the tunnel

	early  bool // the stage ends before its input
	fails  bool // the stage fails
	apart  bool // the input is read by somebody else than the stage
	closes bool // the stage closes its input when it ends

	read   []byte // by that somebody
	end    error  // of the input
	fed    []byte // for the stage to give
	waker  pipeline.Waker
	closed bool
}

func newTunnelRun(t *testing.T, seed uint64) *tunnelRun {
	u := &tunnelRun{}
	u.d = newDriver(t, seed, func(d *driver) Handler {
		plain := scheduleHandler(d)
		return func(r *Request) Response {
			if r.Upgrade() == "" {
				return plain(r)
			}
			upgrade := Upgrade("test", u.stage)
			if d.random.IntN(2) == 0 {
				return upgrade
			}
			return Later(stutter(d, "later", pipeline.Once(upgrade)))
		}
	}, Options{Strict: seed%2 == 0})
	random := u.d.random
	u.early, u.fails, u.apart, u.closes = random.IntN(3) == 0, random.IntN(8) == 0, random.IntN(2) == 0, random.IntN(2) == 0
	for range random.IntN(3) {
		u.talk.add(u.d)
	}
	u.sent = filler(random.IntN(1 << random.IntN(15)))
	u.d.input = append(u.talk.input, upgradeRequest("GET", "test", "")...)
	u.d.input = append(u.d.input, u.sent...)
	u.d.ends, u.d.whole = random.IntN(4) > 0, seed%16 == 0
	return u
}

var errStage = errors.New("the stage has failed, as the test wants it")

// stage gives what comes in, in capital letters and in chunks of its own.
func (u *tunnelRun) stage(input pipeline.Source[[]byte]) pipeline.Source[[]byte] {
	input = stutter(u.d, "input", input)
	var end pipeline.Source[[]byte] = pipeline.Empty[[]byte]()
	if u.fails {
		end = pipeline.Fail[[]byte](errStage)
	}
	var source pipeline.Source[[]byte]
	switch {
	case u.apart:
		u.d.pending = append(u.d.pending, func() { u.pump(input) })
		source = &pumped{u, input}
	case u.early:
		source = pipeline.OnClose(pipeline.Once(bytes.ToUpper(filler(20_000))), input.Close)
	default:
		source = pipeline.Map(input, func(chunk []byte) ([]byte, error) { return bytes.ToUpper(chunk), nil })
	}
	return stutter(u.d, "stage", pipeline.Concat(source, end))
}

// pump reads the input until it waits, outside of the core's polls.
func (u *tunnelRun) pump(input pipeline.Source[[]byte]) {
	for !u.closed && u.end == nil {
		chunk, err := input.Poll(pumpWaker{u, input})
		if err == pipeline.ErrPending {
			return
		}
		if u.end = err; err == nil {
			u.read = append(u.read, chunk...)
			u.fed = append(u.fed, bytes.ToUpper(chunk)...)
		}
		if w := u.waker; w != nil {
			u.waker = nil
			w.Wake()
		}
	}
}

type pumpWaker struct {
	u     *tunnelRun
	input pipeline.Source[[]byte]
}

func (w pumpWaker) Wake() { w.u.d.pending = append(w.u.d.pending, func() { w.u.pump(w.input) }) }

// pumped gives what was pumped. It has its end before the input has, if that is wanted.
type pumped struct {
	u     *tunnelRun
	input pipeline.Source[[]byte]
}

func (p *pumped) Poll(w pipeline.Waker) ([]byte, error) {
	u := p.u
	switch {
	case u.early && len(u.fed) > 1000 || u.end != nil && len(u.fed) == 0:
		if u.closes {
			u.closed = true
			p.input.Close()
		}
		return nil, io.EOF
	case len(u.fed) == 0:
		u.waker = w
		return nil, pipeline.ErrPending
	}
	n := 1 + u.d.random.IntN(len(u.fed))
	chunk := u.fed[:n]
	u.fed = u.fed[n:]
	return chunk, nil
}

func (p *pumped) Close() {
	p.u.closed = true
	p.input.Close()
}

// check says what is wrong with a run that has come to rest.
func (u *tunnelRun) check() error {
	d := u.d
	answers, tunnelled, found := bytes.Cut(d.output, []byte("Connection: Upgrade\r\nUpgrade: test\r\n\r\n"))
	if !found {
		if bytes.Contains(d.output, []byte("Connection: close")) {
			return nil // an answer before it has ended the connection
		}
		return fmt.Errorf("there is no 101 among %d bytes of output", len(d.output))
	}
	if i := bytes.LastIndex(answers, []byte("HTTP/1.1 101 ")); i < 0 {
		return errors.New("the status line of the 101 is missing")
	} else if err := u.talk.check(answers[:i], d.end); err != nil {
		return err
	}
	capitals := bytes.ToUpper(u.sent)
	switch {
	case u.early && !u.apart:
		if !bytes.Equal(tunnelled, bytes.ToUpper(filler(20_000))) {
			return fmt.Errorf("the stage gives 20000 bytes of its own, and %d came, or others", len(tunnelled))
		}
	case !bytes.HasPrefix(capitals, tunnelled):
		return fmt.Errorf("%d bytes came out of the tunnel that are not what went in", len(tunnelled))
	case !u.early && !u.fails && len(tunnelled) != len(capitals):
		return fmt.Errorf("of %d bytes that went into the tunnel %d came out", len(capitals), len(tunnelled))
	}
	if u.apart && !u.closed && !bytes.Equal(u.read, u.sent) {
		return fmt.Errorf("of %d bytes that were sent %d were read, or others, and the input says %v", len(u.sent), len(u.read), u.end)
	}
	return u.checkEnd()
}

// checkEnd says whether the connection is open that should not be, or the reverse.
func (u *tunnelRun) checkEnd() error {
	d := u.d
	inputEnds := d.ends && !(u.early && !u.apart)
	switch {
	case d.end == nil && d.core.state == stateHalfClosed && u.d.ends && u.apart:
		return errors.New("both sides have ended, and the core is not done")
	case d.end == nil && d.core.state == stateTunnel && inputEnds:
		return errors.New("the input has ended, and the stage goes on")
	case u.fails && d.end != nil && d.end != errCut:
		return fmt.Errorf("the stage has failed, and the core has ended with %w", d.end)
	case !u.fails && d.end != nil && d.end != io.EOF:
		return fmt.Errorf("the tunnel was cut: %w", d.end)
	case d.end != nil && d.open != 0:
		return fmt.Errorf("%d sources are open", d.open)
	}
	return nil
}

// TestTunnelUnderSchedules runs tunnels under random cuts and schedules, with stages that
// read within their poll and others that have somebody else read.
func TestTunnelUnderSchedules(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+uint64(*schedules)/2; seed++ {
		u := newTunnelRun(t, seed)
		u.d.run()
		if err := u.check(); err != nil {
			t.Fatalf("%v; that was seed %d; run it alone with -seed=%d -schedules=1", err, seed, seed)
		}
		u.closeAndCheck(t, seed)
	}
}

// TestTunnelClosedAnywhere closes the core at every point of a tunnel.
func TestTunnelClosedAnywhere(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+uint64(*schedules)/6; seed++ {
		u := newTunnelRun(t, seed)
		d := u.d
		for polls := d.random.IntN(40); polls > 0 && d.end == nil; polls-- {
			if s, err := d.core.Poll(d); err == nil {
				d.write(s)
			} else if err != pipeline.ErrPending || !d.becomesWoken() {
				break
			}
		}
		u.closeAndCheck(t, seed)
	}
}

func (u *tunnelRun) closeAndCheck(t *testing.T, seed uint64) {
	t.Helper()
	d := u.d
	d.core.Close()
	for len(d.pending) > 0 { // what is late comes to nothing
		late := d.pending[0]
		d.pending = d.pending[1:]
		late()
	}
	if d.open != 0 || d.core.exchange != nil || d.core.out != nil || d.core.stream != nil || d.chunk != nil {
		t.Fatalf("seed %d: after Close %d sources are open, exchange kept: %t, output kept: %t, stream kept: %t, input kept: %t",
			seed, d.open, d.core.exchange != nil, d.core.out != nil, d.core.stream != nil, d.chunk != nil)
	}
	for name, n := range d.closed {
		if strings.HasPrefix(name, "stage") && n != 1 {
			t.Fatalf("seed %d: the source %s was closed %d times", seed, name, n)
		}
	}
}
