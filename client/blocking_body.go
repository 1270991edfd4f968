package client

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

const (
	// readSize is how much of a BlockingRequest's body is read at a time.
	readSize = 32 << 10
	// maxEmptyReads is how many reads in a row may give nothing.
	maxEmptyReads = 100
)

var errBodyExited = errors.New("client: the body of the request ended its goroutine instead of returning")

// upload is a body that may block, as a source. A goroutine reads it, from the first Poll on, and no further ahead than the
// buffer of a pipeline.Writer has room. The source is owned by the loop goroutine.
type upload struct {
	body   io.Reader
	loop   *loop.Loop
	logger *slog.Logger

	source  pipeline.Source[[]byte] // nil before the first Poll
	closed  bool
	closing sync.Once
}

func (u *upload) Poll(w pipeline.Waker) ([]byte, error) {
	if u.closed {
		return nil, pipeline.ErrClosed
	}
	if u.source == nil {
		writer, source := pipeline.NewWriter(u.loop, 2*readSize)
		u.source = source
		go u.pump(writer)
	}
	return u.source.Poll(w)
}

// Close ends the goroutine, at once or when the Read that it is in returns.
func (u *upload) Close() {
	if u.closed {
		return
	}
	u.closed = true
	if u.source != nil {
		u.source.Close()
	}
	if _, closes := u.body.(io.Closer); closes {
		go u.closeReader() // which may block, and has a Read return that does
	}
}

// closeReader closes the body, if it can be closed, once.
func (u *upload) closeReader() {
	u.closing.Do(func() {
		defer func() { _ = u.rescue(recover()) }()
		if closer, closes := u.body.(io.Closer); closes {
			_ = closer.Close() // what was read is what counts
		}
	})
}

// pump runs on the goroutine.
func (u *upload) pump(to *pipeline.Writer) {
	err := errBodyExited
	defer func() {
		if panicked := u.rescue(recover()); panicked != nil {
			err = panicked
		}
		to.CloseWithError(err)
	}()
	err = copyBody(to, u.body)
}

// rescue makes an error of what the body has panicked with; nil of nil.
func (u *upload) rescue(value any) error {
	if value == nil {
		return nil
	}
	u.logger.Error("client: the body of a request panicked", "panic", value, "stack", string(debug.Stack()))
	return fmt.Errorf("client: the body of the request panicked: %v", value)
}

// copyBody writes what body gives, each piece as it comes.
func copyBody(to *pipeline.Writer, body io.Reader) error {
	buffer := make([]byte, readSize)
	for empty := 0; empty < maxEmptyReads; empty++ {
		n, err := body.Read(buffer)
		if n > 0 {
			empty = 0
			if _, err := to.Write(buffer[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := to.Flush(); err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// inMemory returns what gives the bytes of a body that is in memory, as often as it is called, and their number; nil
// for any other body. The body stays as it is.
func inMemory(body io.Reader) (open func() pipeline.Source[[]byte], size int64) {
	if b, ok := body.(*bytes.Buffer); ok {
		body = bytes.NewReader(b.Bytes())
	}
	switch b := body.(type) {
	case *bytes.Reader, *strings.Reader:
		at := b.(sizedReaderAt)
		begin, end := at.Size()-int64(at.Len()), at.Size()
		return func() pipeline.Source[[]byte] { return &memory{at: at, begin: begin, end: end} }, end - begin
	}
	return nil, 0
}

type sizedReaderAt interface {
	io.ReaderAt
	Size() int64
	Len() int // what was not read yet
}

// memory is bytes from begin to end, as a source.
type memory struct {
	at         io.ReaderAt
	begin, end int64
	buffer     []byte
}

func (m *memory) Poll(pipeline.Waker) ([]byte, error) {
	left := m.end - m.begin
	if left == 0 {
		return nil, io.EOF
	}
	if m.buffer == nil {
		m.buffer = make([]byte, min(left, readSize))
	}
	n, err := m.at.ReadAt(m.buffer[:min(left, readSize)], m.begin)
	if m.begin += int64(n); n > 0 {
		return m.buffer[:n], nil
	}
	return nil, err
}

func (m *memory) Close() { m.begin, m.buffer = m.end, nil }
