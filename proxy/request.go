package proxy

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/server"
)

// makeRequest fills in what is sent to the upstream. Nothing of the message's framing is passed on: the
// body is what the server has understood, and the client frames it anew.
func (x *exchange) makeRequest(r *server.Request) error {
	out, o := &x.out, &x.proxy.options
	out.Method = r.Method()
	out.Target = originForm(out.Method, r.Target())
	switch {
	case o.Host != "":
		out.Host = o.Host
	case o.KeepHost:
		if out.Host = r.Host(); strings.IndexByte(out.Host, ',') >= 0 {
			return &server.Error{Code: http.StatusBadRequest, Message: "The host has a comma."}
		}
	}
	if length := r.Length(); length != 0 {
		out.Body, out.Length = r.Body, length
		if length < 0 {
			out.Trailers = x.requestTrailers
		}
	} else if wanted := r.Upgrade(); wanted != "" && upgradePasses(wanted) {
		out.Upgrade = wanted
	}
	if err := x.makeFields(r); err != nil {
		return err
	}
	out.Informed = x.informed
	var err error
	if o.Rewrite != nil {
		err = o.Rewrite(r, out)
	}
	if out.Body != nil { // which Rewrite may have wrapped, and is closed also when that has failed
		x.upload.source = out.Body
		out.Body = &x.upload
	}
	return err
}

// originForm makes of a target what an origin server is sent (RFC 9112, sections 3.2.1 and 3.2.4).
func originForm(method, target string) string {
	if target[0] == '/' || target == "*" {
		return target
	}
	_, rest, _ := strings.Cut(target, "://")
	end := strings.IndexAny(rest, "/?")
	switch {
	case end < 0 && method == http.MethodOptions:
		return "*"
	case end < 0:
		return "/"
	case rest[end] == '?':
		return "/" + rest[end:]
	}
	return rest[end:]
}

// makeFields fills in the fields: first those of the client that go on, then those of this proxy, so
// that nothing the client says can take these away.
func (x *exchange) makeFields(r *server.Request) error {
	fields, from := x.room.fields[:0], r.Fields()
	f := forwarding{options: &x.proxy.options}
	var named, coded bool
	for i := range from.Len() {
		name, value := from.At(i)
		switch kind := kindOf(name); kind {
		case fieldPasses:
			fields = append(fields, parser.Field{Name: name, Value: value})
		case fieldConnection:
			named = named || namesFields(value)
		case fieldExpect:
			x.out.ExpectContinue = x.out.Body != nil && r.Minor() > 0
		case fieldMaxForwards:
			fields = append(fields, parser.Field{Name: name, Value: oneLess(r.Method(), value)})
		case fieldContentEncoding:
			if coded = true; x.out.Body == nil || r.Coded() {
				fields = append(fields, parser.Field{Name: name, Value: value})
			}
		default:
			if f.note(kind, value) {
				fields = append(fields, parser.Field{Name: name, Value: value})
			}
		}
	}
	if named {
		var ok bool
		if fields, ok = dropNamed(fields, from); !ok {
			return &server.Error{Code: http.StatusBadRequest, Message: "The Connection field has too many options."}
		}
		f.forgetNamed(from)
	}
	if coded && !r.Coded() && x.out.Body != nil {
		x.out.Length = -1 // a layer has decoded it, to a length that nobody knows
	}
	fields = f.append(fields, x.room, r)
	if via := x.proxy.via[r.Minor()]; via != "" {
		fields = append(fields, parser.Field{Name: "Via", Value: via})
	}
	x.room.fields, x.out.Fields = fields, fields
	return nil
}

// oneLess counts a Max-Forwards down, which is looked at in OPTIONS only (RFC 9110, section 7.6.2).
func oneLess(method, value string) string {
	if left, err := strconv.ParseUint(value, 10, 63); method == http.MethodOptions && err == nil && left > 0 {
		return strconv.FormatUint(left-1, 10)
	}
	return value
}

// upgradePasses says whether an upgrade is asked for that can be passed on: that to one protocol, and
// not to HTTP/2, whose requests nobody here would see.
func upgradePasses(wanted string) bool {
	return strings.IndexByte(wanted, ',') < 0 && !strings.EqualFold(wanted, "h2c")
}

// requestTrailers returns the fields behind the client's body. The parser has dropped those that
// must not be there (RFC 9110, section 6.5.1).
func (x *exchange) requestTrailers() []parser.Field {
	if x.request == nil {
		return nil
	}
	return passingTrailers(x.request.Trailers())
}

func passingTrailers(from *parser.Fields) []parser.Field {
	var fields []parser.Field
	for name, value := range from.All() {
		if kindOf(name) == fieldPasses {
			fields = append(fields, parser.Field{Name: name, Value: value})
		}
	}
	return fields
}
