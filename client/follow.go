package client

import (
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/pipeline"
)

// following is a request of Client.Do: one call after another, as redirects lead from one to the next. As a source it gives
// the response that is the answer.
//
//	fresh ─▶ asking ─▶ over
//	          ▲  │
//	          │  ▼ a redirect has come
//	        draining
//
// Rules:
//
//  1. There is one call at a time. The next is made when the response to the last was closed.
//  2. There is one way out, leave: it closes the call, a response that nobody was given, and a body that no call has.
//  3. The jar, the hooks and the request's own functions may close it while it is calling them: the state is looked
//     at behind each.
//
// Owned by the loop goroutine.
type following struct {
	client   *Client
	loop     *loop.Loop
	request  *Request                       // as it was given
	again    func() pipeline.Source[[]byte] // gives its body once more; nil when that is not possible
	hop      *redirectable                  // what is being asked for; nil while it is fresh
	call     pipeline.Source[*Response]     // for hop
	held     *Response                      // has come and was not handed out
	next     *redirectable                  // where held redirects to; nil unless it is draining
	drained  int                            // bytes of held
	deadline time.Duration                  // of Timeouts.Total; 0: none
	end      error                          // nil until it is over
	ownsBody bool                           // no call has the body yet
}

// maxDrained is how much of a redirect's body is read so that its connection can be used again.
const maxDrained = 4 << 10

// Poll gives the response that is the answer when its head has come, and io.EOF after that.
func (f *following) Poll(w pipeline.Waker) (*Response, error) {
	if f.hop == nil && f.end == nil {
		f.start()
	}
	for f.end == nil {
		if f.next != nil {
			if !f.drain(w) {
				return nil, pipeline.ErrPending
			}
			continue
		}
		response, err := f.call.Poll(w)
		switch {
		case err == pipeline.ErrPending:
			return nil, err
		case err != nil:
			f.leave(err)
		case f.received(response):
			return response, nil
		}
	}
	return nil, f.end
}

// Close cancels the request, unless the response was handed out.
func (f *following) Close() { f.leave(pipeline.ErrClosed) }

// leave is the one way out.
func (f *following) leave(err error) {
	if f.end != nil {
		return
	}
	call, held, ownsBody := f.call, f.held, f.ownsBody
	f.end, f.call, f.held, f.next, f.ownsBody = err, nil, nil, nil, false
	if held != nil {
		held.Close()
	}
	if call != nil {
		call.Close()
	}
	if ownsBody {
		f.request.Body.Close()
	}
}

// start makes the first call.
func (f *following) start() {
	target, err := parseTarget(f.request.Target)
	if err != nil {
		f.leave(&Error{Kind: ErrRequest, Upstream: "unknown", Cause: err})
		return
	}
	if total := f.timeouts().Total; total > 0 {
		f.deadline = f.loop.Now() + total
	}
	hop := &redirectable{method: f.request.Method, url: target, host: f.request.Host, fields: f.request.Fields}
	switch {
	case f.again != nil:
		hop.body = keptBody
	case f.request.Body != nil:
		hop.body = streamedBody
	}
	f.ask(hop)
}

func (f *following) timeouts() Timeouts {
	if own := f.request.Timeouts; own != nil {
		return own.withDefaults()
	}
	return f.client.options.Timeouts
}

// ask makes the call for hop.
func (f *following) ask(hop *redirectable) {
	f.hop, f.call, f.next = hop, nil, nil
	sent := &Request{
		Method:   hop.method,
		Target:   hop.url.RequestURI(),
		Host:     hop.host,
		Fields:   hop.fields,
		Upgrade:  f.request.Upgrade,
		Informed: f.request.Informed,
		Timeouts: f.request.Timeouts,
	}
	if sent.Host == "" {
		sent.Host = hop.url.Host
	}
	if f.deadline != 0 {
		left := f.timeouts()
		if left.Total = f.deadline - f.loop.Now(); left.Total <= 0 {
			f.leave(hop.failure(ErrTotalTimeout, nil))
			return
		}
		sent.Timeouts = &left
	}
	upstream, err := f.client.passingUpstream("http://" + hop.url.Host)
	if err != nil {
		f.leave(asError(hop, err))
		return
	}
	if jar := f.client.options.Jar; jar != nil {
		if sent.Fields = withCookies(hop.fields, jar, hop.url); f.end != nil {
			return
		}
	}
	if hop.body != noBody {
		f.giveBody(sent)
	}
	f.call = upstream.Do(f.loop, sent)
}

// giveBody hands the body over to a call.
func (f *following) giveBody(sent *Request) {
	sent.Body = f.request.Body
	if !f.ownsBody {
		sent.Body = f.again()
	}
	f.ownsBody = false
	sent.Length, sent.Trailers, sent.ExpectContinue = f.request.Length, f.request.Trailers, f.request.ExpectContinue
}

// asError returns err if it is an *Error, and otherwise one that says that hop cannot be asked for.
func asError(hop *redirectable, err error) error {
	if own := (*Error)(nil); errors.As(err, &own) {
		return err
	}
	return hop.failure(ErrRequest, err)
}

// received looks at a response, and says whether it is the answer.
func (f *following) received(response *Response) (answer bool) {
	f.held = response
	head := response.Head()
	if jar := f.client.options.Jar; jar != nil {
		if keepCookies(jar, f.hop.url, &head.Fields); f.end != nil {
			return false
		}
	}
	next, err := f.hop.follow(head.Status, &head.Fields, f.client.options.MaxRedirects)
	switch {
	case err != nil:
		f.leave(err)
		return false
	case next == nil:
		response.url = f.hop.url
		f.held = nil
		f.leave(io.EOF)
		return true
	}
	f.next, f.drained = next, 0
	if !head.KeepAlive || response.Length() > maxDrained {
		f.drained = maxDrained
	}
	return false
}

// drain reads the body of a redirect, and asks on when that has ended or is long. It returns false while more is to come.
func (f *following) drain(w pipeline.Waker) bool {
	held := f.held
	for f.drained < maxDrained {
		chunk, err := held.Body.Poll(w)
		if err == pipeline.ErrPending {
			return false
		}
		if err != nil {
			break // where it leads to is known all the same
		}
		f.drained += len(chunk)
	}
	f.held = nil
	if held.Close(); f.end == nil {
		f.ask(f.next)
	}
	return true
}

// URL returns the URL that the response has come from, behind all redirects, and nil if the request was not one of
// Client.Do. It must not be changed.
func (r *Response) URL() *url.URL { return r.url }
