package proxy

import (
	"log/slog"
	"time"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// Options are the settings of a handler. The zero value is ready for use.
type Options struct {
	// Forwarded is what becomes of the field Forwarded (RFC 7239): for, host and proto
	// say where the request came from. Default: Replace.
	Forwarded Forwarding

	// XForwarded is the same of X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto.
	// With Replace and Remove, every other X-Forwarded field and X-Real-IP are dropped too,
	// since upstreams believe them.
	XForwarded Forwarding

	// Via is the name by which the handler calls itself in the field Via, which it adds to
	// requests and responses (RFC 9110, section 7.6.3). Default: "penstock"; "-" adds none.
	Via string

	// Host, when not "", is the Host that upstreams get. Otherwise they get their own authority,
	// or, with KeepHost, what the client has sent.
	Host     string
	KeepHost bool

	// Rewrite, when not nil, has the last word on what is sent to the upstream: method, target,
	// host, fields, body. It is called on the loop, once for each request, before an upstream
	// is picked. An error is what the request is answered with, see [server.Fail].
	//
	// What it keeps of out.Fields must not be used after the exchange has ended.
	Rewrite func(r *server.Request, out *client.Request) error

	// Body, when not nil, is a stage that the bodies of responses go through. Their lengths are not
	// known then, their trailers are dropped, and fields that say something of a body, such as ETag, Content-Encoding,
	// Content-MD5, Repr-Digest or Accept-Ranges, are as the upstream has sent them: whoever changes a body
	// has a layer change them too.
	Body pipeline.Stage[[]byte, []byte]

	// TryFor is for how long a request is held that no upstream could be connected to: it is
	// tried again every TryEvery, since nothing of it was sent. The client's leaving ends that. 0: it
	// is not held; but where the [Picker] has another target, that is tried at once in any case.
	// So is, but only once, a request that an upstream has left without a word of an answer, as one
	// does that is being stopped: see [client.Error].Unanswered.
	TryFor time.Duration

	// TryEvery is the time between two attempts. Default: 250 milliseconds.
	TryEvery time.Duration

	// MaxHeld bounds the requests that are held at one time, over all loops. When there are
	// so many, the next is answered at once. Default: 1,024.
	MaxHeld int

	// Logger gets a line for each request that an upstream has failed. Default: slog.Default().
	Logger *slog.Logger
}

// Forwarding is what becomes of fields that say where a request came from.
type Forwarding uint8

const (
	// Replace drops what the client has sent, which nobody can believe, and sends what is known here.
	Replace Forwarding = iota
	// Append adds what is known here to what the client has sent. It is for a handler that only proxies
	// can reach. Of X-Forwarded-Host and X-Forwarded-Proto, which are no lists, the first
	// proxy's stays.
	Append
	// Keep passes on what the client has sent, and adds nothing.
	Keep
	// Remove drops what the client has sent, and adds nothing.
	Remove
)

func (o Options) withDefaults() Options {
	if o.Via == "" {
		o.Via = "penstock"
	}
	if o.TryEvery <= 0 {
		o.TryEvery = 250 * time.Millisecond
	}
	if o.MaxHeld <= 0 {
		o.MaxHeld = 1024
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}
