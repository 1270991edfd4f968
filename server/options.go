package server

import (
	"log/slog"
	"math"
	"runtime"
	"time"

	"github.com/penstock-go/penstock/parser"
)

// Options are the settings of a [Server]. The zero value of each field means
// its default; a negative number or duration switches a limit or a timeout off
// where that is allowed. All of them hold for the server; those that a handler
// may override for its own request say so.
type Options struct {
	// Loops is the number of event loops, each on a goroutine of its own.
	// Default: runtime.GOMAXPROCS(0).
	Loops int

	// Name is the value of the Server field in answers. Default: "penstock".
	// "-" sends none.
	Name string

	// MaxConnections is the number of connections that are served at once. One
	// more is answered with 503 and Retry-After, and closed. Default: 100,000.
	// Negative: no limit but that of the process's file descriptors.
	MaxConnections int

	// HeadLimits bound a request's target, head, number of fields and chunk
	// framing; see [parser.Limits] for the defaults and the statuses.
	HeadLimits parser.Limits

	// BodyLimit is the number of bytes that a request's body may have, after
	// transfer decoding. Reading more fails with status 413; a declared
	// Content-Length over the limit fails at the first demand for the body.
	// Default: 16 MiB. Negative: no limit. A handler overrides it with
	// [Request.SetBodyLimit].
	BodyLimit int64

	// HeadTimeout is the time from the first byte of a head, or from the
	// opening of a connection, to the end of the head: an absolute deadline,
	// answered with 408 when part of a head is there. Default: 10 s.
	HeadTimeout time.Duration

	// IdleTimeout is how long a connection may stay open between two requests; it
	// is kept to within a second. Default: 75 s.
	IdleTimeout time.Duration

	// BodyTimeout is the window in which a body that is being read has to make
	// progress: in each, at least BodyRate bytes a second on average have to
	// arrive, else reading fails with status 408. While the handler does not
	// ask for the body no time runs. Default: 20 s. A handler overrides it with
	// [Request.SetBodyTimeout].
	BodyTimeout time.Duration

	// BodyRate is the least rate of a request's body in bytes a second; see
	// BodyTimeout. Default: 100. Negative: one byte in each window is enough.
	BodyRate int

	// WriteTimeout is how long a client may take none of the bytes that wait
	// for it before its connection is closed. A slow client that takes some is
	// never closed by it. Default: 30 s. A handler overrides it with
	// [Request.SetWriteTimeout].
	WriteTimeout time.Duration

	// DrainLimit is the number of bytes of an unread request body that are read
	// and thrown away after the answer to keep the connection alive. With more
	// to come the connection is closed. Default: 64 KiB. Negative: none.
	DrainLimit int64

	// LingerTimeout and LingerLimit bound, in time and bytes, the reading that
	// goes on after the last answer was sent on a connection whose client is
	// still sending, so that the answer is not lost to a reset (RFC 9112,
	// section 9.6). Defaults: 2 s, 1 MiB.
	LingerTimeout time.Duration
	LingerLimit   int64

	// Workers is how many requests may be answered at once by work that blocks:
	// see [Go]. Default: 256. Negative: no limit.
	Workers int

	// WorkQueue is how many requests may wait for a worker when all are busy. One
	// more is answered with 503 and Retry-After. Default: 1024. Negative: none
	// waits.
	WorkQueue int

	// Logger gets what an operator must know: panics, responses that could not
	// be sent as the handler wanted, listeners out of file descriptors.
	// Default: slog.Default().
	Logger *slog.Logger

	// WatchdogThreshold is how long a loop may be in one turn before that is
	// logged, as a warning, with the stack that it is stuck in; and once more when
	// the turn has ended, with the request whose handler took so long. What has
	// lasted twice as long is always logged. Default: 100 ms. Negative: no
	// watchdog.
	WatchdogThreshold time.Duration

	// Hooks are called in the life of a connection.
	Hooks Hooks

	// Strict is for tests: no Request is used twice, and calling a method of
	// one whose response is finished panics instead of giving the data of a
	// later request.
	Strict bool
}

const unlimited = math.MaxInt64

func (o Options) withDefaults() Options {
	setDefault(&o.Loops, runtime.GOMAXPROCS(0))
	setDefault(&o.Name, "penstock")
	setDefault(&o.MaxConnections, 100_000)
	setDefault(&o.BodyLimit, 16<<20)
	setDefault(&o.HeadTimeout, 10*time.Second)
	setDefault(&o.IdleTimeout, 75*time.Second)
	setDefault(&o.BodyTimeout, 20*time.Second)
	setDefault(&o.BodyRate, 100)
	setDefault(&o.WriteTimeout, 30*time.Second)
	setDefault(&o.DrainLimit, 64<<10)
	setDefault(&o.LingerTimeout, 2*time.Second)
	setDefault(&o.LingerLimit, 1<<20)
	setDefault(&o.WatchdogThreshold, 100*time.Millisecond)
	setDefault(&o.Workers, 256)
	setDefault(&o.WorkQueue, 1024)
	setDefault(&o.Logger, slog.Default())
	if o.MaxConnections < 0 {
		o.MaxConnections = math.MaxInt
	}
	if o.Workers < 0 {
		o.Workers = math.MaxInt
	}
	if o.BodyLimit < 0 {
		o.BodyLimit = unlimited
	}
	if o.BodyRate < 0 {
		o.BodyRate = 0
	}
	if o.DrainLimit < 0 {
		o.DrainLimit = 0
	}
	o.HeadLimits = o.HeadLimits.WithDefaults()
	return o
}

func setDefault[T comparable](option *T, value T) {
	var zero T
	if *option == zero {
		*option = value
	}
}
