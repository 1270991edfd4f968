package proxy

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// passingFields appends the fields of a response that concern more than the upstream's connection. ok
// is false when its Connection field is none that anybody sends.
func passingFields(fields []parser.Field, from *parser.Fields) (passing []parser.Field, ok bool) {
	named := false
	for i := range from.Len() {
		name, value := from.At(i)
		switch kindOf(name) {
		case fieldHop:
		case fieldConnection:
			named = named || namesFields(value)
		default:
			fields = append(fields, parser.Field{Name: name, Value: value})
		}
	}
	if named {
		return dropNamed(fields, from)
	}
	return fields, true
}

// respond makes the response to the client of the upstream's.
func (x *exchange) respond(answer *client.Response) (server.Response, error) {
	head := answer.Head()
	x.answer, x.status = answer, head.Status
	x.target.Answered(head.Status)
	room := x.room
	x.room, x.out.Fields = nil, nil
	defer x.proxy.takeBackRoom(room) // not before the response has the fields
	fields, ok := passingFields(room.answer[:0], &head.Fields)
	if !ok {
		x.answer = nil
		answer.Close()
		return server.Response{}, x.fail(&client.Error{Kind: client.ErrUpstream, Cause: errManyOptions})
	}
	if via := x.proxy.via[head.Minor]; via != "" {
		fields = append(fields, parser.Field{Name: "Via", Value: via})
	}
	room.answer = fields
	var r server.Response
	if head.Status == http.StatusSwitchingProtocols {
		r = x.upgrade(answer)
	} else {
		r = x.stream(answer, head)
	}
	x.answer, x.end = nil, io.EOF
	return r.AddFields(fields), nil
}

var errManyOptions = errors.New("the Connection field of its response has too many options")

// upgrade makes the response that joins the client's connection with the upstream's.
func (x *exchange) upgrade(answer *client.Response) server.Response {
	protocol, d := answer.Head().Fields.Get("Upgrade"), new(download)
	d.begin(x, answer)
	return server.Upgrade(protocol, func(up pipeline.Source[[]byte]) pipeline.Source[[]byte] {
		d.source = answer.Tunnel(up)
		return d
	})
}

// stream makes a response whose body comes from the upstream.
func (x *exchange) stream(answer *client.Response, head *parser.Head) server.Response {
	status, length := head.Status, answer.Length()
	isEvents := isEventStream(head.Fields.Get("Content-Type"))
	_, announced := head.Fields.Lookup("Trailer")
	hasTrailers := head.Chunked && (announced || !isEvents) // they cost an event stream a fifth of its memory
	if x.out.Method == http.MethodHead {
		length = head.ContentLength // of the body that is not sent
	}
	d := &x.download
	if length < 0 {
		d = new(download)
	}
	source, stage := pipeline.Source[[]byte](d), x.proxy.options.Body
	if stage != nil {
		source = stage(d) // before d has anything: it may panic
	}
	d.begin(x, answer)
	r := server.Stream(status, "", source)
	switch {
	case length >= 0 && stage != nil:
		return r
	case length >= 0:
		return r.Length(length)
	}
	answer.ReleaseHead()
	if isEvents {
		d.request = nil
		r = r.OpenEnded()
	}
	if hasTrailers && stage == nil {
		r = r.Trailers(func() []parser.Field { return passingTrailers(answer.Trailers()) })
	}
	return r.ReleaseRequest()
}

// isEventStream says whether a response goes on for as long as the client stays.
func isEventStream(contentType string) bool {
	const eventStream = "text/event-stream"
	return len(contentType) >= len(eventStream) && strings.EqualFold(contentType[:len(eventStream)], eventStream)
}

// informed passes an informational response on, without what concerns the upstream's connection, and
// without Trailer, behind which nothing comes.
func (x *exchange) informed(head *parser.Head) {
	fields, ok := passingFields(nil, &head.Fields)
	if !ok || x.request == nil {
		return
	}
	fields = dropField(fields, "Trailer")
	if err := x.request.Inform(head.Status, fields...); err != nil {
		x.proxy.options.Logger.Warn("proxy: an informational response was not passed on", "error", err)
	}
}
