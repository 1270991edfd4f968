package pipeline

// An Aborter is a Waker whose consumer can be told that a stream has failed even while it does not poll, because it
// has not got rid of what it was given before. A source that fails so, as a subscription to a Topic does when it is
// evicted, calls Abort of the waker of the latest Poll in place of Wake, with the error that Poll returns from now on:
// on the goroutine of the loop, once, and not after Close. Unlike Wake, Abort may close the source.
//
// A stage that polls upstream with the waker that it was given has nothing to do for this. One that polls with a waker
// of its own, as Merge does, passes Abort on: its waker is an Aborter, and calls Abort of the waker of the stage's
// latest Poll if that is one, or else Wake. Package pipelinetest checks it.
type Aborter interface {
	Waker
	Abort(err error)
}

// abort tells w that a stream has failed, in the way that w understands.
func abort(w Waker, err error) {
	if a, ok := w.(Aborter); ok {
		a.Abort(err)
		return
	}
	w.Wake()
}
