package client

import (
	"fmt"
	"strings"

	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// A Request is what is to be sent. The client does not change it, and reads it until the source
// that Do has returned is closed or has given the response and the body has been sent.
type Request struct {
	// Method is sent as it is; "" is GET.
	Method string

	// Target is the request-target (RFC 9112, section 3.2): for Upstream.Do what is sent, such
	// as "/path?query", for Client.Do an absolute URL.
	Target string

	// Host is the value of the Host field; "" is the upstream's authority.
	Host string

	// Fields are sent in this order behind Host. Content-Length, Transfer-Encoding, Connection,
	// Upgrade, Expect and Host are the client's own, and a request that has one is refused with ErrRequest.
	Fields []parser.Field

	// Body gives the content as the upstream takes it; nil is none. Each chunk must be valid until
	// it is polled again. The client closes it, once, whatever becomes of the request. An
	// error that it ends with cuts the request off, so that the upstream sees it cut, and is
	// what Do fails with.
	Body pipeline.Source[[]byte]

	// Length is how many bytes Body gives. A negative Length is not known: the body is sent
	// with the chunked coding.
	Length int64

	// Trailers, when not nil, is called when a chunked Body has ended, for the fields that
	// follow it (RFC 9112, section 7.1.2).
	Trailers func() []parser.Field

	// ExpectContinue has the body wait until the upstream asks for it with 100 (Continue), or
	// Timeouts.Continue is over (RFC 9110, section 10.1.1). A final answer before that means
	// that the body is not sent.
	ExpectContinue bool

	// Upgrade, when not "", asks for another protocol on this connection (RFC 9110,
	// section 7.8). A response 101 is then handed over, see Response.Tunnel. The request has no
	// Body.
	Upgrade string

	// Informed, when not nil, is called for each informational response but 100 and 101, on
	// the loop while the source of Do is polled. The head is valid during the call.
	Informed func(*parser.Head)

	// Timeouts, when not nil, take the place of the client's.
	Timeouts *Timeouts
}

// ownFields belong to the client.
var ownFields = [...]string{"Host", "Connection", "Content-Length", "Transfer-Encoding", "Upgrade", "Expect"}

// check returns why a request cannot be sent, or nil.
func (r *Request) check() error {
	switch {
	case r.Method != "" && !parser.ValidToken(r.Method):
		return fmt.Errorf("client: the method %q is not a token (RFC 9110, section 9.1)", r.Method)
	case r.Method == "CONNECT":
		return fmt.Errorf("client: the method CONNECT is not supported")
	case !parser.ValidTarget(r.Target) || r.Target[0] != '/' && (r.Target != "*" || r.Method != "OPTIONS"):
		return fmt.Errorf("client: the request-target is %q, and must be a path that begins with a slash, or * with OPTIONS (RFC 9112, section 3.2)", r.Target)
	case !parser.ValidValue(r.Host) || strings.ContainsAny(r.Host, " \t/?#@,"):
		return fmt.Errorf("client: the host %q has a character that no authority has", r.Host)
	case r.Upgrade != "" && (!parser.ValidValue(r.Upgrade) || r.Body != nil):
		return fmt.Errorf("client: a request that asks for the protocol %q must be without a body, and its name without control characters", r.Upgrade)
	}
	for i := range r.Fields {
		if err := checkField(&r.Fields[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkField(f *parser.Field) error {
	if !parser.ValidToken(f.Name) {
		return fmt.Errorf("client: the field name %q is not a token (RFC 9110, section 5.1)", f.Name)
	}
	if !parser.ValidValue(f.Value) {
		return fmt.Errorf("client: the value %q of the field %s has a control character", f.Value, f.Name)
	}
	switch len(f.Name) {
	case len("Host"), len("Connection"), len("Content-Length"), len("Transfer-Encoding"), len("Upgrade"), len("Expect"):
		for _, name := range ownFields {
			if strings.EqualFold(f.Name, name) {
				return fmt.Errorf("client: the request sets the field %s, which belongs to the client", name)
			}
		}
	}
	return nil
}

// expectsContinue says whether the body waits to be asked for. A request without content must not
// have it wait (RFC 9110, section 10.1.1).
func (r *Request) expectsContinue() bool { return r.ExpectContinue && r.Body != nil && r.Length != 0 }

// idempotent says whether sending the request twice is the same as sending it once (RFC 9110,
// section 9.2.2).
func (r *Request) idempotent() bool {
	switch r.Method {
	case "", "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}
