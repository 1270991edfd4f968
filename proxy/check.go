package proxy

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/loop"
)

// Check is how the members of a [Group] are asked regularly whether they are well. It goes through
// the client, so its connections are those of the requests.
type Check struct {
	// Path is the request-target of the GET request. Default: "/".
	Path string

	// Host is the value of its Host field. Default: the upstream's own.
	Host string

	// Interval is the time between the beginnings of two checks of a member. It varies by a tenth,
	// so that the checks of many gateways do not fall together, and the first comes somewhere
	// within an interval. Default: 5 seconds.
	Interval time.Duration

	// Timeout is how long the answer may take; at most Interval. Default: 2 seconds, or Interval
	// if that is less.
	Timeout time.Duration

	// Status is what a member that is well answers. Zero means 200 to 299.
	Status int

	// Fall checks that fail in a row take a member out, and Rise that succeed put it in again.
	// A check that found no connection free counts as neither. Default: 3 and 2.
	Fall, Rise int

	// Seed makes the variation of the intervals repeatable. Zero means a random one.
	Seed uint64

	// Loop is what the checks run on. Nil means one that the group runs, until it is closed.
	Loop *loop.Loop
}

func (c Check) withDefaults() (Check, error) {
	c.Path = cmp.Or(c.Path, "/")
	c.Interval = positive(c.Interval, 5*time.Second)
	c.Timeout = min(positive(c.Timeout, 2*time.Second), c.Interval)
	if c.Fall <= 0 {
		c.Fall = 3
	}
	if c.Rise <= 0 {
		c.Rise = 2
	}
	if c.Seed == 0 {
		c.Seed = rand.Uint64()
	}
	if c.Path[0] != '/' {
		return c, fmt.Errorf("proxy: the path of the checks is %q, and must begin with a slash", c.Path)
	}
	return c, nil
}

// judge returns what is wrong with a member that has answered with status.
func (c *Check) judge(status int) error {
	if status == c.Status || c.Status == 0 && status >= 200 && status <= 299 {
		return nil
	}
	return &statusError{status}
}

// checks are the checks of a group. What is not said to be otherwise is owned by the loop
// goroutine.
type checks struct {
	group   *Group
	options Check
	loop    *loop.Loop
	ended   chan struct{} // closed when the group's own loop has ended; nil if it is not its own
	random  *rand.Rand
	members []*memberCheck
}

// startChecks is called once, by NewGroup.
func (g *Group) startChecks(o Check) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	g.policy.rise, g.policy.fall = o.Rise, o.Fall
	k := &checks{group: g, options: o, loop: o.Loop, random: rand.New(rand.NewPCG(o.Seed, 0))}
	if k.loop == nil {
		if err := k.runLoop(); err != nil {
			return err
		}
	}
	for _, m := range g.members {
		k.members = append(k.members, newMemberCheck(k, m))
	}
	if err := k.loop.Post(k.start); err != nil {
		return fmt.Errorf("proxy: the checks cannot be started: %w", err)
	}
	g.checks = k
	return nil
}

// runLoop gives the checks a loop of their own.
func (k *checks) runLoop() error {
	l, err := loop.New(loop.Options{Logger: k.group.options.Logger})
	if err != nil {
		return fmt.Errorf("proxy: the loop of the checks could not be made: %w", err)
	}
	k.loop, k.ended = l, make(chan struct{})
	go func() {
		defer close(k.ended)
		if err := l.Run(); err != nil {
			k.group.options.Logger.Error("proxy: the loop of the checks has failed", "error", err)
		}
	}()
	return nil
}

func (k *checks) start() {
	for _, c := range k.members {
		c.setTimer(time.Duration(k.random.Int64N(int64(k.options.Interval))))
	}
}

// interval is the time to the next check of a member.
func (k *checks) interval() time.Duration {
	return time.Duration(float64(k.options.Interval) * (0.9 + 0.2*k.random.Float64()))
}

// close ends the checks. Any goroutine.
func (k *checks) close() {
	if k.loop.Post(k.stop) != nil { // it has stopped, and runs no check any more
		k.forget()
	}
	if k.ended != nil {
		k.loop.Stop()
		<-k.ended
	}
}

func (k *checks) stop() {
	for _, c := range k.members {
		c.stop()
	}
	k.forget()
}

// forget has the members be in as if they had never been checked.
func (k *checks) forget() {
	for _, c := range k.members {
		k.group.update(c.member, nil, (*health).uncheck)
	}
}

// timeouts are those of a check. It waits for a connection for less than the whole, so that
// a full pool can be told from an upstream that does not answer.
func (c *Check) timeouts() *client.Timeouts {
	return &client.Timeouts{Acquire: c.Timeout / 2, Head: c.Timeout, Total: c.Timeout}
}
