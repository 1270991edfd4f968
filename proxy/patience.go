package proxy

import (
	"errors"
	"slices"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
)

// patience is what an exchange has from when nobody could be connected to until somebody has answered. Owned
// by the loop goroutine.
type patience struct {
	failed []*client.Upstream             // since it has last waited
	until  time.Duration                  // loop time
	wait   pipeline.Source[time.Duration] // nil unless it waits
	held   bool                           // it is counted
}

// maxUpstreams bounds the upstreams that are tried without a wait.
const maxUpstreams = 8

// retriable says whether an upstream could not be connected to, so that nothing was sent. One that
// is connected to and has no connection to spare is left alone.
func retriable(err error) bool {
	return errors.Is(err, client.ErrConnect) || errors.Is(err, client.ErrConnectTimeout) || errors.Is(err, client.ErrResolve)
}

// unanswered says whether an upstream has ended the connection without a word, as one does that is
// being stopped, and the request may be sent again.
func unanswered(err error) bool {
	var e *client.Error
	return errors.As(err, &e) && e.Unanswered
}

// tryAgain begins another attempt when err is of a kind that allows it, at once if there is another upstream,
// or else after a wait. It returns false when there is to be none.
func (x *exchange) tryAgain(err error) bool {
	if x.upload.polled || !retriable(err) && (x.repeated || !unanswered(err)) {
		return false
	}
	// Once: a request that makes each upstream break that gets it must not break them all.
	x.repeated = x.repeated || !retriable(err)
	now, options := x.request.Loop().Now(), &x.proxy.options
	if x.patience == nil {
		x.patience = &patience{until: now + options.TryFor}
	}
	p, failed := x.patience, x.target
	p.failed = append(p.failed, failed.Upstream())
	x.target = nil
	failed.Done(Outcome{Err: err})
	target, pickErr := x.proxy.picker.Pick(x.request, p.failed)
	if pickErr != nil {
		return false
	}
	if !slices.Contains(p.failed, target.Upstream()) && len(p.failed) < maxUpstreams {
		x.target = target
		x.ask()
		return true
	}
	if p.until <= now || !p.hold(x.proxy) {
		target.Done(Outcome{Err: pipeline.ErrClosed})
		return false
	}
	x.target = target
	p.wait = x.request.After(min(options.TryEvery, p.until-now))
	return true
}

// await waits until the next attempt is due, and begins it.
func (x *exchange) await(w pipeline.Waker) error {
	p := x.patience
	if _, err := p.wait.Poll(w); err != nil {
		return err
	}
	p.wait.Close()
	p.wait, p.failed = nil, p.failed[:0]
	x.ask()
	return nil
}

// hold counts the exchange as held, unless there are too many.
func (p *patience) hold(x *proxy) bool {
	if p.held {
		return true
	}
	if x.held.Add(1) > int64(x.options.MaxHeld) {
		x.held.Add(-1)
		return false
	}
	p.held = true
	return true
}

// endPatience is called when somebody has answered, and when the exchange is over.
func (x *exchange) endPatience() {
	p := x.patience
	if p == nil {
		return
	}
	x.patience = nil
	if p.wait != nil {
		p.wait.Close()
	}
	if p.held {
		x.proxy.held.Add(-1)
	}
}
