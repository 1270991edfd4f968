package client

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"

	"github.com/penstock-go/penstock/pipeline"
)

// questions are those that have not ended, and the workers that have not come back.
type questions struct {
	byHost    map[string]*question
	queue     list.List // of those that are queued, the oldest first
	asking    int       // workers of questions that are being asked
	abandoned int       // workers of questions that have timed out, and for which others may be asked
	told      []told    // by unlock
}

// A question is asked of the resolver once, for all who wait for its answer.
type question struct {
	host      string
	phase     questionPhase
	waiters   list.List          // of *waiter
	place     *list.Element      // in the queue, while it is queued
	cancel    context.CancelFunc // of its worker's context, once it is asked
	stopTimer func() bool        // of the timer of its phase
	abandoned bool               // its worker counts as that, and no longer as asking
}

type questionPhase uint8

const (
	questionQueued questionPhase = iota
	questionAsking
	questionEnded
)

// A waiter is told how its question ends.
type waiter struct {
	future   *pipeline.Future[[]netip.Addr]
	question *question
	place    *list.Element // among the question's waiters
}

// told is how a question has ended for those who waited for it. Nobody joins or leaves them any more.
type told struct {
	question  *question
	addresses []netip.Addr
	err       error
}

var (
	errNoAddresses   = errors.New("the resolver knows the name, but no address of it")
	errBadName       = errors.New("the name of a host has from 1 to 254 bytes")
	errManyQuestions = errors.New("the resolver is asked for too many names at a time")
	errNotAsked      = errors.New("the resolver was busy with other names for too long")
	errSlowResolver  = errors.New("the resolver has not answered in time")
	errExited        = errors.New("the resolver has ended its goroutine instead of returning")
)

// ask returns what is known of a host, or else who waits for it.
func (c *nameCache) ask(host string, poster pipeline.Poster) ([]netip.Addr, *waiter, error) {
	if host == "" || len(host) > 254 {
		return nil, nil, &Error{Kind: ErrResolve, Upstream: fmt.Sprintf("%.254q", host), Cause: errBadName}
	}
	c.mu.Lock()
	defer c.unlock()
	if c.closed {
		return nil, nil, &Error{Kind: ErrClientClosed, Upstream: host}
	}
	addresses, refresh, err := c.answers.get(host, c.options.now())
	q := c.questions.byHost[host]
	if q == nil && (refresh || addresses == nil && err == nil) {
		q = c.pose(host)
	}
	if addresses != nil || err != nil {
		return addresses, nil, err
	}
	if q == nil {
		if old := c.answers.old(host, c.options.now()); old != nil {
			return old, nil, nil
		}
		return nil, nil, &Error{Kind: ErrResolve, Upstream: host, Cause: errManyQuestions}
	}
	w := &waiter{future: pipeline.NewFuture[[]netip.Addr](poster), question: q}
	w.place = q.waiters.PushBack(w)
	return nil, w, nil
}

// leave takes back what a waiter asked for. A question that nobody waits for any more, and that no worker has, is not
// asked.
func (c *nameCache) leave(w *waiter) {
	c.mu.Lock()
	defer c.unlock()
	q := w.question
	if q.phase == questionEnded {
		return // unlock may be going through the waiters
	}
	q.waiters.Remove(w.place)
	if q.phase == questionQueued && q.waiters.Len() == 0 {
		c.end(q, nil, nil)
	}
}

// unlock unlocks, and then tells those who waited for a question that has ended.
func (c *nameCache) unlock() {
	all := c.questions.told
	c.questions.told = nil
	c.mu.Unlock()
	for i := range all {
		for place := all[i].question.waiters.Front(); place != nil; place = place.Next() {
			future := place.Value.(*waiter).future
			if all[i].err != nil {
				_ = future.Reject(all[i].err) // who has closed the future meanwhile needs no answer
			} else {
				_ = future.Resolve(all[i].addresses)
			}
		}
	}
}

// pose makes a question, and asks it if it can be asked now. It returns nil when there are too many.
func (c *nameCache) pose(host string) *question {
	q := &question{host: host}
	switch {
	case c.questions.asking < c.options.asking:
		c.start(q)
	case c.questions.queue.Len() < c.options.queued:
		q.place = c.questions.queue.PushBack(q)
		c.setTimer(q)
	default:
		return nil
	}
	if q.phase == questionEnded {
		return nil // the executor is full
	}
	if c.questions.byHost == nil {
		c.questions.byHost = make(map[string]*question)
	}
	c.questions.byHost[host] = q
	return q
}

// start has a worker ask.
func (c *nameCache) start(q *question) {
	ctx, cancel := context.WithCancel(context.Background())
	q.cancel = cancel
	if err := c.options.executor.Submit(func() { c.work(ctx, q) }); err != nil {
		c.end(q, nil, err)
		return
	}
	q.phase = questionAsking // the worker comes back behind the lock, even if it has begun
	c.questions.asking++
	c.setTimer(q)
}

// startNext asks what is queued, as far as may be.
func (c *nameCache) startNext() {
	for c.questions.asking < c.options.asking && c.questions.queue.Len() > 0 {
		q := c.questions.queue.Front().Value.(*question)
		c.unqueue(q)
		c.start(q)
	}
}

// unqueue takes a question out of the queue, if it is there, and stops its timer.
func (c *nameCache) unqueue(q *question) {
	if q.place != nil {
		c.questions.queue.Remove(q.place)
		q.place = nil
	}
	if q.stopTimer != nil {
		q.stopTimer()
	}
}

// work runs on a worker. What comes back is taken in a deferred function, so that a panic and a runtime.Goexit count
// as answers too.
func (c *nameCache) work(ctx context.Context, q *question) {
	var addresses []netip.Addr
	err := errExited
	defer func() {
		if p := recover(); p != nil {
			err = &pipeline.PanicError{Value: p, Stack: debug.Stack()}
		}
		c.answered(q, addresses, err)
	}()
	addresses, err = c.options.resolver.Resolve(ctx, q.host)
}

// answered takes what a worker has come back with, in time or not.
func (c *nameCache) answered(q *question, addresses []netip.Addr, err error) {
	addresses = usable(addresses)
	if err == nil && addresses == nil {
		err = errNoAddresses
	}
	c.mu.Lock()
	defer c.unlock()
	if q.abandoned {
		c.questions.abandoned--
	} else {
		c.questions.asking--
	}
	if err == nil {
		c.answers.put(q.host, addresses, c.options.now())
	}
	if q.phase == questionAsking {
		c.end(q, addresses, err)
	}
	c.startNext()
}

func (c *nameCache) setTimer(q *question) {
	phase := q.phase
	q.stopTimer = c.options.after(c.options.question, func() { c.expired(q, phase) })
}

// expired is what the timer of a question's phase calls. It may come late, when that phase is over.
func (c *nameCache) expired(q *question, phase questionPhase) {
	c.mu.Lock()
	defer c.unlock()
	if q.phase != phase {
		return
	}
	if phase == questionQueued {
		c.end(q, nil, errNotAsked)
		return
	}
	if c.questions.abandoned < c.options.abandoned {
		q.abandoned = true
		c.questions.abandoned++
		c.questions.asking--
	}
	c.end(q, nil, errSlowResolver)
	c.startNext()
}

// end ends a question that has not ended: with addresses, or with an error, for which old addresses stand in. Only an
// error that the resolver is to blame for is kept.
func (c *nameCache) end(q *question, addresses []netip.Addr, err error) {
	asked := q.phase == questionAsking
	q.phase = questionEnded
	delete(c.questions.byHost, q.host)
	c.unqueue(q)
	if q.cancel != nil {
		q.cancel()
	}
	if err != nil && !c.closed {
		now := c.options.now()
		cause := err
		err = &Error{Kind: ErrResolve, Upstream: q.host, Cause: cause}
		if asked {
			c.answers.fail(q.host, err, noSuchHost(cause), now)
		}
		if old := c.answers.old(q.host, now); old != nil {
			addresses, err = old, nil
		}
	}
	c.questions.told = append(c.questions.told, told{q, addresses, err})
}

func noSuchHost(err error) bool {
	var dns *net.DNSError
	return err == errNoAddresses || errors.As(err, &dns) && dns.IsNotFound
}
