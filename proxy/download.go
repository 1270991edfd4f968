package proxy

import (
	"io"
	"net/http"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// download is what the upstream answers, its body or the bytes behind an upgrade, as the server polls
// it. From when it begins it stands for its exchange: it is what tells the target the end. Of the
// request it keeps no more than it must, since it may wait for hours. Owned by the loop goroutine.
type download struct {
	proxy    *proxy
	exchange *exchange // when the request has a body, which may still be on its way
	target   Target    // nil once it was told the end
	source   pipeline.Source[[]byte]
	end      error           // why it is over
	request  *client.Request // for the log; nil for an event stream, which would keep the request's head for hours
	status   int
}

// begin has d poll the body of a response in place of x, which is over but for the body of its request.
func (d *download) begin(x *exchange, answer *client.Response) {
	*d = download{proxy: x.proxy, target: x.target, source: answer.Body, request: &x.out, status: x.status}
	x.target = nil
	if x.out.Body != nil {
		d.exchange = x
		return
	}
	x.over(nil)
}

func (d *download) Poll(w pipeline.Waker) ([]byte, error) {
	if d.end != nil {
		return nil, d.end
	}
	chunk, err := d.source.Poll(w)
	if err != nil && err != pipeline.ErrPending {
		return nil, d.ended(err)
	}
	return chunk, err
}

// Pipeable says whether what comes next can go from socket to socket without a look.
func (d *download) Pipeable() bool {
	source, ok := d.source.(server.PipeSource)
	return ok && d.end == nil && source.Pipeable()
}

// PollPipe moves it. It is called when Pipeable has said so.
func (d *download) PollPipe(w pipeline.Waker, p *loop.Pipe, limit int64) (int64, error) {
	source, ok := d.source.(server.PipeSource)
	if !ok || d.end != nil {
		return 0, d.end
	}
	n, err := source.PollPipe(w, p, limit)
	if err != nil && err != pipeline.ErrPending {
		err = d.ended(err)
	}
	return n, err
}

var _ server.PipeSource = (*download)(nil)

// ended is the end of what the upstream sends. A failure has been logged then, so the server, which
// has to cut the connection if the head is out, need not.
func (d *download) ended(err error) error {
	if err == io.EOF {
		d.end = err
		d.over(nil)
		return err
	}
	var u *upload
	if d.exchange != nil {
		u = &d.exchange.upload
	}
	answered, of := d.proxy.failure(err, u, d.request)
	d.end = &cut{answered}
	d.over(of)
	return d.end
}

func (d *download) Close() {
	if d.end == nil {
		d.end = pipeline.ErrClosed
		d.over(pipeline.ErrClosed)
	}
	d.source.Close()
}

// over tells everybody that the exchange is.
func (d *download) over(err error) {
	if target := d.target; target != nil {
		d.target = nil
		target.Done(Outcome{Status: d.status, Err: err})
	}
	if x := d.exchange; x != nil {
		d.exchange = nil
		x.over(nil)
	}
}

// cut is a failure that was logged. It answers as what it wraps while the head of the response is
// not out, and afterwards tells the server that it need not be logged.
type cut struct{ cause error }

func (c *cut) Error() string   { return c.cause.Error() }
func (c *cut) Unwrap() []error { return []error{c.cause, http.ErrAbortHandler} }
