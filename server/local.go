package server

import (
	"net/http"
	"slices"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// local is what the connections of one loop share: the handler, what is lent
// from hand to hand, and the date. Owned by the loop goroutine.
type local struct {
	loop     *loop.Loop
	handler  Handler
	options  *Options
	server   *Server // nil in tests of the core
	draining bool    // the server is being shut down

	connections []*conn

	exchanges []*exchange
	stacks    pipeline.Stacks // of scripts

	second    loop.Timer
	fresh     bool          // what follows is at most a second old
	now       time.Duration // loop time
	first     []byte        // status line of 200, Server, Date
	firstText []byte        // the same with Content-Type: text/plain
	wallClock func() time.Time
	crlf      []byte
	vectors   [3][]byte // room for one writev
	unwritten []*unwritten
	handovers map[*core]handover
	reference segment // what a step that hasReference hands out behind the output
}

// Bounds of what is kept to be lent again; what is over goes to the garbage
// collector.
const (
	keptExchanges = 256
	keptUnwritten = 64
)

func newLocal(l *loop.Loop, h Handler, o *Options, wallClock func() time.Time) *local {
	local := &local{loop: l, handler: h, options: o, wallClock: wallClock, crlf: []byte("\r\n"), handovers: make(map[*core]handover)}
	local.second.Init(local)
	return local
}

func (l *local) lendExchange(c *core) *exchange {
	var x *exchange
	if n := len(l.exchanges); n > 0 {
		x = l.exchanges[n-1]
		l.exchanges = l.exchanges[:n-1]
	} else {
		x = new(exchange)
		x.newRequest()
		x.parser.Init(parser.Request, &l.options.HeadLimits)
	}
	x.core = c
	return x
}

// takeBackExchange takes an exchange whose connection does not need it any more.
// One that is idle is as good as new: it holds at most the last head's string. One that
// has been fed requests which were not asked for is not: they belong to its connection.
func (l *local) takeBackExchange(x *exchange) {
	if !x.parser.Idle() || len(x.parser.Rest()) > 0 {
		x.parser.Release()
		x.reset()
	}
	x.core = nil
	if x.inputWaker != nil {
		x.inputWaker = nil
	}
	if len(l.exchanges) < keptExchanges {
		l.exchanges = append(l.exchanges, x)
	}
}

// refresh reads the clocks and makes the first lines of answers anew, once a second
// while there is something to do: a timer says when they are out of date.
func (l *local) refresh() {
	if l.fresh {
		return
	}
	now := l.wallClock()
	l.fresh, l.now = true, l.loop.Now()
	l.loop.SetTimer(&l.second, l.now+time.Second-time.Duration(now.Nanosecond()))
	l.first = l.appendServer(append(l.first[:0], statusLineOK...))
	l.first = append(l.first, "Date: "...)
	l.first = now.UTC().AppendFormat(l.first, http.TimeFormat)
	l.first = append(l.first, "\r\n"...)
	l.firstText = appendField(append(l.firstText[:0], l.first...), Field{Name: "Content-Type", Value: typeText})
}

// Expire is called by the loop when a second is over.
func (l *local) Expire() { l.fresh = false }

func (l *local) appendServer(b []byte) []byte {
	if l.options.Name == "-" {
		return b
	}
	return appendField(b, Field{Name: "Server", Value: l.options.Name})
}

const dateLine = "Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n"

func (l *local) appendDate(b []byte) []byte {
	return append(b, l.first[len(l.first)-len(dateLine):]...)
}

func (l *local) remember(c *conn) {
	c.index = int32(len(l.connections))
	if n := len(l.connections); n == cap(l.connections) {
		l.connections = slices.Grow(l.connections, max(n, 64)) // doubled: append alone leaves more garbage behind
	}
	l.connections = append(l.connections, c)
}

func (l *local) forget(c *conn) {
	last := len(l.connections) - 1
	l.connections[c.index] = l.connections[last]
	l.connections[c.index].index = c.index
	l.connections[last] = nil
	l.connections = l.connections[:last]
	c.index = -1
	l.fallIdle()
}

// fallIdle gives up the timer when there is nobody to answer any more: a loop without
// connections holds nothing.
func (l *local) fallIdle() {
	if len(l.connections) == 0 {
		l.loop.ClearTimer(&l.second)
		l.fresh = false
	}
}

// closed counts a connection that was closed.
func (l *local) closed(reason CloseReason) {
	if hook := l.options.Hooks.Closed; hook != nil {
		hook(reason)
	}
	l.server.connectionClosed()
}
