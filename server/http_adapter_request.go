package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"

	"github.com/penstock-go/penstock/parser"
)

// The request that a net/http handler is given.

// begin makes the *http.Request of r. Its strings are slices of the head's one copy, so they
// may be kept.
func (x *httpExchange) begin(r *Request) error {
	head := r.head()
	target, err := url.ParseRequestURI(head.Target)
	if err != nil {
		return &Error{http.StatusBadRequest, "The request-target is not a valid URI."}
	}
	plain := http.Request{
		Method:     head.Method,
		URL:        target,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: head.Minor,
		Header:     httpHeader(&head.Fields),
		Body:       http.NoBody,
		Host:       head.Host,
		RequestURI: head.Target,
		RemoteAddr: "@", // what net/http says of a Unix socket without a name
	}
	if remote := r.RemoteAddr(); remote.IsValid() {
		plain.RemoteAddr = remote.String()
	}
	if head.Minor == 0 {
		plain.Proto = "HTTP/1.0"
	}
	plain.Close = closesConnection(&plain)
	hasBody := r.Length() != 0
	if hasBody {
		setFraming(r, &plain)
	}
	x.giveContext(r)
	x.request = plain.WithContext(x.context)
	if hasBody {
		x.giveBody(r, x.request)
	}
	return nil
}

// setFraming says how long the body is. Like net/http, it keeps from the header how a chunked
// one was sent.
func setFraming(r *Request, request *http.Request) {
	request.ContentLength = r.Length()
	if _, own := r.Body.(*requestBody); !own {
		request.ContentLength = -1 // a layer has made another body of it
	}
	if !r.head().Chunked {
		return
	}
	request.TransferEncoding = []string{"chunked"}
	delete(request.Header, "Transfer-Encoding")
	announced := request.Header["Trailer"]
	delete(request.Header, "Trailer")
	for _, list := range announced {
		for name := range strings.SplitSeq(list, ",") {
			if name = textproto.TrimString(name); name == "" {
				continue
			}
			if request.Trailer == nil {
				request.Trailer = make(http.Header)
			}
			request.Trailer[http.CanonicalHeaderKey(name)] = nil
		}
	}
}

// httpHeader returns the fields as net/http keeps them: without Host, under canonical names. All
// values share one array.
func httpHeader(fields *parser.Fields) http.Header {
	header := make(http.Header, fields.Len())
	values := make([]string, 0, fields.Len())
	for i := range fields.Len() {
		name, value := fields.At(i)
		name = textproto.CanonicalMIMEHeaderKey(name)
		if name == "Host" {
			continue
		}
		if earlier, found := header[name]; found {
			header[name] = append(earlier, value)
			continue
		}
		values = append(values, value)
		header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	if pragma := header["Pragma"]; len(pragma) > 0 && pragma[0] == "no-cache" && header["Cache-Control"] == nil {
		header["Cache-Control"] = []string{"no-cache"} // RFC 9111, section 5.4
	}
	return header
}

// closesConnection says whether the client wants the connection closed after the answer (RFC
// 9112, section 9.3).
func closesConnection(r *http.Request) bool {
	options := r.Header["Connection"]
	return hasToken(options, "close") || r.ProtoMinor == 0 && !hasToken(options, "keep-alive")
}

// hasToken says whether one of the comma-separated lists has the token, in any case.
func hasToken(lists []string, token string) bool {
	for _, list := range lists {
		for element := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(textproto.TrimString(element), token) {
				return true
			}
		}
	}
	return false
}

// giveContext makes the handler's context: a child of what a layer has set, and cancelled with
// the exchange.
func (x *httpExchange) giveContext(r *Request) {
	parent := r.live().context
	if parent == nil {
		parent = context.Background()
	}
	x.values.Context, x.values.exchange = parent, x
	x.context, x.cancel = context.WithCancelCause(&x.values)
}

// httpContext has the two values that a handler finds under net/http. The local address, which few
// handlers look at, costs a system call and is asked for when one does.
type httpContext struct {
	context.Context
	exchange *httpExchange
	asking   sync.Once
	local    net.Addr
}

func (c *httpContext) Value(key any) any {
	switch key {
	case http.ServerContextKey:
		return c.exchange.adapter.server
	case http.LocalAddrContextKey:
		// The context is the handler's, so this is not the loop's goroutine.
		c.asking.Do(func() { c.local = c.exchange.askLocalAddr() })
		return c.local
	}
	return c.Context.Value(key)
}

// askLocalAddr returns the address that the client has connected to; a *net.TCPAddr without an
// address when the exchange is over.
func (x *httpExchange) askLocalAddr() net.Addr {
	answer := make(chan net.Addr, 1)
	err := x.loop.Post(func() {
		switch {
		case x.origin == nil:
			answer <- &net.TCPAddr{}
		case !x.origin.LocalAddr().IsValid():
			answer <- &net.UnixAddr{Net: "unix"}
		default:
			answer <- net.TCPAddrFromAddrPort(x.origin.LocalAddr())
		}
	})
	if err != nil {
		return &net.TCPAddr{}
	}
	return <-answer
}

// errNoExchange is what a handler gets for what it asks of an exchange that is over.
var errNoExchange = errors.New("server: the exchange is over: the client has gone, or the response was finished")

// errBegun is what a handler gets that wants to hijack a connection on which its response has begun.
var errBegun = errors.New("server: the connection cannot be hijacked: the response has begun")
