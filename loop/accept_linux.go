package loop

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Theory.
//
// An acceptor is one listening socket on one loop. Its states:
//
//	waiting ──start──▶ listening ──shortage──▶ paused
//	   │                  ▲  │                    │
//	   │                  └──┼───────retry────────┘
//	   └──────────────▶ closed ◀──────────────────┘
//
//   - waiting: the loop has not run start yet, so the descriptor belongs to whoever holds
//     the lock. Closing it needs no loop.
//   - listening: the descriptor belongs to the loop, and closing is a post to it. An edge
//     means connections: a task accepts them until there are none, but only some in one
//     turn.
//   - paused: out of descriptors or memory. There may be no edge for what is in the queue
//     when there are some again, and accepting would fail at once until then; so a timer
//     tries again. It is logged once for each episode, which ends only when the queue
//     has been emptied: under a full table each connection that ends would begin another.
//
// done is closed when the descriptor is, unless it is the end of the loop that closes it.

const (
	// acceptBudget is how many connections are accepted in one turn.
	acceptBudget = 64
	// acceptRetry is how long a shortage is waited out before trying again.
	acceptRetry = 50 * time.Millisecond
)

type acceptor struct {
	loop     *Loop
	handOver func(fd int)
	accept   func(listener int) (int, error)
	done     chan struct{}

	mu      sync.Mutex // guards what follows until started; then the loop owns it
	fd      int
	started bool
	closed  bool

	// Owned by the loop.
	socket   Socket
	task     Task
	timer    Timer
	paused   bool
	reported bool // the shortage has been logged
}

func newAcceptor(l *Loop, fd int, handOver func(fd int)) *acceptor {
	a := &acceptor{loop: l, fd: fd, handOver: handOver, accept: acceptNonBlocking, done: make(chan struct{})}
	a.task.Init(a)
	a.timer.Init(a)
	return a
}

// acceptNonBlocking does not ask for the peer's address, which most never look at:
// Socket.RemoteAddr asks for it when they do.
func acceptNonBlocking(listener int) (int, error) {
	fd, _, errno := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(listener), 0, 0, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// start is posted to the loop and makes it the descriptor's owner.
func (a *acceptor) start() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	a.started = true
	if err := a.socket.Attach(a.loop, a.fd, a); err != nil {
		a.loop.logger.Error("loop: a listening socket could not be attached", "error", err)
		_ = unix.Close(a.fd)
		a.closed = true
		close(a.done)
	}
}

// beginClose may be called on any goroutine, once.
func (a *acceptor) beginClose() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	if a.started {
		_ = a.loop.Post(a.finish) // refused by a loop that is ending: it closes all its sockets
		return
	}
	a.closed = true
	a.acceptUpTo(backlog, a.postOver)
	_ = unix.Close(a.fd)
	close(a.done)
}

// postOver hands over a connection from a goroutine that is not the loop's.
func (a *acceptor) postOver(fd int) {
	if a.loop.Post(func() { a.handOver(fd) }) != nil {
		_ = unix.Close(fd)
	}
}

// finish lets go of the listening socket, behind the last of its connections. Only with
// its descriptor closed is the address free.
func (a *acceptor) finish() {
	a.loop.Unschedule(&a.task)
	a.loop.ClearTimer(&a.timer)
	a.acceptUpTo(backlog, a.handOver)
	a.loop.closeWaiters = append(a.loop.closeWaiters, a.done)
	a.socket.Close()
}

// wait returns when the descriptor is closed, by beginClose or by the end of the loop.
func (a *acceptor) wait() {
	select {
	case <-a.done:
	case <-a.loop.over:
	}
}

// SocketEvent says that there are connections.
func (a *acceptor) SocketEvent(Readiness) { a.loop.Schedule(&a.task) }

// Expire ends a pause.
func (a *acceptor) Expire() {
	a.paused = false
	a.loop.Schedule(&a.task)
}

// Run accepts what one turn allows.
func (a *acceptor) Run() {
	if a.paused {
		return
	}
	switch err := a.acceptUpTo(acceptBudget, a.handOver); err {
	case nil:
		a.loop.Schedule(&a.task)
	case unix.EAGAIN:
		a.reported = false
	default:
		a.pause(err)
	}
}

// acceptUpTo accepts at most n connections. It returns nil when there may be more,
// EAGAIN when there are none, or the shortage that ended it. Errors that belong to a
// connection which failed in the queue are passed over (accept(2)), but count.
func (a *acceptor) acceptUpTo(n int, handOver func(fd int)) error {
	for range n {
		fd, err := a.accept(a.fd)
		switch err {
		case nil:
			handOver(fd)
		case unix.EINTR, unix.ECONNABORTED, unix.EPROTO, unix.ENOPROTOOPT, unix.EPERM, unix.EOPNOTSUPP,
			unix.ENETDOWN, unix.ENETUNREACH, unix.EHOSTDOWN, unix.EHOSTUNREACH, unix.ENONET:
		default:
			return err
		}
	}
	return nil
}

func (a *acceptor) pause(err error) {
	if !a.reported {
		a.reported = true
		a.loop.logger.Error("loop: no connections are accepted until there are resources for them again",
			"listener", a.fd, "error", err)
	}
	a.paused = true
	a.loop.SetTimer(&a.timer, a.loop.Now()+acceptRetry)
}

// handOver gives a connection to the user's accept function. When that panics, the
// connection is closed, and the listener goes on.
func (l *Loop) handOver(fd int, accept func(l *Loop, fd int)) {
	returned := false
	defer func() {
		if !returned {
			l.dropSocket(fd)
		}
	}()
	defer l.rescue()
	accept(l, fd)
	returned = true
}

// dropSocket closes a descriptor whether or not it was attached before its owner failed.
func (l *Loop) dropSocket(fd int) {
	if fd < len(l.sockets) && l.sockets[fd] != nil {
		l.sockets[fd].Close()
		return
	}
	_ = unix.Close(fd)
}
