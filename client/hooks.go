package client

import (
	"errors"
	"io"
	"net/netip"
	"runtime/debug"

	"github.com/penstock-go/penstock/pipeline"
)

// Hooks are told of the life of connections, on the loop that the connection belongs to: Opened
// once, then Acquired and Released by turns, as often as it carries a request, and Closed
// once. They must not block. A nil hook is not called. A panic in one is written to the log, and harms
// nothing else.
//
// Connections that were never there, because connecting has failed or was given up, are not told
// of. Neither are those that are closed because their loop has ended.
type Hooks struct {
	// Opened: the connection was made.
	Opened func(ConnectionInfo)

	// Acquired: a request has the connection from now on.
	Acquired func(ConnectionInfo)

	// Released: the request has it no longer, because its response has come to its end, because it
	// was cancelled, or because it has failed.
	Released func(ConnectionInfo)

	// Closed: the connection was closed, and why.
	Closed func(ConnectionInfo, CloseReason)
}

// ConnectionInfo says which connection it is.
type ConnectionInfo struct {
	Upstream string         // as it was given to Client.Upstream
	Remote   netip.AddrPort // what it is connected to; not valid for a Unix socket
	Number   uint64         // of the connection, counted by the client from 1
	Requests uint32         // that it has carried; the one that acquires it does not count yet
}

// A CloseReason says why a connection was closed.
type CloseReason uint8

const (
	ReasonUpstreamClosed CloseReason = iota // the upstream closed it while it was idle
	ReasonUnasked                           // the upstream sent something while it was idle
	ReasonStale                             // a request found it broken, and was sent again on another
	ReasonNotKept                           // its request is over, and one side did not want another
	ReasonFailed                            // its request has failed
	ReasonTimeout                           // its request has run into one of its Timeouts
	ReasonCancelled                         // its request was cancelled, or its response closed before the end
	ReasonIdleTimeout                       // see Options.IdleTimeout
	ReasonTooManyIdle                       // see Options.MaxIdle
	ReasonOverflow                          // it was one beyond the limit; see Overflow
	ReasonYielded                           // another loop needed a connection more; see Options.MaxConnections
	ReasonClientClosed                      // see Client.Close
)

var reasonText = [...]string{
	ReasonUpstreamClosed: "the upstream closed it while it was idle",
	ReasonUnasked:        "the upstream sent what nobody had asked for",
	ReasonStale:          "the upstream had closed it before its next request came",
	ReasonNotKept:        "it was not to carry another request",
	ReasonFailed:         "its request failed",
	ReasonTimeout:        "its request took too long",
	ReasonCancelled:      "its request was cancelled",
	ReasonIdleTimeout:    "it was idle for too long",
	ReasonTooManyIdle:    "too many connections were idle",
	ReasonOverflow:       "it was one beyond the limit",
	ReasonYielded:        "another loop needed a connection more",
	ReasonClientClosed:   "the client was closed",
}

// String returns the reason as a phrase.
func (r CloseReason) String() string { return reasonText[r] }

// reasonOf says why a connection is closed whose call has ended with err.
func reasonOf(err error) CloseReason {
	switch {
	case err == io.EOF:
		return ReasonNotKept
	case err == pipeline.ErrClosed:
		return ReasonCancelled
	case errors.Is(err, ErrHeadTimeout), errors.Is(err, ErrBodyTimeout), errors.Is(err, ErrTotalTimeout):
		return ReasonTimeout
	}
	return ReasonFailed
}

// tell calls a hook. What the hook does is not the fault of whose turn it is called in, so its
// panic ends here.
func (p *pool) tell(hook func(ConnectionInfo), k *conn) {
	if hook == nil {
		return
	}
	defer p.catch()
	hook(p.info(k))
}

func (p *pool) tellClosed(k *conn, reason CloseReason) {
	hook := p.hooks().Closed
	if hook == nil {
		return
	}
	defer p.catch()
	hook(p.info(k), reason)
}

func (p *pool) catch() {
	if value := recover(); value != nil {
		p.upstream.client.options.Logger.Error("client: a hook panicked", "panic", value, "stack", string(debug.Stack()))
	}
}

func (p *pool) hooks() *Hooks { return &p.upstream.client.options.Hooks }

func (p *pool) info(k *conn) ConnectionInfo {
	info := ConnectionInfo{Upstream: p.upstream.address, Number: k.number, Requests: k.calls}
	if k.remote != nil {
		info.Remote = netip.AddrPortFrom(*k.remote, p.upstream.port)
	}
	return info
}
