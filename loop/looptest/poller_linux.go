package looptest

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/penstock-go/penstock/loop"
)

// poller is a loop.Poller that does nothing by itself. Sockets are registered with a
// real epoll, as the real poller does it, and are asked when the test says so.
type poller struct {
	epoll  int
	turns  loop.Turns
	clock  *clock
	events [128]unix.EpollEvent
	wakes  chan struct{} // holds one when a wake-up is on its way

	alarmAt  time.Duration
	alarmSet bool
	inBatch  bool
	batchEnd bool // somebody waits for the end of the batch
	ended    bool // a turn has said that the loop ends
	closed   bool
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return &poller{epoll: fd, wakes: make(chan struct{}, 1)}, nil
}

func (p *poller) Start(turns loop.Turns) { p.turns = turns }

// Run only serves the loop's end: until then the test turns the loop.
func (p *poller) Run() error {
	for !p.ended {
		if _, err := p.poll(); err != nil {
			return err
		}
	}
	return nil
}

func (p *poller) Add(fd int) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Fd: int32(fd),
		Events: unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET})
}

func (p *poller) Remove(fd int) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, fd, nil)
}

func (p *poller) Wake() error {
	select {
	case p.wakes <- struct{}{}:
	default:
	}
	return nil
}

// awaitWake waits for a wake-up, and leaves it where it is. It gives up when there is
// something in enough.
func (p *poller) awaitWake(enough <-chan time.Time) bool {
	select {
	case wake := <-p.wakes:
		p.wakes <- wake
		return true
	case <-enough:
		return false
	}
}

// AfterBatch between batches is at once: no event is left to report.
func (p *poller) AfterBatch() error {
	if p.inBatch {
		p.batchEnd = true
	} else {
		p.turns.BatchEnded()
	}
	return nil
}

func (p *poller) SetAlarm(after time.Duration) error {
	p.alarmAt, p.alarmSet = p.clock.now+after, true
	return nil
}

func (p *poller) alarm() (at time.Duration, set bool) { return p.alarmAt, p.alarmSet }

func (p *poller) Close() error {
	p.closed = true
	return unix.Close(p.epoll)
}

// poll reports what is ready. Everything is collected before anything is reported, as
// epoll_wait does, so what becomes ready meanwhile waits for the next call.
func (p *poller) poll() (int, error) {
	n, err := unix.EpollWait(p.epoll, p.events[:], 0)
	if err == unix.EINTR {
		n, err = 0, nil
	}
	if err != nil {
		return 0, err
	}
	events := make([]Event, n)
	for i, e := range p.events[:n] {
		events[i] = Event{FD: int(e.Fd), Ready: loop.ReadinessOf(e.Events)}
	}
	woken := false
	select {
	case <-p.wakes:
		woken = true
	default:
	}
	ringing := p.alarmSet && p.alarmAt <= p.clock.now

	p.batch(func() {
		p.deliver(events)
		if woken {
			p.ended = !p.turns.Woken()
		}
		if ringing {
			p.alarmSet = false
			p.turns.Alarm()
		}
	})
	for _, more := range [...]bool{woken, ringing} {
		if more {
			n++
		}
	}
	return n, nil
}

func (p *poller) deliver(events []Event) {
	for _, e := range events {
		p.turns.Event(e.FD, e.Ready)
	}
}

// batch runs what report reports, then ends the batch if somebody waits for that.
func (p *poller) batch(report func()) {
	p.inBatch = true
	report()
	p.inBatch = false
	if p.batchEnd {
		p.batchEnd = false
		p.turns.BatchEnded()
	}
}
