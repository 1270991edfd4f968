package proxy

import (
	"errors"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// memberCheck checks one member: it waits, asks, judges the answer, and waits again. Owned by the
// loop goroutine.
type memberCheck struct {
	checks  *checks
	member  *member
	request client.Request
	timer   loop.Timer
	task    loop.Task
	next    time.Duration // loop time of the next check

	answer pipeline.Source[*client.Response] // nil when none is awaited
}

func newMemberCheck(k *checks, m *member) *memberCheck {
	c := &memberCheck{checks: k, member: m}
	c.request = client.Request{Target: k.options.Path, Host: k.options.Host, Timeouts: k.options.timeouts()}
	c.timer.Init(c)
	c.task.Init(c)
	return c
}

func (c *memberCheck) setTimer(after time.Duration) {
	c.next = c.checks.loop.Now() + after
	c.checks.loop.SetTimer(&c.timer, c.next)
}

// Expire begins a check.
func (c *memberCheck) Expire() {
	c.setTimer(c.checks.interval())
	if c.answer == nil {
		c.answer = c.member.upstream.Do(c.checks.loop, &c.request)
	}
	c.Run()
}

// Wake is called when the answer may be there.
func (c *memberCheck) Wake() { c.checks.loop.Schedule(&c.task) }

// Run looks for the answer.
func (c *memberCheck) Run() {
	if c.answer == nil {
		return
	}
	response, err := c.answer.Poll(c)
	if err == pipeline.ErrPending {
		return
	}
	if err == nil {
		err = c.checks.options.judge(response.Head().Status)
		response.Close()
	}
	c.answer.Close()
	c.answer = nil
	if errors.Is(err, client.ErrPoolFull) || errors.Is(err, client.ErrAcquireTimeout) || errors.Is(err, client.ErrClientClosed) {
		return // nothing was learned of the upstream
	}
	c.member.group.update(c.member, err, func(h *health, now time.Duration) { h.checked(err == nil, now) })
}

// stop ends it, whatever it is doing.
func (c *memberCheck) stop() {
	c.checks.loop.ClearTimer(&c.timer)
	if c.answer != nil {
		c.answer.Close()
		c.answer = nil
	}
}
