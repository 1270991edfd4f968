package main

import (
	"errors"
	"time"

	"github.com/penstock-go/penstock/bench/subscribers/report"
)

// A pace says how events are published.
type pace struct {
	duration time.Duration // none begins after that, when it is not 0
	events   int64         // so many, when it is not 0
	// interval is between the beginnings of two events, whether or not the first has
	// arrived; 0: each when all subscribers have got the one before.
	interval time.Duration
	progress time.Duration // between two reports of progress; 0: none
}

// A run is the publishing of some events, and what came of it.
type run struct {
	*audience
	pace
	started  time.Time
	due      time.Time // of the next event, at an interval
	reportAt time.Time // of the next progress
	// quietSince is when something that is waited for last happened.
	quietSince time.Time
	before     report.Report // the audience's counts when the run began
}

// publish publishes at the pace and returns when all has arrived, or when nothing of what is
// missing has arrived for as long as its patience. It calls tell with reports of progress.
func (a *audience) publish(p pace, tell func(report.Report)) (report.Report, error) {
	now := time.Now()
	r := &run{audience: a, pace: p, started: now, due: now, reportAt: now.Add(p.progress), quietSince: now}
	r.before = r.counts()
	a.latency = histogram{}
	for {
		if r.mayPost(now) {
			if err := r.post(now); err != nil {
				return report.Report{}, err
			}
		}
		if !r.waits() && r.isOver(now) {
			break
		}
		if r.waits() && now.Sub(r.quietSince) > a.patience {
			if a.publisher.busy {
				return report.Report{}, errors.New("the server does not answer a POST")
			}
			break
		}
		if p.progress > 0 && !now.Before(r.reportAt) {
			tell(r.report(report.Progress, now))
			r.reportAt = r.reportAt.Add(p.progress)
		}
		deliveries := a.deliveries
		if _, err := a.wait(r.timeUntilNext(now)); err != nil {
			return report.Report{}, err
		}
		now = time.Now()
		if a.deliveries > deliveries || !r.waits() {
			r.quietSince = now
		}
	}
	return r.report(report.Finished, now), nil
}

// waits reports whether something that was published is not answered or not delivered yet.
func (r *run) waits() bool { return r.publisher.busy || len(r.outstanding) > 0 }

// isOver reports whether no event is to begin any more.
func (r *run) isOver(now time.Time) bool {
	return r.duration > 0 && now.Sub(r.started) >= r.duration ||
		r.pace.events > 0 && r.last-r.before.Events >= r.pace.events
}

func (r *run) mayPost(now time.Time) bool {
	if r.publisher.busy || r.isOver(now) {
		return false
	}
	if r.interval > 0 {
		return !now.Before(r.due)
	}
	return len(r.outstanding) == 0
}

// post publishes the next event. At an interval its latency counts from when it was due: a
// server that is late with the answer to a POST does not put off the clock of the next.
func (r *run) post(now time.Time) error {
	from := now
	if r.interval > 0 {
		from = r.due
		r.due = r.due.Add(r.interval)
	}
	return r.publisher.post(r.add(from, r.readers))
}

// timeUntilNext returns how long to wait for events at most.
func (r *run) timeUntilNext(now time.Time) time.Duration {
	next := now.Add(r.patience)
	if r.interval > 0 && !r.publisher.busy && r.due.Before(next) {
		next = r.due
	}
	if r.progress > 0 && r.reportAt.Before(next) {
		next = r.reportAt
	}
	return next.Sub(now)
}

// counts returns the audience's counts, of all its life.
func (a *audience) counts() report.Report {
	return report.Report{Events: a.last, Deliveries: a.deliveries, Bytes: a.bytes, Missing: a.missing(), Reopened: a.reopened}
}

func (r *run) report(kind string, now time.Time) report.Report {
	found := r.counts()
	found.Kind = kind
	found.Events -= r.before.Events
	found.Deliveries -= r.before.Deliveries
	found.Bytes -= r.before.Bytes
	found.Reopened -= r.before.Reopened
	found.Seconds = now.Sub(r.started).Seconds()
	if kind == report.Finished {
		found.LatencyP50 = r.latency.percentile(0.50)
		found.LatencyP90 = r.latency.percentile(0.90)
		found.LatencyP99 = r.latency.percentile(0.99)
		found.LatencyP999 = r.latency.percentile(0.999)
		found.LatencyMax = float64(r.latency.longest)
	}
	return found
}
