package server

import (
	"context"
	"iter"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// A Request is a request whose head has arrived. It is valid until its response is
// finished, or until that gives it back (see [Response.ReleaseRequest]); the strings that
// its methods return are slices of one immutable copy of the head and stay valid for ever.
// Its methods are called on the loop
// that runs the handler; what another goroutine needs of it is taken out before.
// A method that is called after the response was finished panics, as long as
// the server has not used the Request again; see [Options.Strict].
type Request struct {
	// Body gives the request's body, chunk by chunk, as it is asked for; for a
	// request without one, io.EOF. It belongs to the exchange. The client's
	// Expect: 100-continue is answered when it is first polled. It ends with an
	// error that has a Status when it is over its limit (413), comes too slowly
	// (408), breaks the syntax (400), or was cut by the client, which is an
	// [ErrClientGone] too. It may be polled, on the loop, by somebody else than the poll
	// of the response.
	Body pipeline.Source[[]byte]

	exchange *exchange
	ended    bool
	decoded  bool   // SetDecodedBody was called
	path     string // decoded
	query    string // as sent, without '?'
	route    *route // that a router has chosen, or nil
}

// live returns the exchange, or panics when it has ended.
func (r *Request) live() *exchange {
	if r.ended {
		panic("server: a Request was used after its response was finished")
	}
	return r.exchange
}

func (r *Request) head() *parser.Head { return r.live().parser.Head() }

// Method returns the method as sent; methods are case-sensitive (RFC 9110,
// section 9.1).
func (r *Request) Method() string { return r.head().Method }

// Target returns the request-target as sent (RFC 9112, section 3.2).
func (r *Request) Target() string { return r.head().Target }

// Path returns the path of the target with its percent-encoding decoded: "/" at
// least, "*" for OPTIONS *.
func (r *Request) Path() string { r.live(); return r.path }

// Pattern returns the pattern of the route that a [Router] has chosen for the request, as it
// was registered, behind the prefixes of its groups; "" when there is none.
func (r *Request) Pattern() string {
	r.live()
	if r.route == nil {
		return ""
	}
	return r.route.pattern.text
}

// PathValue returns what the wildcard with this name in the [Request.Pattern] stands for, decoded;
// "" when there is no such wildcard. It may have any bytes, a slash or ".." too: a name of a
// file is opened with [os.Root].
func (r *Request) PathValue(name string) string {
	target := r.Target()
	if r.route == nil {
		return ""
	}
	path, _ := r.sentPath(target)
	return r.route.pattern.value(path, name)
}

// sentPath returns the path of the target as it was sent, and whether it has a percent-encoding.
func (r *Request) sentPath(target string) (path string, encoded bool) {
	if target[0] != '/' {
		target = stripAuthority(target)
	}
	end := len(target)
	if r.query != "" {
		end -= len(r.query) + 1
	} else if target[end-1] == '?' {
		end--
	}
	return target[:end], end != len(r.path)
}

// RawQuery returns the query of the target as sent, without its question mark.
func (r *Request) RawQuery() string { r.live(); return r.query }

// Query returns the first value of the query's parameter name, decoded, or "".
func (r *Request) Query(name string) string {
	for n, v := range r.QueryParameters() {
		if n == name {
			return v
		}
	}
	return ""
}

// QueryParameters gives the name and value of each parameter of the query
// (application/x-www-form-urlencoded, WHATWG URL), decoded, in their order. A
// parameter whose encoding is broken is left out. Nothing is built up in memory:
// each is decoded when it is asked for.
func (r *Request) QueryParameters() iter.Seq2[string, string] {
	r.live()
	query := r.query
	return func(yield func(string, string) bool) {
		for query != "" {
			var parameter string
			parameter, query, _ = strings.Cut(query, "&")
			if parameter == "" {
				continue
			}
			name, value, _ := strings.Cut(parameter, "=")
			name, err := url.QueryUnescape(name)
			if err != nil {
				continue
			}
			if value, err = url.QueryUnescape(value); err != nil {
				continue
			}
			if !yield(name, value) {
				return
			}
		}
	}
}

// Fields returns the fields of the head in the order and case in which they were
// sent. It is valid as long as the request is.
func (r *Request) Fields() *parser.Fields { return &r.head().Fields }

// Field returns the value of the first field of this name, compared without
// regard to case, or "".
func (r *Request) Field(name string) string { return r.head().Fields.Get(name) }

// Host returns the host and port that the request is for: the authority of an
// absolute target, else the Host field (RFC 9112, section 3.2.2).
func (r *Request) Host() string { return r.head().Host }

// Minor returns the minor version of HTTP/1 that the client speaks: 0 or 1.
func (r *Request) Minor() int { return r.head().Minor }

// Type returns the Content-Type field.
func (r *Request) Type() string { return r.Field("Content-Type") }

// Length returns the number of bytes of the body: 0 without one, -1 when the
// client has not declared it.
func (r *Request) Length() int64 {
	head := r.head()
	switch {
	case head.Chunked:
		return -1
	case head.ContentLength > 0:
		return head.ContentLength
	}
	return 0
}

// Coded reports whether Body has a content coding (RFC 9110, section 8.4), such as gzip, that
// must be decoded before its Content-Type can be believed. No content has none.
func (r *Request) Coded() bool {
	if r.Length() == 0 || r.decoded {
		return false
	}
	for value := range r.Fields().Values("Content-Encoding") {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.Trim(name, " \t")
			if name != "" && !strings.EqualFold(name, "identity") {
				return true
			}
		}
	}
	return false
}

// SetDecodedBody makes body the Body, without the content coding that it came in. The fields
// of the request stay as they were sent, and so does Length.
func (r *Request) SetDecodedBody(body pipeline.Source[[]byte]) {
	r.live()
	r.Body, r.decoded = body, true
}

// Trailers returns the fields behind a chunked body once Body has given io.EOF,
// and none before. Fields that would change framing, routing or authentication
// are not among them (RFC 9110, section 6.5.1).
func (r *Request) Trailers() *parser.Fields {
	x := r.live()
	if !x.received {
		return &parser.Fields{}
	}
	return x.parser.Trailers()
}

// RemoteAddr returns the client's address; the zero AddrPort on a Unix socket
// and when the client has already gone.
func (r *Request) RemoteAddr() netip.AddrPort { return r.live().core.link.RemoteAddr() }

// LocalAddr returns the address that the client has connected to; the zero
// AddrPort on a Unix socket.
func (r *Request) LocalAddr() netip.AddrPort { return r.live().core.link.LocalAddr() }

// Context returns a context that is cancelled when the exchange ends: with the
// response sent, with an error, or with the client gone, which
// [context.Cause] tells apart. It is made when first asked for. The context,
// unlike the request, may be used from any goroutine and for ever.
func (r *Request) Context() context.Context {
	x := r.live()
	if x.context == nil {
		x.context, x.cancel = context.WithCancelCause(context.Background())
	}
	return x.context
}

// SetContext has Context return ctx, which is derived from what it returned before: so a
// layer cancels what the handler does, or hands values to it.
func (r *Request) SetContext(ctx context.Context) { r.live().context = ctx }

// Loop returns the loop that the request lives on: what [pipeline.NewQueue] and
// [pipeline.Offload] need to bring values back to it from other goroutines, and what
// a client sends requests from.
func (r *Request) Loop() *loop.Loop { return r.live().core.local.loop }

// After returns a source that gives one value when d has passed since it was
// first polled. It waits on the loop's timers and holds no goroutine.
func (r *Request) After(d time.Duration) pipeline.Source[time.Duration] {
	return newDelay(r.live().core.local.loop, d)
}

// SetBodyLimit overrides [Options.BodyLimit] for this request. A negative limit
// is none.
func (r *Request) SetBodyLimit(bytes int64) {
	if bytes < 0 {
		bytes = unlimited
	}
	r.live().bodyLimit = bytes
}

// SetBodyTimeout overrides [Options.BodyTimeout] for this request.
func (r *Request) SetBodyTimeout(window time.Duration) { r.live().bodyTimeout = window }

// SetWriteTimeout overrides [Options.WriteTimeout] for the answer to this
// request.
func (r *Request) SetWriteTimeout(d time.Duration) { r.live().core.writeTimeout = d }
