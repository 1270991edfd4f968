package loop

import "errors"

var (
	// ErrAgain says that nothing could be read or written now. SocketEvent is called
	// when trying again may help. It is returned as it is, never wrapped.
	ErrAgain = errors.New("loop: the socket is not ready; its handler is called when it is")

	// ErrClosed is what every operation returns on a socket that was closed or never
	// attached.
	ErrClosed = errors.New("loop: the socket is closed or was never attached to a loop")

	// ErrStopped is returned by a loop that has ended: what was asked for was not done
	// and never will be.
	ErrStopped = errors.New("loop: the loop has stopped and accepts nothing more")
)

// ErrPoolFull is returned by Pool.Submit when all workers are busy and the queue holds
// as much as it may. It has a status for HTTP, 503 (RFC 9110 section 15.6.4), and a
// sentence that may be shown to clients.
var ErrPoolFull error = poolFullError{}

// ErrPoolClosed is returned by Pool.Submit once Close was called.
var ErrPoolClosed = errors.New("loop: the pool is closed and accepts no more work")

type poolFullError struct{}

func (poolFullError) Error() string {
	return "loop: the pool is full: every worker is busy and its queue has no room"
}

// Status is the HTTP status that an unanswered request gets for this error.
func (poolFullError) Status() int { return 503 }

// Public is the sentence that a client may see.
func (poolFullError) Public() string {
	return "The server is busy. Please try again later."
}
