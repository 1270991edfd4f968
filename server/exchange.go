package server

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"time"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// exchange is one request and its response, with the parser that reads the
// request. It is lent to a connection from the first byte of a head until the
// connection is idle again; an idle connection has none. Owned by the loop
// goroutine.
type exchange struct {
	core    *core
	parser  parser.Parser
	request *Request
	body    *requestBody // nil when the request has none

	context context.Context // nil until asked for
	cancel  context.CancelCauseFunc

	// The request's side.
	bodyLimit     int64
	bodyTimeout   time.Duration
	received      bool // the request has been read to its end
	awaitsBody    bool // somebody asked for the body and waits for bytes
	drained       int64
	arrived       int64 // bytes that the link has given since the head began
	arrivedBefore int64 // the same when the window of the body timeout began
	idleTimed     bool  // the deadline for the first byte of the head has been set
	headTimed     bool  // the deadline for the head has been set
	bodyTimed     bool  // a window of the body timeout has begun
	borrows       bool  // what was fed to the parser lies in the link's buffer

	// The response's side. At most one of later, file and the core's stream is set.
	status    int
	reported  bool // to the hook
	holds     bool // one of them is, or a text that is on its way
	later     pipeline.Source[Response]
	file      *os.File
	response  Response // whose body is on its way
	text      string   // what is left of a large complete body
	framing   framing
	sent      int64 // bytes of the response's body handed out
	headSent  bool
	continued bool // 100 Continue was sent
	keepAlive bool
	openEnded bool

	informational []byte // responses on their way, or nil
	onFinish      func(status int, bytes int64)

	// inputWaker is who waits for bytes of the request's body.
	inputWaker pipeline.Waker
	// watcher is told, once, that the client has closed its sending side behind the request.
	watcher interface{ clientHalfClosed() }
}

// feed lends the parser what the link has given.
func (x *exchange) feed(chunk []byte) {
	x.parser.Feed(chunk)
	x.borrows = true
}

// keepRest copies what the parser has not consumed, so that the link's buffer can be
// given back while it waits: those are requests behind the one in hand, or a body that
// nobody has asked for yet.
func (x *exchange) keepRest() {
	if rest := x.parser.Rest(); x.borrows && len(rest) > 0 {
		x.parser.Feed(bytes.Clone(rest))
	}
	x.borrows = false
}

// begin starts the exchange for the head that the parser has ready.
func (x *exchange) begin(head *parser.Head) error {
	options := x.core.local.options
	x.core.writeTimeout = options.WriteTimeout
	x.keepAlive = head.KeepAlive
	x.request.ended, x.request.decoded, x.request.route = false, false, nil
	if head.Chunked || head.ContentLength > 0 {
		x.bodyLimit, x.bodyTimeout = options.BodyLimit, options.BodyTimeout
		x.body = &requestBody{exchange: x}
		x.request.Body = x.body
	} else {
		x.received = true
	}
	return x.checkHead(head)
}

func (x *exchange) checkHead(head *parser.Head) (err error) {
	if x.request.path, x.request.query, err = splitTarget(head.Target); err != nil {
		return err
	}
	if head.BadExpectation {
		return &Error{http.StatusExpectationFailed, "The server meets no expectation but 100-continue."}
	}
	if head.Method == http.MethodConnect {
		return &Error{http.StatusNotImplemented, "The server does not tunnel: the method CONNECT is not implemented."}
	}
	return nil
}

// finish ends the exchange for good: every source is closed, once; the request
// is no longer valid. The parser goes on.
func (x *exchange) finish(cause error) {
	if x.holds {
		x.closeResponse()
	}
	if x.request.ended {
		return // or it had not begun
	}
	if hook := x.core.local.options.Hooks.Response; hook != nil && !x.reported {
		x.reported = true
		hook(x.request, x.status, x.sent)
	}
	x.tellFinished()
	x.request.ended = true
	if x.body != nil {
		x.body.end(bodyEnd(cause))
		x.body, x.request.Body = nil, noBody{}
	}
	if x.cancel != nil {
		x.cancel(cause)
		x.context, x.cancel = nil, nil
	}
	if x.inputWaker != nil {
		x.inputWaker = nil
	}
	if x.watcher != nil {
		x.watcher = nil
	}
	if x.core.local.options.Strict {
		x.newRequest()
	}
}

func (x *exchange) newRequest() {
	x.request = &Request{exchange: x, ended: true, Body: noBody{}}
}

// bodyEnd is what a body ends with that is cut off from its exchange.
func bodyEnd(cause error) error {
	if cause == ErrClientGone {
		return cause
	}
	return ErrExchangeEnded
}

// closeResponse closes what the response owns.
func (x *exchange) closeResponse() {
	x.holds = false
	if later := x.later; later != nil {
		x.later = nil
		later.Close()
	}
	x.core.closeStream(errAnswered)
	if file := x.file; file != nil {
		x.file = nil
		file.Close()
	}
	x.response = Response{}
	x.text = ""
}

// reset makes the exchange ready for the next request of the same connection.
func (x *exchange) reset() {
	x.received, x.awaitsBody, x.drained = false, false, 0
	x.arrived, x.arrivedBefore = 0, 0
	x.idleTimed, x.headTimed, x.bodyTimed = false, false, false
	x.status, x.framing, x.sent = 0, framingNone, 0
	x.holds, x.reported = false, false
	x.headSent, x.continued, x.openEnded = false, false, false
	x.informational = nil
}
