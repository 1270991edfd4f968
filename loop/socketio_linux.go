package loop

import (
	"io"

	"golang.org/x/sys/unix"
)

// Read reads what is there, at most len(p) bytes. It returns ErrAgain, without asking
// the kernel when that is known, while there is nothing to read; io.EOF once the peer
// has ended its side; ErrClosed on a closed socket; and an error that wraps the
// unix.Errno when the connection is broken.
func (s *Socket) Read(p []byte) (int, error) {
	if !s.open {
		return 0, ErrClosed
	}
	if s.state&Readable == 0 {
		return 0, s.notReady()
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := readSocket(int(s.fd), p)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			s.state &^= Readable
			return 0, ErrAgain
		case err != nil:
			s.state |= Broken.implied()
			return 0, s.failed("read from", err)
		case n == 0:
			s.state |= HalfClosed.implied()
			return 0, io.EOF
		}
		if n < len(p) && s.state&settled == 0 {
			s.state &^= Readable
		}
		return n, nil
	}
}

// Write writes as much of p as the send buffer takes and returns how much that was: less
// than len(p), without an error, when it filled up. It returns ErrAgain when nothing
// could be taken, without asking the kernel when that is known; ErrClosed on a closed
// socket; and an error that wraps the unix.Errno when the connection is broken.
func (s *Socket) Write(p []byte) (int, error) {
	if err := s.writeable(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := writeSocket(int(s.fd), p)
		if err == unix.EINTR {
			continue
		}
		return s.wrote(n, len(p), err)
	}
}

// vectorLength is how many buffers go into one writev(2): as many as x/sys/unix
// describes to the kernel without allocating.
const vectorLength = 8

// Writev writes the buffers one after the other as if they were one, and returns what
// Write would return for that. It allocates nothing and does not change bufs. More than
// eight buffers take a system call for each eight.
func (s *Socket) Writev(bufs [][]byte) (int, error) {
	if len(bufs) == 1 {
		return s.Write(bufs[0]) // which is cheaper
	}
	if err := s.writeable(); err != nil {
		return 0, err
	}
	total := 0
	for len(bufs) > 0 {
		vector := bufs[:min(len(bufs), vectorLength)]
		length := 0
		for _, b := range vector {
			length += len(b)
		}
		bufs = bufs[len(vector):]
		if length == 0 {
			continue
		}
		n, err := s.writeVector(vector, length)
		total += n
		if n < length {
			if total > 0 && err == ErrAgain {
				err = nil
			}
			return total, err
		}
	}
	return total, nil
}

func (s *Socket) writeVector(vector [][]byte, length int) (int, error) {
	for {
		n, err := unix.Writev(int(s.fd), vector)
		if err == unix.EINTR {
			continue
		}
		return s.wrote(n, length, err)
	}
}

// SendFile writes length bytes of the file with the descriptor file, from offset on,
// without copying them through the process (sendfile(2)); the file's own position is
// neither used nor moved. It returns how many bytes the send buffer took, and errors as
// Write does, and io.ErrUnexpectedEOF when the file has fewer bytes. Reading a file that
// is not in memory makes the loop wait for the disk, so ask for a moderate length.
func (s *Socket) SendFile(file int, offset, length int64) (int64, error) {
	if err := s.writeable(); err != nil {
		return 0, err
	}
	total := int64(0)
	for total < length {
		n, err := unix.Sendfile(int(s.fd), file, &offset, int(min(length-total, 1<<30)))
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN && total > 0:
			s.state &^= Writable
			return total, nil
		case err == nil && n == 0:
			return total, io.ErrUnexpectedEOF
		case err != nil:
			_, err = s.wrote(0, 0, err)
			return total, err
		}
		// Short is not full here: the kernel moves a file in pieces. The next call says.
		total += int64(n)
	}
	return total, nil
}

// writeable says why not to try to write, if there is a reason.
func (s *Socket) writeable() error {
	if !s.open {
		return ErrClosed
	}
	if s.state&Writable == 0 {
		return s.notReady()
	}
	return nil
}

// notReady says why an open socket is not tried.
func (s *Socket) notReady() error {
	if s.connecting != 0 {
		return s.Connected()
	}
	return ErrAgain
}

// wrote takes note of a write of n bytes out of length.
func (s *Socket) wrote(n, length int, err error) (int, error) {
	switch {
	case err == unix.EAGAIN:
		s.state &^= Writable
		return 0, ErrAgain
	case err != nil:
		return 0, s.failed("write to", err)
	}
	if n < length {
		s.state &^= Writable
	}
	return n, nil
}
