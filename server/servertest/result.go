package servertest

import (
	"io"
	"strings"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/server"
)

// A Result is an answer as its client has understood it.
type Result struct {
	Status        int
	Fields        []server.Field // in the order and case in which they were sent
	Body          string         // without framing
	Trailers      []server.Field // of a chunked body (RFC 9112, section 7.1.2)
	Informational []Informational
	Complete      bool // false: the connection ended before the answer did
	Closed        bool // the answer says that the connection is closed behind it
}

// Informational is the head of a 1xx response that came ahead of the answer (RFC 9110,
// section 15.2).
type Informational struct {
	Status int
	Fields []server.Field
}

// Field returns the value of the first field of this name, compared without regard to
// case, or "".
func (r *Result) Field(name string) string {
	for _, f := range r.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// resultReader reads one answer.
type resultReader struct {
	read   Result // but for its body
	body   strings.Builder
	parser parser.Parser
	rest   string // what came behind the answer
	err    error  // what came is no answer
}

// newResultReader reads the answer to a request with this method.
func newResultReader(method string) *resultReader {
	r := &resultReader{}
	r.parser.Init(parser.Response, nil)
	r.parser.AnswerTo(method)
	return r
}

// result is what was read by now. It is valid until more is read.
func (r *resultReader) result() *Result {
	r.read.Body = r.body.String()
	return &r.read
}

// ended says whether there is nothing more to read.
func (r *resultReader) ended() bool { return r.read.Complete || r.err != nil }

// feed reads what has come.
func (r *resultReader) feed(data string) {
	if r.ended() {
		r.rest += data
		return
	}
	r.parser.Feed([]byte(data))
	r.parse()
}

// feedEOF says that nothing more comes.
func (r *resultReader) feedEOF() {
	if !r.ended() {
		r.parser.FeedEOF()
		r.parse()
	}
}

func (r *resultReader) parse() {
	for {
		event, err := r.parser.Next()
		switch {
		case err != nil:
			if r.err = err; r.read.Status == 0 && err == io.EOF {
				r.err = io.ErrUnexpectedEOF
			}
			return
		case event == parser.NeedData:
			return
		case event == parser.HeadReady:
			r.head()
		case event == parser.BodyData:
			r.body.Write(r.parser.Data())
		case event == parser.End && r.read.Status == 0:
			r.parser.Restart() // behind an informational response
		case event == parser.End:
			r.read.Complete = true
			r.read.Trailers = fieldsOf(r.parser.Trailers())
			r.rest = string(r.parser.Rest())
			return
		}
	}
}

func (r *resultReader) head() {
	head := r.parser.Head()
	fields := fieldsOf(&head.Fields)
	if head.Status < 200 && head.Status != 101 {
		r.read.Informational = append(r.read.Informational, Informational{head.Status, fields})
		return
	}
	r.read.Status, r.read.Fields, r.read.Closed = head.Status, fields, !head.KeepAlive
}

func fieldsOf(fields *parser.Fields) []server.Field {
	var list []server.Field
	for name, value := range fields.All() {
		list = append(list, server.Field{Name: name, Value: value})
	}
	return list
}
