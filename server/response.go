package server

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"strings"
	"time"

	"github.com/penstock-go/penstock/pipeline"
)

// A Handler answers a request. It runs on the loop that owns the connection, as
// soon as the request's head is there, and must not block: what has to wait is
// put into the response as a source ([Later], [Stream]).
//
// The request is valid until the response is finished, or until that gives it back (see
// [Response.ReleaseRequest]); strings taken from it are valid for ever.
type Handler func(*Request) Response

// A Response is what a handler answers: a value, complete when it is returned.
// The constructors make one, the methods give a changed copy; a response can be
// kept and returned many times unless it owns a source or a file.
//
// What a message's framing needs (Content-Length, Transfer-Encoding, Connection)
// is set by the server, and so are Server and Date unless the response has them.
type Response struct {
	outline outline
	text    string
	body    []byte
	fields  *fieldNode
	flow    *flow
}

// outline packs what is small of a response into one word: with it a Response has eight
// words, and Go returns such a struct in registers.
type outline uint32

const (
	outlineStatus outline = 0xffff // the low bits

	kindComplete outline = 0 << 16
	kindStream   outline = 1 << 16
	kindFile     outline = 2 << 16
	kindLater    outline = 3 << 16
	kindError    outline = 4 << 16
	kindHijack   outline = 5 << 16
	kindUpgrade  outline = 6 << 16
	outlineKind  outline = 7 << 16

	// The usual content types; any other is a field.
	hasText outline = 1 << 20
	hasJSON outline = 1 << 21

	closesAfter     outline = 1 << 24
	isOpenEnded     outline = 1 << 25
	releasesRequest outline = 1 << 26 // see Response.ReleaseRequest
	isEvents        outline = 1 << 27
)

// outlineOf keeps a status that is out of range out of range.
func outlineOf(status int) outline { return outline(min(max(status, 0), int(outlineStatus))) }

func (o outline) status() int           { return int(o & outlineStatus) }
func (o outline) kind() outline         { return o & outlineKind }
func (o outline) has(flag outline) bool { return o&flag != 0 }

// contentType returns the content type that the outline says, or "".
func (o outline) contentType() string {
	switch {
	case o.has(hasText):
		return typeText
	case o.has(hasJSON):
		return typeJSON
	}
	return ""
}

// withType returns the response with a content type.
func (r Response) withType(contentType string) Response {
	switch contentType {
	case "":
	case typeText:
		r.outline |= hasText
	case typeJSON:
		r.outline |= hasJSON
	default:
		r.fields = &fieldNode{field: Field{Name: "Content-Type", Value: contentType}, earlier: r.fields}
	}
	return r
}

// flow holds what only responses have that are not complete when they are
// returned; it keeps Response small to copy. While the body of a stream is sent it is
// also what the core knows of that: an event stream that waits holds nothing else.
type flow struct {
	source pipeline.Source[[]byte]
	length int64         // declared, or -1
	ping   time.Duration // of an event stream: how long it may be silent; 0: for ever
	extra  *flowExtra    // nil for most streams

	sent      int64                   // bytes of the body handed out
	cancel    context.CancelCauseFunc // of the request's context, once the request is released
	framing   framing
	keepAlive bool      // once the request is released
	openEnded bool      // once the request is released
	added     additions // unless there is an inlet for them
}

// flowExtra is what most streams do not have.
type flowExtra struct {
	trailers func() []Field
	inlet    *inlet // nil unless the body has stages
	later    pipeline.Source[Response]
	file     *os.File
	offset   int64
	err      error
	hijack   func(net.Conn, []byte, error)
	upgrade  *upgrade
	onFinish func(status int, bytes int64) // of the request, once that is released
	status   int                           // sent, once the request is released
}

// withExtra returns a flow that has an extra, made in one piece.
func withExtra(length int64, extra flowExtra) *flow {
	both := &struct {
		flow
		flowExtra
	}{flow{length: length}, extra}
	both.flow.extra = &both.flowExtra
	return &both.flow
}

// copyExtra returns the extra of a flow that is to be changed.
func (f *flow) copyExtra() *flowExtra {
	if f.extra == nil {
		return new(flowExtra)
	}
	extra := *f.extra
	return &extra
}

// trailers returns the fields behind the body.
func (f *flow) trailers() []Field {
	if f.extra == nil || f.extra.trailers == nil {
		return nil
	}
	return f.extra.trailers()
}

const (
	typeText = "text/plain; charset=utf-8"
	typeJSON = "application/json"
)

// Text is a complete response with body as text/plain in UTF-8.
func Text(status int, body string) Response {
	return Response{outline: outlineOf(status) | hasText, text: body}
}

// Bytes is a complete response. The body is read, not kept, until it has been
// sent: it must not be changed afterwards. An empty contentType sends no
// Content-Type field.
func Bytes(status int, contentType string, body []byte) Response {
	return Response{outline: outlineOf(status), body: body}.withType(contentType)
}

// JSON is a complete response with v as encoding/json writes it. When v cannot
// be encoded the answer is a 500 and a log line.
func JSON(status int, v any) Response {
	body, err := json.Marshal(v)
	if err != nil {
		return Fail(err)
	}
	return Response{outline: outlineOf(status) | hasJSON, body: body}
}

// Empty is a response without content.
func Empty(status int) Response { return Response{outline: outlineOf(status)} }

// Redirect is a response without content whose Location field is target (RFC
// 9110, section 10.2.2). A target with a control character is refused as any
// field value is: with a 500 and a log line.
func Redirect(status int, target string) Response {
	return Empty(status).With("Location", target)
}

// Stream is a response whose body is what source gives until io.EOF. The source
// is polled only while the client takes what it was sent, and is closed when the
// exchange ends, however it ends. Each chunk must be valid until the source is
// polled again.
//
// The length being unknown, the body is sent with the chunked coding, or, to a
// client that speaks HTTP/1.0, until the connection is closed. [Response.Length]
// declares a length.
//
// The head is sent with the first chunk, or as soon as the source says
// [pipeline.ErrPending]; an error before that decides the status.
func Stream(status int, contentType string, source pipeline.Source[[]byte]) Response {
	return Response{
		outline: outlineOf(status) | kindStream,
		flow:    &flow{source: source, length: -1},
	}.withType(contentType)
}

// Later is a response that is still to come: source is polled for one value,
// then closed. An error that it ends with is answered as [Fail] answers it. What
// the response that came goes on reading, it must own itself.
func Later(source pipeline.Source[Response]) Response {
	return Response{outline: kindLater, flow: withExtra(-1, flowExtra{later: source})}
}

// File is a response whose body is the length bytes of file from offset, sent
// with sendfile(2) where the system has it. The file is closed when the exchange
// ends. A file that turns out to be shorter closes the connection.
func File(status int, contentType string, file *os.File, offset, length int64) Response {
	return Response{
		outline: outlineOf(status) | kindFile,
		flow:    withExtra(length, flowExtra{file: file, offset: offset}),
	}.withType(contentType)
}

// Fail is the answer to an error: the status of its method Status() int, or 500,
// with the sentence of its method Public() string as text/plain, or the status's
// own phrase; or what its method Response() Response returns. An error that has neither Public
// nor Response is logged.
func Fail(err error) Response {
	return Response{outline: kindError, flow: withExtra(-1, flowExtra{err: err})}
}

// Status returns the status code, or 0 while it is still to come.
func (r Response) Status() int { return r.outline.status() }

// With returns the response with a field set: it replaces fields of the same
// name that were set before. A name that is not a token, and a value with CR, LF,
// NUL or another control character, are refused when the response is sent: with a
// 500 and a log line in place of it. Content-Length, Transfer-Encoding and
// Connection are refused likewise: they belong to the server.
func (r Response) With(name, value string) Response { return r.withField(name, value, true) }

// Add returns the response with one more field; fields of the same name stay.
// What With says of names and values holds.
func (r Response) Add(name, value string) Response { return r.withField(name, value, false) }

func (r Response) withField(name, value string, replaces bool) Response {
	if strings.EqualFold(name, "Content-Type") {
		r.outline &^= hasText | hasJSON
	}
	r.fields = &fieldNode{field: Field{Name: name, Value: value}, replaces: replaces, earlier: r.fields}
	return r
}

// AddFields returns the response with these fields behind those that it has, as [Response.Add] called for
// each of them would, but for less. The slice may be used again afterwards.
func (r Response) AddFields(fields []Field) Response {
	nodes := make([]fieldNode, len(fields))
	for i, f := range fields {
		if strings.EqualFold(f.Name, "Content-Type") {
			r.outline &^= hasText | hasJSON
		}
		nodes[i] = fieldNode{field: f, earlier: r.fields}
		r.fields = &nodes[i]
	}
	return r
}

// Length declares how many bytes the body of a [Stream] has: it is then sent
// with Content-Length. A source that gives less or more gets its connection
// closed, and a log line. Other responses know their length.
func (r Response) Length(bytes int64) Response {
	if r.outline.kind() == kindStream {
		f := *r.flow
		f.length = bytes
		r.flow = &f
	}
	return r
}

// Trailers has trailers called when the body of a [Stream] has ended, and sends
// what it returns behind a chunked body (RFC 9112, section 7.1.2). Where the body
// is not chunked they are not sent.
func (r Response) Trailers(trailers func() []Field) Response {
	if r.outline.kind() == kindStream {
		f := *r.flow
		f.extra = f.copyExtra()
		f.extra.trailers = trailers
		r.flow = &f
	}
	return r
}

// Close returns the response with the promise that the connection is closed
// after it (Connection: close).
func (r Response) Close() Response {
	r.outline |= closesAfter
	return r
}

// OpenEnded marks a response that ends only when the client leaves: an event
// stream, a long poll. For any other, a client that closes its sending side has
// merely said that it sends no more, and still gets the answer; for this one it
// has left, and the exchange is cancelled.
func (r Response) OpenEnded() Response {
	r.outline |= isOpenEnded
	return r
}

// ReleaseRequest has the [Request] of a [Stream] given back as soon as the stream has to wait:
// for a stream that is often silent, of which there may be many. Then it holds its connection
// and its source, and neither the request nor a parser.
//
// With it the request is valid until the head of the response has been sent, not until the
// body has ended: what the source needs of the request it takes out before. Only the Body
// may be read on: the request is given back when it has been received to its end, the head of the
// response has been sent, and the source has said [pipeline.ErrPending].
//
// With [Hooks].Response it is not given back. [Events] and [Upgrade] give theirs back without
// being asked. Other responses are returned as they are.
func (r Response) ReleaseRequest() Response {
	if r.outline.kind() == kindStream {
		r.outline |= releasesRequest
	}
	return r
}
