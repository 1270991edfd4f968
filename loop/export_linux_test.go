package loop

import "golang.org/x/sys/unix"

// ConnectDescriptor connects the socket fd, with which the test has done something before.
func (s *Socket) ConnectDescriptor(l *Loop, fd int, to unix.Sockaddr, h SocketHandler) error {
	return s.connect(l, fd, to, h)
}

// Descriptor is the number under which the kernel knows the socket.
func (s *Socket) Descriptor() int { return int(s.fd) }

// SetAccept replaces the system call that a listener's sockets accept with.
func (ln *Listener) SetAccept(accept func(listener int) (int, error)) {
	for _, a := range ln.acceptors {
		a.accept = accept
	}
}

// AcceptNonBlocking is what SetAccept replaces.
var AcceptNonBlocking = acceptNonBlocking

// Sockets are the descriptors that a listener listens on.
func (ln *Listener) Sockets() []int {
	var fds []int
	for _, a := range ln.acceptors {
		fds = append(fds, a.fd)
	}
	return fds
}

const (
	AcceptBudget = acceptBudget
	AcceptRetry  = acceptRetry
	TaskBudget   = taskBudget
	KeptPipes    = keptPipes
	MaxPipes     = maxPipes

	TicksPerThreshold = ticksPerThreshold
)

// NewPoller is the poller that a loop has unless it is given another.
func NewPoller() (Poller, error) { return newEpollPoller() }

// InPoller reports whether the loop waits for events.
func (l *Loop) InPoller() bool { return isInPoller(innermost(stackOf(l.runsOn()))) }

// NewWatchdog is a watchdog without a goroutine: the test calls Tick.
var NewWatchdog = newWatchdog

// Tick is what happens as often in a threshold as TicksPerThreshold says.
func (w *Watchdog) Tick() (asleep bool) { return w.tick() }

// Roused reports, once, whether a loop that was asleep has told the watchdog of a turn.
func (w *Watchdog) Roused() bool {
	select {
	case <-w.roused:
		return true
	default:
		return false
	}
}

// Asleep reports whether the watchdog waits for the loop to rouse it.
func (l *Loop) Asleep() bool { return l.mark.Load() == markAsleep }
