package proxy

import (
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// upload is the body of the request as the upstream's connection polls it. The client of package client
// closes it each time that a request has failed, but what was not polled can still be sent to another
// upstream. Owned by the loop goroutine.
type upload struct {
	source pipeline.Source[[]byte] // nil once closed
	failed error                   // what the source has failed with
	polled bool
}

func (u *upload) Poll(w pipeline.Waker) ([]byte, error) {
	if u.source == nil {
		return nil, pipeline.ErrClosed
	}
	u.polled = true
	chunk, err := u.source.Poll(w)
	if err != nil && err != pipeline.ErrPending && err != io.EOF {
		u.failed = err
	}
	return chunk, err
}

// Close closes the source if something of it may have been sent.
func (u *upload) Close() {
	if u.polled {
		u.close()
	}
}

func (u *upload) close() {
	if source := u.source; source != nil {
		u.source = nil
		source.Close()
	}
}
