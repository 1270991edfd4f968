package server

import (
	"io"
	"iter"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
)

// What a layer needs to look at a response that a handler has returned, and to change it.

// Map returns the response that f makes of this one when it is there: at once, or, for a
// [Later], when its source has given it. If that ends with an error, f gets the [Fail] of
// it. So f never sees a Later, and sees what will be sent but for what only the sending
// shows, such as a stream that fails. f runs on the loop.
func (r Response) Map(f func(Response) Response) Response {
	if r.outline.kind() != kindLater {
		return f(r)
	}
	return r.MapLater(func(source pipeline.Source[Response]) pipeline.Source[Response] {
		return &mappedResponse{source: source, f: f}
	})
}

// mappedResponse gives one response, through f. Owned by the loop goroutine.
type mappedResponse struct {
	source pipeline.Source[Response] // nil once closed; it gives no Later
	f      func(Response) Response
	end    error
}

func (m *mappedResponse) Poll(w pipeline.Waker) (Response, error) {
	if m.end != nil {
		return Response{}, m.end
	}
	r, err := m.source.Poll(w)
	switch err {
	case nil:
	case pipeline.ErrPending:
		return Response{}, err
	default:
		r = Fail(laterFailed(err))
	}
	m.end = io.EOF
	return m.f(r), nil
}

func (m *mappedResponse) Close() {
	if m.end == nil {
		m.end = pipeline.ErrClosed
	}
	if source := m.source; source != nil {
		m.source = nil
		source.Close()
	}
}

// Err returns the error of a [Fail], or nil.
func (r Response) Err() error {
	if r.outline.kind() != kindError {
		return nil
	}
	return r.flow.extra.err
}

// Field returns the value of the field line of this name that was set last, the name being
// compared without regard to case. It is right for a field that is sent once, such as
// Content-Type or ETag; of one that may have several lines, such as Vary, Cache-Control or
// Set-Cookie, it is the last line only, and [Response.Values] gives them all. The fields that
// belong to the server are not found.
func (r Response) Field(name string) (value string, found bool) {
	for n := r.fields; n != nil; n = n.earlier {
		if strings.EqualFold(n.field.Name, name) {
			return n.field.Value, true
		}
	}
	if t := r.outline.contentType(); t != "" && strings.EqualFold(name, "Content-Type") {
		return t, true
	}
	return "", false
}

// Values gives the value of each field line of this name, in the order in which they are
// sent, the name being compared without regard to case. The lines of a field whose value is a
// list are one list together (RFC 9110, section 5.3). The fields that belong to the server
// are not among them.
func (r Response) Values(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n, value := range r.Fields() {
			if strings.EqualFold(n, name) && !yield(value) {
				return
			}
		}
	}
}

// Complete returns the body of a response that is all there ([Text], [Bytes], [JSON],
// [Empty]). It must not be changed. found is false for every other response.
func (r Response) Complete() (body []byte, found bool) {
	if r.outline.kind() != kindComplete {
		return nil, false
	}
	if r.body == nil {
		return []byte(r.text), true
	}
	return r.body, true
}

// WithBody returns a complete response, with this body in place of its own; status and
// fields stay. What [Bytes] says of body holds. Other responses are returned as they are.
func (r Response) WithBody(body []byte) Response {
	if r.outline.kind() == kindComplete {
		r.text, r.body = "", body
	}
	return r
}

// MapBody returns a [Stream], or an [Events], whose source is what stage makes of its own. Its declared
// length is gone. Other responses are returned as they are.
//
// The stage sees the whole body: also the comments of a silent event stream (see
// [Response.Ping]), and the io.EOF with which [Server.Shutdown] ends a response that is open-ended.
func (r Response) MapBody(stage pipeline.Stage[[]byte, []byte]) Response {
	if r.outline.kind() == kindStream {
		f := *r.flow
		f.addInlet()
		f.source, f.length = stage(f.source), -1
		r.flow = &f
	}
	return r
}

// Streams says whether the response is a [Stream] or an [Events], and the length that it
// declares: -1 for none.
func (r Response) Streams() (length int64, streams bool) {
	if r.outline.kind() != kindStream {
		return 0, false
	}
	return r.flow.length, true
}
