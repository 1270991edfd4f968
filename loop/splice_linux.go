package loop

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// SpliceIn moves what there is to be read, at most limit bytes, into p without copying it
// through the process (splice(2)). p is to be empty: what is in it has to leave first. It
// returns how many bytes were moved, which may be less than there are, since a pipe has room
// for only so many pieces; and errors as Read does. Zero without an error means that there
// are bytes that cannot be moved, such as those behind an urgent mark: Read them.
func (s *Socket) SpliceIn(p *Pipe, limit int) (int, error) {
	switch {
	case !s.open:
		return 0, ErrClosed
	case s.state&Readable == 0:
		return 0, s.notReady()
	case p.held > 0: // then the kernel's EAGAIN could be the pipe's as well as the socket's
		return 0, fmt.Errorf("loop: a pipe that still holds %d bytes cannot be filled: they have to leave first", p.held)
	case limit <= 0:
		return 0, nil
	}
	for {
		n, err := unix.Splice(int(s.fd), nil, p.in, nil, limit, unix.SPLICE_F_NONBLOCK)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN && s.state&Urgent == 0:
			s.state &^= Readable
			return 0, ErrAgain
		case err == unix.EAGAIN:
			return 0, s.splicedNothing()
		case err == unix.EINVAL:
			return 0, nil // not a kind of socket that can
		case err != nil:
			s.state |= Broken.implied()
			return 0, s.failed("splice from", err)
		case n == 0:
			return 0, s.splicedNothing()
		}
		// Less than limit does not mean drained here: the pipe may have had no room for more
		// pieces. The next call says.
		p.held = int(n)
		return p.held, nil
	}
}

// splicedNothing finds out what it means that nothing was there: splice(2) says the same of
// the end, or of a drained socket, and of an urgent mark, which it does not pass.
func (s *Socket) splicedNothing() error {
	var next [1]byte
	for {
		n, _, err := unix.Recvfrom(int(s.fd), next[:], unix.MSG_PEEK)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			s.state &^= Readable
			return ErrAgain
		case err != nil:
			s.state |= Broken.implied()
			return s.failed("read from", err)
		case n == 0:
			s.state |= HalfClosed.implied()
			return io.EOF
		}
		return nil
	}
}

// SpliceOut writes up to limit bytes out of p without copying them through the process, and
// returns how many the send buffer took, and errors as Write does. Nothing is in p that was
// not moved there by SpliceIn, so zero without an error means that p is empty or limit is 0.
func (s *Socket) SpliceOut(p *Pipe, limit int) (int, error) {
	if err := s.writeable(); err != nil {
		return 0, err
	}
	total, length := 0, min(limit, p.held)
	for total < length {
		n, err := unix.Splice(p.out, nil, int(s.fd), nil, length-total, unix.SPLICE_F_NONBLOCK)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN && total > 0:
			s.state &^= Writable
			return total, nil
		case err == nil && n == 0:
			return total, fmt.Errorf("loop: a pipe that should hold %d bytes is empty", p.held)
		case err != nil:
			_, err = s.wrote(0, 0, err)
			return total, err
		}
		// Short is not full here: the kernel moves a pipe in pieces. The next call says.
		total += int(n)
		p.held -= int(n)
	}
	return total, nil
}
