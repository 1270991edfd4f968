package proxy

import (
	"cmp"
	"log/slog"
	"time"
)

// A Member is one of the upstreams of a [Group].
type Member struct {
	// Address as client.Client.Upstream takes it: "http://host:port" or "unix:/path".
	Address string

	// Weight is the share of the requests, beside those of the others: from 1 to 256. Zero
	// means 1.
	Weight int
}

// GroupOptions are the settings of a [Group]. The zero value is ready for use.
type GroupOptions struct {
	// Balance says which of the members that are in gets a request. Default: RoundRobin().
	Balance Balance

	// MaxFailures within Window take a member out. A failure is a connection that could not be
	// made, an upstream whose name could not be resolved, an answer that did not begin in time, a
	// request that is not taken, and a connection that broke, or gave garbage, before an answer; not a full pool, a client that
	// left, nor Timeouts.Total, which a slow client can use up too. Default: 3; a negative number
	// means that no failure takes a member out.
	MaxFailures int

	// Window is the time in which failures count together. Default: 10 seconds.
	Window time.Duration

	// CountServerErrors has an answer with a status of 500 and above count as a failure.
	CountServerErrors bool

	// Out is how long a member is out for the first time. After that one request at a time is
	// sent to it, until one is answered: then it is in. Each one that fails doubles
	// the time, up to MaxOut. Default: 5 seconds.
	Out time.Duration

	// MaxOut bounds the time out. A member that was in for longer than that begins with Out
	// again. Default: 1 minute, or Out if that is more.
	MaxOut time.Duration

	// RefuseWhenOut has requests fail with ErrNoUpstream while all members are out. By default
	// they are sent to the one that is to come back first, which is in again when it answers one,
	// and balanced between all when the checks have found all of them down: then it may be the
	// check that is wrong.
	RefuseWhenOut bool

	// Check, when not nil, has each member asked regularly whether it is well.
	Check *Check

	// Logger gets a line when a member goes out and when it is back. Default: slog.Default().
	Logger *slog.Logger
}

func (o GroupOptions) withDefaults() GroupOptions {
	if o.Balance == nil {
		o.Balance = RoundRobin()
	}
	o.MaxFailures = cmp.Or(o.MaxFailures, 3)
	o.Window = positive(o.Window, 10*time.Second)
	o.Out = positive(o.Out, 5*time.Second)
	o.MaxOut = max(positive(o.MaxOut, time.Minute), o.Out)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func positive(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
