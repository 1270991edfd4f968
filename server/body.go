package server

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// requestBody is the body of one request, as a source. It is made for requests
// that have one, and cut off from the exchange when that ends, so that nobody who
// kept it can read the next request's bytes. Owned by the loop goroutine.
type requestBody struct {
	exchange *exchange // nil once closed
	err      error     // why it ended, sticky
	count    int64     // bytes given out
	asked    bool      // polled at least once
	lent     bool      // the last chunk may still be looked at
}

// noBody is the body of a request without one.
type noBody struct{}

func (noBody) Poll(pipeline.Waker) ([]byte, error) { return nil, io.EOF }
func (noBody) Close()                              {}

func (b *requestBody) Poll(w pipeline.Waker) ([]byte, error) {
	b.lent = false
	if b.err != nil {
		return nil, b.err
	}
	x := b.exchange
	if !b.asked {
		b.asked = true
		if err := x.checkDeclaredLength(); err != nil {
			return nil, b.fail(err)
		}
		x.core.sendContinue()
	}
	data, err := x.pollBody(w)
	switch {
	case err == pipeline.ErrPending:
		return nil, err
	case err != nil:
		return nil, b.fail(err)
	}
	b.count += int64(len(data))
	if b.count > x.bodyLimit {
		return nil, b.fail(x.tooLarge())
	}
	b.lent = true
	return data, nil
}

func (b *requestBody) fail(err error) error {
	b.err = err
	return err
}

// Close says that the reader wants no more. What has not been read is settled by
// the exchange.
func (b *requestBody) Close() { b.end(ErrExchangeEnded) }

func (b *requestBody) end(err error) {
	b.exchange, b.lent = nil, false
	if b.err == nil {
		b.err = err
	}
}

// pollBody gives the next chunk of the body, whoever reads it: the handler's
// source or the drain behind an early answer. io.EOF is the end of the message.
func (x *exchange) pollBody(w pipeline.Waker) ([]byte, error) {
	x.awaitsBody = false
	if x.received {
		return nil, io.EOF
	}
	for {
		event, err := x.parser.Next()
		switch {
		case errors.Is(err, io.ErrUnexpectedEOF):
			return nil, lostClient(err)
		case err != nil:
			return nil, err
		}
		switch event {
		case parser.BodyData:
			return x.parser.Data(), nil
		case parser.End:
			x.received = true
			return nil, io.EOF
		}
		chunk, err := x.core.link.Poll(w)
		switch {
		case err == nil:
			x.feed(chunk)
		case err == pipeline.ErrPending:
			x.awaitsBody = true
			return nil, err
		case err == io.EOF:
			x.parser.FeedEOF()
		default:
			return nil, lostClient(err)
		}
	}
}

func (x *exchange) checkDeclaredLength() error {
	if head := x.parser.Head(); !head.Chunked && head.ContentLength > x.bodyLimit {
		return x.tooLarge()
	}
	return nil
}

func (x *exchange) tooLarge() error {
	return &Error{
		Code:    http.StatusRequestEntityTooLarge,
		Message: "The request's body is over the limit of " + strconv.FormatInt(x.bodyLimit, 10) + " bytes.",
	}
}

var errBodyTimeout = &Error{
	Code:    http.StatusRequestTimeout,
	Message: "The request's body came too slowly.",
}
