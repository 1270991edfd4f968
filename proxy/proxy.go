package proxy

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/server"
)

// New returns a handler that answers each request with what the upstream answers that to picks for it.
// The handlers of all loops may share what it returns.
func New(to Picker, o Options) server.Handler {
	p := &proxy{picker: to, options: o.withDefaults()}
	if name := p.options.Via; name != "-" {
		p.via = [2]string{"1.0 " + name, "1.1 " + name}
	}
	return p.handle
}

// proxy is a handler. It may be used on several loops at once.
type proxy struct {
	picker  Picker
	options Options
	via     [2]string // by the minor version of the message that came; "" for none
	held    atomic.Int64
	rooms   sync.Pool // of *room
}

// room is what an exchange needs for a while to put things in.
type room struct {
	fields []parser.Field // of the request
	answer []parser.Field // of the response, while it is made
	text   []byte
}

// Bounds of what is kept to be used again.
const (
	keptFields = 128
	keptText   = 4 << 10
)

func (p *proxy) lendRoom() *room {
	if r, found := p.rooms.Get().(*room); found {
		return r
	}
	return &room{fields: make([]parser.Field, 0, 16), answer: make([]parser.Field, 0, 16)}
}

// takeBackRoom takes a room without what was in it.
func (p *proxy) takeBackRoom(r *room) {
	if cap(r.fields) > keptFields || cap(r.answer) > keptFields || cap(r.text) > keptText {
		return
	}
	clear(r.fields)
	clear(r.answer)
	r.fields, r.answer = r.fields[:0], r.answer[:0]
	p.rooms.Put(r)
}

// handle answers a request.
func (p *proxy) handle(r *server.Request) server.Response {
	switch r.Method() {
	case http.MethodTrace:
		// The upstream's answer would show the client what was added to its request on the way.
		return server.Fail(&server.Error{Code: http.StatusNotImplemented, Message: "The server does not trace: the method TRACE is not implemented."})
	case http.MethodOptions:
		if answer, final := maxForwardsReached(r); final {
			return answer
		}
	}
	x := &exchange{proxy: p, request: r}
	if err := x.begin(); err != nil {
		return server.Fail(err)
	}
	return server.Later(x)
}

// maxForwardsReached answers an OPTIONS request that must not go further (RFC 9110, section 7.6.2).
func maxForwardsReached(r *server.Request) (answer server.Response, final bool) {
	value, found := r.Fields().Lookup("Max-Forwards")
	if !found {
		return answer, false
	}
	left, err := strconv.ParseUint(value, 10, 63)
	switch {
	case err != nil:
		return server.Fail(&server.Error{Code: http.StatusBadRequest, Message: "The field Max-Forwards is not a number."}), true
	case left == 0:
		return server.Empty(http.StatusNoContent), true
	}
	return answer, false
}
