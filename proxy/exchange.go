package proxy

import (
	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// exchange is one request on its way through the proxy. As a source it gives the response.
//
//	picking ─▶ asking ─▶ answered (download has the rest)
//	   ▲          │
//	   └── held ◀─┘ nobody could be connected to
//
// Rules:
//
//  1. There is one way out, over: it tells the target, closes the body of the request, and
//     gives the room back. Once the response is handed out, the target is the download's.
//  2. The request of the server is looked at only until the response is handed out, or until the body
//     of the request has been sent.
//  3. Until something of it was sent, the body of the request is not closed, so that
//     another upstream can have it.
//
// Owned by the loop goroutine.
type exchange struct {
	proxy    *proxy
	request  *server.Request // nil once over
	target   Target          // that is tried; nil once it was told the end, or is the download's
	call     pipeline.Source[*client.Response]
	answer   *client.Response // that nobody else has yet
	out      client.Request
	room     *room // nil once answered or over
	upload   upload
	download download  // unless that is long-lived, and has memory of its own
	patience *patience // nil unless an upstream could not be connected to
	end      error     // what Poll returns for good
	status   int       // of the response, once that is there
	repeated bool      // one that was connected to has ended the connection without a word
}

// begin makes the request for the upstream and picks one. The error is what to answer.
func (x *exchange) begin() error {
	x.room = x.proxy.lendRoom()
	if err := x.makeRequest(x.request); err != nil {
		x.over(pipeline.ErrClosed)
		return err
	}
	target, err := x.proxy.picker.Pick(x.request, nil)
	if err != nil {
		x.over(pipeline.ErrClosed)
		return err
	}
	x.target = target
	x.ask()
	return nil
}

// ask begins to ask the target.
func (x *exchange) ask() { x.call = x.target.Upstream().Do(x.request.Loop(), &x.out) }

// Poll gives the response when the head of the upstream's is there.
func (x *exchange) Poll(w pipeline.Waker) (server.Response, error) {
	for x.end == nil {
		if p := x.patience; p != nil && p.wait != nil {
			if err := x.await(w); err != nil {
				return server.Response{}, err
			}
		}
		answer, err := x.call.Poll(w)
		switch {
		case err == nil:
			x.endPatience()
			return x.respond(answer)
		case err == pipeline.ErrPending:
			return server.Response{}, err
		}
		if x.call.Close(); !x.tryAgain(err) {
			return server.Response{}, x.fail(err)
		}
	}
	return server.Response{}, x.end
}

// Close cancels the request, unless the response was handed out: then it is the response's.
func (x *exchange) Close() {
	if x.end != nil {
		return
	}
	x.end = pipeline.ErrClosed
	if x.call != nil {
		x.call.Close()
	}
	if answer := x.answer; answer != nil { // a stage or a target has panicked
		x.answer = nil
		answer.Close()
	}
	x.over(pipeline.ErrClosed)
}

// fail ends an exchange without a response of the upstream, and returns the error to answer.
func (x *exchange) fail(err error) error {
	answered, told := x.proxy.failure(err, &x.upload, &x.out)
	x.end = answered
	x.over(told)
	return answered
}

// over tells everybody that the exchange is.
func (x *exchange) over(err error) {
	if target := x.target; target != nil {
		x.target = nil
		target.Done(Outcome{Status: x.status, Err: err})
	}
	x.endPatience()
	x.upload.close()
	x.request, x.call = nil, nil
	if room := x.room; room != nil {
		x.room, x.out.Fields = nil, nil
		x.proxy.takeBackRoom(room)
	}
}
