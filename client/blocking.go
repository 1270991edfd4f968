package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/penstock-go/penstock/parser"
)

// A BlockingRequest is a request of [Client.DoContext]. What is not said here is as in [Request].
type BlockingRequest struct {
	Method string // "" is GET
	URL    string // absolute, of the scheme http
	Host   string // "" is that of the URL
	Fields []parser.Field

	// Body is the content; nil and http.NoBody are none. It is read as the upstream takes it: on a goroutine that ends
	// with the body or, when the request is over before, with the Read that it is in. If it has a method Close() error,
	// that is called when it is not needed any more, in every case and once, and perhaps during such a Read. Both may
	// be somewhat later than the end of DoContext. What it fails or panics with is what DoContext fails with, and the
	// upstream sees the request cut.
	//
	// What is in memory, a *bytes.Buffer, *bytes.Reader or *strings.Reader, is not changed, and is sent again if a
	// redirect asks for that; its bytes must not be changed before the request is over.
	Body io.Reader

	// Length is how many bytes Body gives. When it is 0, that is known of what is in memory and of nothing else. A body
	// whose length is not known is sent with the chunked coding, and so is one whose Length is negative.
	Length int64

	// Trailers, when not nil, is called when a chunked Body has ended, on a loop, so it must not block.
	Trailers func() []parser.Field

	ExpectContinue bool
	Timeouts       *Timeouts
}

// A BlockingResponse is the response to a [BlockingRequest]. It belongs to who got it, who closes Body.
type BlockingResponse struct {
	Status int
	Reason string
	Fields parser.Fields
	Length int64    // of Body; -1 when it is not known
	URL    *url.URL // that it has come from, behind all redirects

	// Body gives the content, and io.EOF when it has come whole. A Read waits for the upstream, which is read from when
	// somebody reads here and not before. It fails with an *Error, with what the request's Body has failed with, and as
	// DoContext does when the context ends. Close before the end cancels the request; a Read behind it, or during it,
	// fails with pipeline.ErrClosed. One goroutine may read; any may close.
	Body io.ReadCloser

	trailers *atomic.Pointer[parser.Fields]
}

// Trailers returns the fields behind the content once Body has given io.EOF, and none before (RFC 9110, section 6.5).
func (r *BlockingResponse) Trailers() *parser.Fields {
	if t := r.trailers.Load(); t != nil {
		return t
	}
	return new(parser.Fields)
}

// DoContext sends a request as [Client.Do] does, with redirects and cookies, and waits for the response. It is for every
// goroutine but those of loops: on one of Options.Loops, where it would wait for itself, it fails with ErrRequest.
//
// When ctx ends before the body of the response has, the exchange is given up at once. The error wraps the cause of ctx;
// if that was its deadline, it is also an *Error of the kind ErrTotalTimeout. Other errors are those of Do.
//
// Requests run on Options.Loops in turn, or else on a loop of the client's own, which ends when Close was called and no
// request is left on it. A loop of Options.Loops must not be stopped before its requests are over: they would wait until
// their context ends.
func (c *Client) DoContext(ctx context.Context, r *BlockingRequest) (*BlockingResponse, error) {
	e := newBlocking(c, ctx, r)
	if ctx.Err() != nil {
		e.closeBody()
		return nil, e.contextError()
	}
	for _, l := range c.options.Loops {
		if l.Current() {
			e.closeBody()
			return nil, &Error{Kind: ErrRequest, Upstream: e.upstream, Cause: errOnLoop}
		}
	}
	if err := c.blockingLoops.take(c, e); err != nil {
		e.closeBody()
		return nil, err
	}
	e.begin()
	select {
	case o := <-e.outcome:
		return o.response, o.err
	case <-ctx.Done():
		return nil, e.contextError() // and the loop gives the exchange up
	}
}

var errOnLoop = errors.New("DoContext was called on the goroutine of a loop that it may have to wait for; handlers use Do")

// contextError is what a request fails with whose context has ended.
func (e *blocking) contextError() error {
	cause := context.Cause(e.ctx)
	if err := e.ctx.Err(); cause != err {
		cause = fmt.Errorf("%w: %w", err, cause)
	}
	if errors.Is(e.ctx.Err(), context.DeadlineExceeded) {
		return &Error{Kind: ErrTotalTimeout, Upstream: e.upstream, Cause: cause}
	}
	return fmt.Errorf("client: the request was given up (upstream %s): %w", e.upstream, cause)
}

// request translates a BlockingRequest. Its body belongs to the exchange.
func (e *blocking) request(r *BlockingRequest) *Request {
	sent := &Request{
		Method:         r.Method,
		Target:         r.URL,
		Host:           r.Host,
		Fields:         r.Fields,
		Length:         r.Length,
		Trailers:       r.Trailers,
		ExpectContinue: r.ExpectContinue,
		Timeouts:       r.Timeouts,
	}
	if r.Body == nil || r.Body == http.NoBody {
		return sent
	}
	if open, size := inMemory(r.Body); open != nil {
		e.again = open
		sent.Body = open()
		if r.Length == 0 {
			sent.Length = size
		}
		return sent
	}
	if r.Length == 0 {
		sent.Length = -1
	}
	e.upload = &upload{body: r.Body, logger: e.client.options.Logger}
	sent.Body = e.upload
	return sent
}

// hostOf names the upstream of a URL in errors.
func hostOf(target string) string {
	_, rest, _ := strings.Cut(target, "://")
	host, _, _ := strings.Cut(rest, "/")
	if host == "" || strings.ContainsAny(host, "@?#") {
		return "unknown"
	}
	return host
}
