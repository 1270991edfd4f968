package loop

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sys/unix"
)

// Moving bytes from socket to socket without copying them: splice(2) hangs what one socket
// has received into a pipe, and from there into what another sends. The pipe is only the
// place where they lie meanwhile, so like a buffer it is lent for as long as there is
// something in it, and a loop has about as many as it has slow receivers.

const (
	// pipeSize is the room of a Pipe, if the system allows it; else it is less. The kernel
	// counts a page for each piece, however short. It is what a receiver that takes nothing
	// keeps of the system's memory, and about what one turn may move. With 64 KiB a relay over
	// loopback moves pieces a quarter as long; 1 MiB saves nothing that could be measured.
	pipeSize = 256 << 10

	// keptPipes is how many pipes a loop keeps that nobody uses, of two descriptors each.
	keptPipes = 16
	// maxPipes is how many there are in all. It bounds the descriptors and, with pipeSize,
	// the memory that receivers keep who take nothing. As many pipes of that size as this
	// are also what a process without privileges may have (pipe(7), pipe-user-pages-soft).
	maxPipes = 256
)

// ErrNoPipe is returned by LendPipe when all pipes of the loop are in use: what would have
// been moved has to be read and written instead.
var ErrNoPipe = errors.New("loop: every pipe of the loop holds bytes that wait for their receiver")

// A Pipe is a pipe of the kernel's (pipe(7)) between two sockets: SpliceIn fills it and
// SpliceOut or Read empties it. It does not block. It belongs to the loop's goroutine.
type Pipe struct {
	out, in int // descriptors: read from out what was written to in
	held    int
}

// pipes are the pipes of one loop.
type pipes struct {
	made []*Pipe // and not closed
	idle []*Pipe // those of them that nobody uses
}

// LendPipe returns an empty pipe, which is to be given back with TakeBackPipe. Without an
// error it is good for at least one page of memory. Errors are ErrNoPipe, ErrStopped, and one
// that wraps the unix.Errno when a pipe could not be made, such as EMFILE. Whatever the error,
// the caller can still read and write.
func (l *Loop) LendPipe() (*Pipe, error) {
	if n := len(l.pipes.idle); n > 0 {
		p := l.pipes.idle[n-1]
		l.pipes.idle = l.pipes.idle[:n-1]
		return p, nil
	}
	if l.ended {
		return nil, ErrStopped
	}
	if len(l.pipes.made) >= maxPipes {
		return nil, ErrNoPipe
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("loop: a pipe could not be made: %w", err)
	}
	// Refused when the user has too many large pipes already; then it is as it was made.
	_, _ = unix.FcntlInt(uintptr(ends[1]), unix.F_SETPIPE_SZ, pipeSize)
	p := &Pipe{out: ends[0], in: ends[1]}
	l.pipes.made = append(l.pipes.made, p)
	return p, nil
}

// TakeBackPipe takes a pipe that its user does not use any more, whatever is in it: bytes
// that are still there are thrown away.
func (l *Loop) TakeBackPipe(p *Pipe) {
	i := slices.Index(l.pipes.made, p)
	switch {
	case i < 0: // closed at the loop's end
	case p.held == 0 && len(l.pipes.idle) < keptPipes:
		l.pipes.idle = append(l.pipes.idle, p)
	default:
		l.pipes.made = slices.Delete(l.pipes.made, i, i+1)
		l.closePipe(p)
	}
}

func (l *Loop) closePipe(p *Pipe) {
	for _, fd := range [...]int{p.out, p.in} {
		if err := unix.Close(fd); err != nil && err != unix.EINTR {
			l.logger.Error("loop: a pipe could not be closed", "error", err)
		}
	}
	*p = Pipe{out: -1, in: -1}
}

// closePipes closes all of them, at the loop's end.
func (l *Loop) closePipes() {
	for _, p := range l.pipes.made {
		l.closePipe(p)
	}
	l.pipes = pipes{}
}

// Len is how many bytes are in the pipe.
func (p *Pipe) Len() int { return p.held }

// Read takes up to len(b) bytes out of the pipe into b. It returns io.EOF when there are
// none: a pipe that is empty ends for its reader.
func (p *Pipe) Read(b []byte) (int, error) {
	if p.held == 0 {
		return 0, io.EOF
	}
	for {
		n, err := unix.Read(p.out, b[:min(len(b), p.held)])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("loop: could not read from a pipe: %w", err)
		}
		p.held -= n
		return n, nil
	}
}
