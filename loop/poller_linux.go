package loop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	gneterrors "github.com/panjf2000/gnet/v2/pkg/errors"
	"github.com/panjf2000/gnet/v2/pkg/netpoll"
	"github.com/panjf2000/gnet/v2/pkg/queue"
	"golang.org/x/sys/unix"
)

// epollPoller is gnet's poller with two descriptors of our own in it: an eventfd for
// Wake and a timerfd for SetAlarm. Both are registered edge-triggered and never read:
// every write to the one, and every expiry of the other, is an edge of its own, and
// setting a timerfd clears what it counted.
//
// Wake does not use the poller's own task queue, because that is drained until it is
// empty: work that renews itself there would keep sockets waiting for ever. An eventfd
// takes its place behind the descriptors that are ready already.
type epollPoller struct {
	poller  *netpoll.Poller
	turns   Turns
	wakeFD  int
	timerFD int
	one     [8]byte
}

func newEpollPoller() (*epollPoller, error) {
	// Go's runtime makes two descriptors of its own when the first timer is started, and
	// ends the process if it cannot. So let it have them now: a server may run out of
	// descriptors before anything in it has needed a timer.
	time.AfterFunc(time.Hour, func() {}).Stop()

	poller, err := netpoll.OpenPoller()
	if err != nil {
		return nil, fmt.Errorf("loop: the epoll descriptor could not be made: %w", err)
	}
	p := &epollPoller{poller: poller, wakeFD: -1, timerFD: -1}
	binary.NativeEndian.PutUint64(p.one[:], 1)
	if err := p.openDescriptors(); err != nil {
		_ = p.Close()
		return nil, err
	}
	return p, nil
}

func (p *epollPoller) openDescriptors() (err error) {
	if p.wakeFD, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		p.wakeFD = -1
		return fmt.Errorf("loop: the eventfd could not be made: %w", err)
	}
	if p.timerFD, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		p.timerFD = -1
		return fmt.Errorf("loop: the timerfd could not be made: %w", err)
	}
	for _, fd := range [...]int{p.wakeFD, p.timerFD} {
		if err := p.poller.AddRead(&netpoll.PollAttachment{FD: fd}, true); err != nil {
			return fmt.Errorf("loop: descriptor %d could not be registered: %w", fd, err)
		}
	}
	return nil
}

func (p *epollPoller) Start(turns Turns) { p.turns = turns }

func (p *epollPoller) Run() error {
	err := p.poller.Polling(p.report)
	if err == nil || errors.Is(err, gneterrors.ErrEngineShutdown) {
		return nil
	}
	return fmt.Errorf("loop: waiting for events failed: %w", err)
}

// report is the poller's callback. The only error it ever returns is the one that ends
// the polling on purpose: the poller takes some others for reasons to end as well.
func (p *epollPoller) report(fd int, events netpoll.IOEvent, _ netpoll.IOFlags) error {
	var goOn bool
	switch fd {
	case p.wakeFD:
		goOn = p.turns.Woken()
	case p.timerFD:
		goOn = p.turns.Alarm()
	default:
		goOn = p.turns.Event(fd, ReadinessOf(events))
	}
	if !goOn {
		return gneterrors.ErrEngineShutdown
	}
	return nil
}

func (p *epollPoller) Add(fd int) error {
	return p.poller.AddReadWrite(&netpoll.PollAttachment{FD: fd}, true)
}

func (p *epollPoller) Remove(fd int) error { return p.poller.Delete(fd) }

func (p *epollPoller) Wake() error {
	_, err := unix.Write(p.wakeFD, p.one[:])
	return err
}

// AfterBatch uses the poller's own queue for what it is good for: its chores run behind
// all events of a batch.
func (p *epollPoller) AfterBatch() error {
	return p.poller.Trigger(queue.HighPriority, p.batchEnded, nil)
}

func (p *epollPoller) batchEnded(any) error {
	p.turns.BatchEnded()
	return nil
}

func (p *epollPoller) SetAlarm(after time.Duration) error {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(after))}
	return unix.TimerfdSettime(p.timerFD, 0, &spec, nil)
}

func (p *epollPoller) Close() error {
	for _, fd := range [...]int{p.wakeFD, p.timerFD} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	return p.poller.Close()
}
