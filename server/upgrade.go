package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
)

// Upgrade is a response that changes the protocol of the connection (RFC 9110, section 7.8):
// it is sent with status 101, and from then on stage is the protocol. What stage reads are the
// bytes that the client sends, beginning right behind the request; what it gives is sent to the
// client.
//
// protocol is a name such as "websocket", and must be one of those that the client asks for
// (see [Request.Upgrade]), compared without regard to case. Otherwise, and in answer to HEAD,
// and when the request's body was not read to its end, the answer is a 500 with a log line in
// place of it. fields are sent besides Connection and Upgrade, and so are those of
// [Response.With] and [Response.Add].
//
// stage is called once for each request that is answered so, on the loop, also when there is no
// upgrade: then what it made is closed without having been polled. So a stage may own something.
// What it made is polled only while the client takes what it was sent. The client's bytes are
// read only when the input of stage is polled: on the loop, by the stage or by somebody else.
//
// The two directions end on their own:
//
//   - The client ends its side: the input gives io.EOF. What stage gives is still sent.
//   - The stage ends with io.EOF: the client gets FIN. The input can be read on, until nothing
//     was read of it for [Options].LingerTimeout. A stage that wants no more closes its input.
//   - Both have ended, or the input was closed: the connection is closed.
//   - The stage ends with another error: the connection is reset, and that is logged.
//   - The client resets the connection, or takes nothing for the write timeout: stage is closed.
//
// No other time runs. [Server.Shutdown] waits for the end, and closes stage when its context is
// done. For [Hooks] and [Request.OnFinish] the response has status 101, and the bytes of its body
// are those that stage gave. The request is valid until the 101 has been sent, as with
// [Response.ReleaseRequest].
func Upgrade(protocol string, stage pipeline.Stage[[]byte, []byte], fields ...Field) Response {
	r := Response{
		outline: http.StatusSwitchingProtocols | kindUpgrade | releasesRequest,
		flow:    withExtra(-1, flowExtra{upgrade: &upgrade{protocol, stage}}),
	}
	for _, f := range fields {
		r = r.Add(f.Name, f.Value)
	}
	return r
}

// upgrade is what an Upgrade consists of.
type upgrade struct {
	protocol string
	stage    pipeline.Stage[[]byte, []byte]
}

// discard releases what the stage of an upgrade that does not take place may own.
func (u *upgrade) discard() { u.stage(pipeline.Fail[[]byte](pipeline.ErrClosed)).Close() }

// Upgrade returns the protocols that the client asks to change to, as a list with commas in the
// order in which it prefers them (RFC 9110, section 7.8); "" when it asks for none: there is
// no Upgrade field, the Connection field does not name it, or the client speaks HTTP/1.0.
func (r *Request) Upgrade() string {
	head := r.head()
	if !head.Upgrade {
		return ""
	}
	list := ""
	for value := range head.Fields.Values("Upgrade") {
		if list != "" && value != "" {
			list += ", "
		}
		list += value
	}
	return list
}

// asksFor says whether the client asks for this protocol.
func (r *Request) asksFor(protocol string) bool {
	for wanted := range strings.SplitSeq(r.Upgrade(), ",") {
		if wanted = strings.Trim(wanted, " \t"); wanted != "" && strings.EqualFold(wanted, protocol) {
			return true
		}
	}
	return false
}

// respondUpgrade sends the head of an Upgrade and begins its tunnel. The stage has been
// called when something is found to be wrong, so that it is closed as that of any stream.
func (c *core) respondUpgrade(r *Response) progress {
	x, u := c.exchange, r.flow.extra.upgrade
	made := &struct {
		flow
		tunnel
	}{flow: flow{length: -1, framing: framingUntilClose}}
	t := &made.tunnel
	made.flow.source = t
	t.output = u.stage((*tunnelInput)(t))
	x.response, c.stream = *r, &made.flow
	if err := x.checkUpgrade(u.protocol, r); err != nil {
		return c.respondError(err)
	}
	if err := c.encodeUpgrade(u.protocol, r); err != nil {
		return c.respondError(err)
	}
	if x.body != nil {
		x.body.end(io.EOF)
	}
	t.core, t.rest = c, bytes.Clone(x.parser.Rest())
	x.parser.Feed(nil)
	x.borrows, x.inputWaker, x.watcher = false, nil, nil
	c.state = stateTunnel
	return advanced
}

// checkUpgrade returns why the request cannot be answered with an upgrade to protocol, or nil.
func (x *exchange) checkUpgrade(protocol string, r *Response) error {
	if !x.request.asksFor(protocol) {
		return fmt.Errorf("server: the upgrade to %q was not asked for: the client's Connection and Upgrade fields ask for %q",
			protocol, x.request.Upgrade())
	}
	if x.parser.Head().Method == http.MethodHead {
		return fmt.Errorf("server: the upgrade to %q answers HEAD, behind which there can be nothing but another request", protocol)
	}
	if !x.wasReceived() {
		return fmt.Errorf("server: the upgrade to %q comes before the request's body was read to its end", protocol)
	}
	if _, found := r.Field("Upgrade"); found {
		return fmt.Errorf("server: the upgrade to %q sets the field Upgrade, which belongs to the server", protocol)
	}
	return nil
}

// wasReceived says whether the request has been read, and if so, has it end: who reads a
// body whose length was declared need not ask for its end.
func (x *exchange) wasReceived() bool { return x.received || x.wasRead() && x.discardFed() }

// encodeUpgrade appends the head of the response.
func (c *core) encodeUpgrade(protocol string, r *Response) error {
	x := c.exchange
	if x.informational != nil {
		c.sendInformational()
	}
	c.out = c.output()
	if err := c.encodeOwnFields(r); err != nil {
		return err
	}
	c.out.B = appendField(c.out.B, Field{Name: "Connection", Value: "Upgrade"})
	c.out.B = append(appendField(c.out.B, Field{Name: "Upgrade", Value: protocol}), "\r\n"...)
	x.headSent, x.status = true, http.StatusSwitchingProtocols
	x.framing, x.keepAlive, x.openEnded = framingUntilClose, false, false
	return nil
}
