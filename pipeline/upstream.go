package pipeline

// upstream is the source that a stage owns and the end of the stage's own stream. Embedded, it keeps two laws for the
// stage: the end is sticky (5) and Close goes upstream once (6).
type upstream[T any] struct {
	src Source[T] // nil once closed
	end error     // what every further Poll returns, nil while the stream goes on
}

// poll polls the source and keeps its end.
func (u *upstream[T]) poll(w Waker) (T, error) {
	if u.end != nil {
		var zero T
		return zero, u.end
	}
	v, err := u.src.Poll(w)
	if err != nil && err != ErrPending {
		u.end = err
	}
	return v, err
}

// fail ends the stream with err, which a function given to the stage may have returned. The source stays open until
// Close: whoever polls also closes.
func (u *upstream[T]) fail(err error) error {
	u.end = ending(err)
	return u.end
}

// Close closes the source, once. src is cleared first, so that a Close from within the source's own Close ends here.
func (u *upstream[T]) Close() {
	src := u.src
	if src == nil {
		return
	}
	u.src = nil
	if u.end == nil {
		u.end = ErrClosed
	}
	src.Close()
}
