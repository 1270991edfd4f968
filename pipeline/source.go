package pipeline

import (
	"errors"
	"io"
)

// A Source is a stream of values read on demand. All its methods are called on the goroutine of one loop.
//
// Poll returns the next value, or ErrPending when there is none yet: then w.Wake is called once polling again may
// help. io.EOF ends the stream; any other error ends it as failed. Only a nil error comes with a value. Of several
// wakers given to one source only that of the latest Poll need be woken.
//
// Close releases what the stream holds, upstream included; closing again does nothing. A source that is closed
// before its end should not be polled any more; the sources of this package then return ErrClosed.
type Source[T any] interface {
	Poll(w Waker) (T, error)
	Close()
}

// A Waker is told that polling a source again may help. Wake is called on the goroutine of the loop only; it makes a
// note and returns, and may be called more often than there is reason for.
type Waker interface{ Wake() }

// ErrPending is returned by Poll, as it is and never wrapped, when a source has no value yet. Compare it with ==.
var ErrPending = errors.New("pipeline: no value is ready yet; the waker is told when to poll again")

// ErrClosed is returned by Poll when the source was closed before its end, and by Push when nobody receives any more.
var ErrClosed = errors.New("pipeline: the source is closed")

// errPendingEnd replaces an ErrPending that came from where only the end of a stream can come from: passed on, it
// would be a wait that nobody ends.
var errPendingEnd = errors.New("pipeline: a function returned ErrPending as the end of a stream; " +
	"only the Poll of a Source may return it")

const (
	// maxValues is how many values a stage takes from upstream in one Poll without handing one on.
	maxValues = 256
	// maxChunks is the same for chunks of bytes, which cost more each.
	maxChunks = 32
)

// ending returns the error that ends a stream when a function given to a stage has returned err.
func ending(err error) error {
	if err == ErrPending {
		return errPendingEnd
	}
	return err
}

// release closes the values that can be closed: those that were given to a stream and will never leave it.
func release[T any](values ...T) {
	var zero T
	switch any(zero).(type) {
	case nil, interface{ Close() }, io.Closer: // nil: T is an interface, each value may be another type
	default:
		return // spares making an interface of each value
	}
	for _, v := range values {
		switch c := any(v).(type) {
		case interface{ Close() }:
			c.Close()
		case io.Closer:
			_ = c.Close() // nobody is left who could be told
		}
	}
}
