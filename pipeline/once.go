package pipeline

import "io"

// Once returns the stream of v alone. A v that was not read when the source is closed is released.
func Once[T any](v T) Source[T] { return FromSlice([]T{v}) }

// Fail returns the stream that has no value and ends with err.
func Fail[T any](err error) Source[T] { return failed[T]{ending(err)} }

// Empty returns the stream that has no value and ends with io.EOF.
func Empty[T any]() Source[T] { return failed[T]{io.EOF} }

type failed[T any] struct{ err error }

func (s failed[T]) Poll(Waker) (T, error) {
	var zero T
	return zero, s.err
}

func (failed[T]) Close() {}
