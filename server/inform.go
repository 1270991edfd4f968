package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Inform sends an informational response, such as 103 Early Hints, ahead of the final one
// (RFC 9110, section 15.2). Called within the handler, it leaves before the handler's
// response; later, on the loop, as soon as the client takes it. A client that speaks HTTP/1.0 gets
// none, which is no error (RFC 9110, section 15.2).
//
// It is an error when the final head has been sent, when the status is not from 102 to 199,
// and when a field must not be sent; see [Response.With]. Fields that concern one connection
// only (RFC 9110, section 7.6.1) must not be sent here, whoever they come from.
func (r *Request) Inform(status int, fields ...Field) error {
	if status < 102 || status > 199 {
		return fmt.Errorf("server: the status of an informational response is %d, and must be from 102 to 199", status)
	}
	for _, f := range fields {
		if slices.ContainsFunc(ofOneConnection[:], func(name string) bool { return strings.EqualFold(name, f.Name) }) {
			return fmt.Errorf("server: the informational response %d has the field %s, which concerns one connection only", status, f.Name)
		}
	}
	return r.inform(status, fields)
}

// ofOneConnection are names of fields that nobody may pass on, beside those that checkField refuses.
var ofOneConnection = [...]string{"Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade"}

// inform is Inform for 100 too: a handler of net/http sends that when it likes.
func (r *Request) inform(status int, fields []Field) error {
	x := r.live()
	if x.headSent {
		return fmt.Errorf("server: an informational response %d comes after the head of the final one", status)
	}
	for _, f := range fields {
		if err := checkField(f); err != nil {
			return err
		}
	}
	x.continued = x.continued || status == http.StatusContinue
	if x.parser.Head().Minor == 0 {
		return nil
	}
	b := appendStatusLine(x.informational, status)
	for _, f := range fields {
		b = appendField(b, f)
	}
	x.informational = append(b, "\r\n"...)
	x.core.link.Wake()
	return nil
}

// sendInformational gathers what Inform was given.
func (c *core) sendInformational() {
	x := c.exchange
	if !x.headSent {
		out := c.output()
		out.B = append(out.B, x.informational...)
	}
	x.informational = nil
}
