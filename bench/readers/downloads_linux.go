package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/penstock-go/penstock/bench/internal/rate"
	"github.com/penstock-go/penstock/bench/internal/socket"
	"golang.org/x/sys/unix"
)

const (
	patternLength = 64 << 10
	maxHead       = 8 << 10
	// Kept small: else the kernel would take megabytes for each reader before the server is
	// held back at all.
	receiveBuffer = 128 << 10

	// That of Ethernet. A segment of the loopback's 64 KiB fills half the receive buffer: most
	// would be dropped and sent again, at the server's expense.
	segment = 1460
)

// downloads are read from in turn, by one goroutine.
type downloads struct {
	each    []*download
	bytes   int64 // of bodies, read so far
	pattern []byte
	buffer  []byte
}

// A download is one connection. It asks anew when a body has ended.
type download struct {
	fd      int
	request []byte
	unsent  []byte // of the request
	head    []byte // of the answer, until it is complete
	begun   bool   // a head was complete once
	length  int64  // of the body; 0 until the head is complete
	read    int64  // of the body
	budget  rate.Budget
}

// open begins the connections. On an error it returns those that are open all the same.
func open(server netip.AddrPort, o options) (*downloads, error) {
	d := &downloads{
		pattern: bytes.Repeat(pattern(), 2), // whatever the offset, a whole pattern stands behind it
		buffer:  make([]byte, patternLength),
	}
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", o.path)
	prepare := func(fd int) error {
		return errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer),
			unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_MAXSEG, segment))
	}
	for i := range o.readers {
		fd, err := socket.Connect(server, prepare)
		if err != nil {
			return d, fmt.Errorf("download %d of %d: %w", i+1, o.readers, err)
		}
		d.each = append(d.each, &download{
			fd: fd, request: request, unsent: request, budget: rate.NewBudget(o.rate, time.Now()),
		})
	}
	return d, nil
}

func pattern() []byte {
	block := make([]byte, patternLength)
	for i := range block {
		block[i] = byte(i % 251)
	}
	return block
}

func (d *downloads) close() {
	for _, one := range d.each {
		unix.Close(one.fd)
	}
}

// advance lets every download read what it may by now, and says whether all have begun.
func (d *downloads) advance(now time.Time) (begun bool, err error) {
	begun = true
	for i, one := range d.each {
		one.budget.Refill(now)
		if err := d.advanceOne(one); err != nil {
			return false, fmt.Errorf("download %d of %d: %w", i+1, len(d.each), err)
		}
		begun = begun && one.begun
	}
	return begun, nil
}

func (d *downloads) advanceOne(one *download) error {
	if len(one.unsent) > 0 {
		n, err := unix.Write(one.fd, one.unsent)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.ENOTCONN) {
			return nil // still connecting
		}
		if err != nil {
			return fmt.Errorf("the request cannot be sent: %w", err)
		}
		one.unsent = one.unsent[n:]
	}
	for one.budget.Bytes > 0 {
		n, err := unix.Read(one.fd, d.buffer[:min(one.budget.Bytes, int64(len(d.buffer)))])
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("after %d of %d bytes: %w", one.read, one.length, err)
		}
		one.budget.Bytes -= int64(n)
		if err := d.take(one, d.buffer[:n]); err != nil {
			return err
		}
	}
	return nil
}

// take takes bytes of the answer.
func (d *downloads) take(one *download, got []byte) error {
	if one.length == 0 {
		one.head = append(one.head, got...)
		end := bytes.Index(one.head, []byte("\r\n\r\n"))
		if end < 0 {
			if len(one.head) > maxHead {
				return fmt.Errorf("the head is longer than %d bytes", maxHead)
			}
			return nil
		}
		length, err := bodyLength(string(one.head[:end+2]))
		if err != nil {
			return err
		}
		got = one.head[end+4:]
		one.begun, one.length, one.head = true, length, nil
	}
	if one.read+int64(len(got)) > one.length {
		return fmt.Errorf("there are %d bytes behind the body", one.read+int64(len(got))-one.length)
	}
	for rest := got; len(rest) > 0; {
		part := rest[:min(len(rest), patternLength)]
		offset := int(one.read % patternLength)
		if !bytes.Equal(part, d.pattern[offset:offset+len(part)]) {
			return fmt.Errorf("the body is wrong within %d bytes after byte %d", len(part), one.read)
		}
		one.read += int64(len(part))
		rest = rest[len(part):]
	}
	d.bytes += int64(len(got))
	if one.read == one.length {
		one.unsent, one.length, one.read = one.request, 0, 0
	}
	return nil
}

// bodyLength reads the head of an answer, which must have a Content-Length.
func bodyLength(head string) (int64, error) {
	lines := strings.Split(head, "\r\n")
	if !strings.HasPrefix(lines[0], "HTTP/1.1 200") {
		return 0, fmt.Errorf("the status line is %q, expected HTTP/1.1 200", lines[0])
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		if !strings.EqualFold(name, "Content-Length") {
			continue
		}
		length, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil || length <= 0 {
			return 0, fmt.Errorf("the Content-Length is %q, expected a number above 0", value)
		}
		return length, nil
	}
	return 0, errors.New("the answer has no Content-Length, expected that of the download")
}
