package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/penstock-go/penstock/parser"
)

// What a net/http handler reaches through http.ResponseController, and Hijack.

// EnableFullDuplex does nothing: a handler may always read the body while it writes the
// response.
func (w *httpWriter) EnableFullDuplex() error { return nil }

// SetReadDeadline has reading the body fail from t on, in place of [Options.BodyTimeout]. The
// zero time is no deadline. Once it has passed it stays so.
func (w *httpWriter) SetReadDeadline(t time.Time) error {
	if w.state == httpHijacked {
		return http.ErrHijacked
	}
	x := w.exchange
	if x.body != nil {
		x.body.failAt(t)
	}
	return x.onLoop(func(r *Request) { r.SetBodyTimeout(-1) })
}

// SetWriteDeadline has writing fail from t on, in place of [Options.WriteTimeout], and cuts a
// response that is not finished by then. The zero time is no deadline. Once it has passed it
// stays so.
func (w *httpWriter) SetWriteDeadline(t time.Time) error {
	if w.state == httpHijacked {
		return http.ErrHijacked
	}
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	w.deadline = t
	w.startTimer()
	return w.exchange.onLoop(func(r *Request) { r.SetWriteTimeout(writeTimeoutUntil(t)) })
}

// startTimer has the response cut at the deadline, if it has begun and there is one.
func (w *httpWriter) startTimer() {
	if stream := w.stream; stream != nil && !w.deadline.IsZero() {
		w.timer = time.AfterFunc(time.Until(w.deadline), func() { stream.CloseWithError(os.ErrDeadlineExceeded) })
	}
}

// writeTimeoutUntil returns the timeout that closes the connection of a client that takes nothing,
// soon after a deadline: the handler hears of that first. Without a deadline it is none.
func writeTimeoutUntil(deadline time.Time) time.Duration {
	if deadline.IsZero() {
		return -1
	}
	return max(time.Until(deadline), 0) + time.Second
}

// onLoop has f run on the loop with the request, if the exchange is not over by then.
func (x *httpExchange) onLoop(f func(*Request)) error {
	return x.loop.Post(func() {
		if x.origin != nil {
			f(x.origin)
		}
	})
}

// CloseNotify returns a channel that gets one value when the client has gone or the exchange
// has ended. Older handlers ask for it; the request's context says the same.
func (w *httpWriter) CloseNotify() <-chan bool {
	gone := make(chan bool, 1)
	context.AfterFunc(w.exchange.context, func() { gone <- true })
	return gone
}

// hijacking is a connection on its way to a handler that waits for it.
type hijacking struct {
	arrived chan struct{} // closed when what follows is there
	conn    net.Conn
	unread  []byte
	err     error
	cancel  context.CancelCauseFunc // of the request's context
}

// keepContext keeps the request's context, if somebody has asked for it, from being cancelled
// with the exchange: the handler's is a child of it, and lives until the handler returns. It is
// called on the loop.
func (h *hijacking) keepContext(x *exchange) {
	if x.cancel != nil {
		h.cancel, x.context, x.cancel = x.cancel, nil, nil
	}
}

// taken is called once.
func (h *hijacking) taken(conn net.Conn, unread []byte, err error) {
	h.conn, h.unread, h.err = conn, unread, err
	close(h.arrived)
}

// Hijack takes the connection away from the server; see [http.Hijacker]. The reader has what
// the client has sent behind the request's head and nobody has read. If WriteHeader was called, the
// head has been sent first: with the fields of the header, all of them and no others but Date.
func (w *httpWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	switch {
	case w.state == httpHijacked:
		return nil, nil, http.ErrHijacked
	case w.state == httpComplete, w.stream != nil:
		return nil, nil, errBegun
	}
	w.state = httpHijacked
	x := w.exchange
	h := &hijacking{arrived: make(chan struct{}), cancel: func(error) {}}
	x.hijacked = h
	x.answer = Hijack(h.taken)
	if err := x.loop.Post(x.answered); err != nil {
		return nil, nil, err
	}
	<-h.arrived
	if h.err != nil {
		return nil, nil, h.err
	}
	if w.head.status != 0 {
		if _, err := h.conn.Write(switchingHead(w.head.status, w.header)); err != nil {
			return nil, nil, errors.Join(err, h.conn.Close())
		}
	}
	reader := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(h.unread), h.conn), max(len(h.unread), httpHijackSize))
	if _, err := reader.Peek(len(h.unread)); err != nil { // so that Buffered tells of them
		return nil, nil, err
	}
	return h.conn, bufio.NewReadWriter(reader, bufio.NewWriterSize(h.conn, httpHijackSize)), nil
}

// httpHijackSize is the size of each of the buffers that a hijacked connection comes with.
const httpHijackSize = 4 << 10

// switchingHead is the head that a handler sends before it hijacks: what follows is none of the
// server's business, so nothing is said of its framing (RFC 9110, section 15.2.2).
func switchingHead(status int, header http.Header) []byte {
	b := appendStatusLine(nil, status)
	if header["Date"] == nil {
		b = appendField(b, Field{Name: "Date", Value: time.Now().UTC().Format(http.TimeFormat)})
	}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			if parser.ValidToken(name) {
				b = appendField(b, Field{Name: name, Value: cleanValue(value)})
			}
		}
	}
	return append(b, "\r\n"...)
}
