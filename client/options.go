package client

import (
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/parser"
)

// Options are the settings of a client. The zero value is ready for use.
type Options struct {
	// MaxConnections bounds the connections to one upstream, over all loops: those in use,
	// those that are idle and those being opened. A loop that needs one while there are no
	// more is given that of another that does not need it, or that has more than its share.
	// With fewer connections than loops that need one, nearly every request makes its own.
	// Default: 512; negative: no bound.
	MaxConnections int

	// AtLimit says what becomes of a request when all of them are in use.
	AtLimit LimitPolicy

	// MaxWaiting bounds the requests that wait for a connection to one upstream while there
	// are no more, on each loop. One too many fails with ErrPoolFull. Default: 1,024; negative:
	// none waits.
	MaxWaiting int

	// MaxIdle bounds the idle connections to one upstream that each loop keeps. Default: 64;
	// negative: none is kept.
	MaxIdle int

	// IdleTimeout is how long a connection is kept that nobody uses. Most servers close
	// theirs after a minute or more; a connection that is closed here first is never found
	// stale. Default: 50 seconds; negative: no bound.
	IdleTimeout time.Duration

	// Timeouts are those of every request that brings none of its own.
	Timeouts Timeouts

	// HeadLimits bound the heads of responses.
	HeadLimits parser.Limits

	// MaxRedirects is how many redirects Client.Do follows for one request; 0 is none. The
	// response behind the last one is the answer, whatever its status, when none are to be
	// followed; otherwise one redirect too many is an error.
	MaxRedirects int

	// Jar, when not nil, keeps the cookies of Client.Do. It is called on the loops and must
	// not block; that of net/http/cookiejar does not.
	Jar http.CookieJar

	// Resolver finds the addresses of names. Default: that of package net.
	Resolver Resolver

	// Hooks are told of the life of connections.
	Hooks Hooks

	// Logger gets what no caller is there to be told of. Default: slog.Default().
	Logger *slog.Logger

	// Loops are those that run the requests of DoContext, in turn. When there are none, the
	// client runs one of its own, from the first DoContext until Close was called and those
	// requests are over.
	Loops []*loop.Loop
}

// LimitPolicy is what becomes of a request when an upstream has as many connections in use as
// there may be.
type LimitPolicy uint8

const (
	// Wait: it waits in a queue, at most Options.MaxWaiting with it and not longer than
	// Timeouts.Acquire.
	Wait LimitPolicy = iota
	// Refuse: it fails with ErrPoolFull at once. Only if another loop has an idle connection does
	// it wait for that to be given up.
	Refuse
	// Overflow: it gets a connection beyond the limit at once, which is closed after it.
	Overflow
)

// Timeouts bound how long the parts of a request may take. A zero field means its default, a
// negative one no bound.
type Timeouts struct {
	// Acquire is for waiting for a connection while all that there may be are in use.
	// Default: 5 seconds. After it: ErrAcquireTimeout.
	Acquire time.Duration

	// Connect is for resolving the upstream's name and connecting. Default: 10 seconds. It is
	// the client's: that of a request is not looked at. After it: ErrConnectTimeout.
	Connect time.Duration

	// Continue is how long a body with Request.ExpectContinue waits for 100 (Continue); then
	// it is sent without. Default: 1 second.
	Continue time.Duration

	// Head is from the request having been sent until the response's head is there. Default:
	// 60 seconds. After it: ErrHeadTimeout.
	Head time.Duration

	// Body is how long a body may stand still: the request's while the upstream takes none
	// of it, the response's while it is asked for. Default: 60 seconds. After it:
	// ErrBodyTimeout.
	Body time.Duration

	// Total is for all of it, from Do to the end of the response's body. Default: no bound.
	// After it: ErrTotalTimeout.
	Total time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	for _, f := range [...]struct {
		field        *time.Duration
		defaultValue time.Duration
	}{
		{&t.Acquire, 5 * time.Second},
		{&t.Connect, 10 * time.Second},
		{&t.Continue, time.Second},
		{&t.Head, time.Minute},
		{&t.Body, time.Minute},
		{&t.Total, -1},
	} {
		if *f.field == 0 {
			*f.field = f.defaultValue
		}
	}
	return t
}

func (o Options) withDefaults() Options {
	for _, f := range [...]struct {
		field        *int
		defaultValue int
	}{
		{&o.MaxConnections, 512},
		{&o.MaxWaiting, 1024},
		{&o.MaxIdle, 64},
	} {
		if *f.field == 0 {
			*f.field = f.defaultValue
		}
	}
	if o.MaxConnections < 0 {
		o.MaxConnections = math.MaxInt
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 50 * time.Second
	}
	o.Timeouts = o.Timeouts.withDefaults()
	o.HeadLimits = o.HeadLimits.WithDefaults()
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}
