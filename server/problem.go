package server

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// Problem is an error that tells the client what was wrong as application/problem+json
// (RFC 9457). A handler returns it through [Fail], a stage ends with it. Everything in it
// but Cause is sent to the client as it is.
type Problem struct {
	Type     string // URI reference that names the kind of problem; "" is "about:blank", a problem that its status says all about
	Title    string // what kind of problem it is, the same each time; "" with an empty Type is the status's own phrase
	Code     int    // status code; one that is not from 400 to 599 is sent as 500
	Detail   string // a sentence about this occurrence
	Instance string // URI reference that names this occurrence

	// Errors says what was wrong with the parts of the content, in the member "errors".
	Errors []FieldError

	// Extensions are further members. One with the name of a member above, and one that
	// encoding/json refuses, is left out.
	Extensions map[string]any

	// Fields are fields of the response besides its Content-Type, such as the Accept of a 415
	// (RFC 9110, section 15.5.16). What [Response.With] says of names and values holds.
	Fields []Field

	// Cause is what errors.Is and errors.As find behind the problem. It is not sent.
	Cause error
}

// FieldError says what is wrong with one part of a request's content (RFC 9457, section
// 3.1 shows it). It is an error, so that several can be joined with errors.Join.
type FieldError struct {
	Pointer string `json:"pointer,omitempty"` // the part: a JSON Pointer as a URI fragment (RFC 6901, section 6), such as "#/items/0/name"
	Detail  string `json:"detail"`            // what is wrong with it
}

func (e FieldError) Error() string {
	if e.Pointer == "" {
		return e.Detail
	}
	return e.Pointer + ": " + e.Detail
}

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.title()
	}
	return p.title() + ": " + p.Detail
}

// Unwrap returns the Cause.
func (p *Problem) Unwrap() error { return p.Cause }

// Status returns the status code to answer.
func (p *Problem) Status() int {
	if p.Code < 400 || p.Code > 599 {
		return http.StatusInternalServerError
	}
	return p.Code
}

// Public returns the sentence for a client that is answered in plain text.
func (p *Problem) Public() string {
	if p.Detail == "" {
		return p.title()
	}
	return p.Detail
}

func (p *Problem) title() string {
	switch {
	case p.Title != "":
		return p.Title
	case p.Type != "" && p.Type != aboutBlank:
		return p.Type
	}
	if text := http.StatusText(p.Status()); text != "" {
		return text
	}
	return "Error"
}

// Response returns the problem as the answer that [Fail] makes of it: a complete response
// whose body is always a valid JSON object.
func (p *Problem) Response() Response {
	r := Bytes(p.Status(), "application/problem+json", p.encode())
	for _, f := range p.Fields {
		r = r.Add(f.Name, f.Value)
	}
	return r
}

const aboutBlank = "about:blank"

// problemMembers are the members that the fields of a Problem are sent as.
var problemMembers = []string{"type", "title", "status", "detail", "instance", "errors"}

// encode returns the JSON object. Each member is encoded by itself, so that one that cannot
// be encoded spoils no other.
func (p *Problem) encode() []byte {
	var b []byte
	member := func(name string, value any) {
		encoded, err := json.Marshal(value)
		if err != nil {
			return
		}
		separator := byte(',')
		if b == nil {
			separator = '{'
		}
		key, _ := json.Marshal(name) // a string never fails
		b = append(append(append(append(b, separator), key...), ':'), encoded...)
	}
	optional := func(name, value string) {
		if value != "" {
			member(name, value)
		}
	}
	optional("type", p.Type)
	if p.Title != "" || p.Type == "" || p.Type == aboutBlank {
		member("title", p.title())
	}
	member("status", p.Status())
	optional("detail", p.Detail)
	optional("instance", p.Instance)
	if len(p.Errors) > 0 {
		member("errors", p.Errors)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Extensions)) {
		if !slices.Contains(problemMembers, name) {
			member(name, p.Extensions[name])
		}
	}
	return append(b, '}')
}
