package client

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/penstock-go/penstock/loop"
	"github.com/penstock-go/penstock/parser"
	"github.com/penstock-go/penstock/pipeline"
)

// The way of a call from its connection to the head of its final response.

// maxInformational is how many informational responses an upstream may send to one request. One
// or two are usual.
const maxInformational = 64

// readHead reads until the call is not asking any more, or until nothing more has come: then it
// returns false.
func (c *call) readHead() bool {
	for c.state == callAsking {
		switch event, err := c.parser.Next(); {
		case err != nil:
			c.broke(err)
		case event == parser.HeadReady:
			c.headReady(c.parser.Head())
		case event == parser.End: // of an informational response
			c.parser.Restart()
		default:
			if err := c.conn.fill(); err == loop.ErrAgain {
				c.conn.releaseInput()
				return false
			} else if err != nil {
				c.broke(err)
			}
		}
	}
	return true
}

// headReady looks at a head that has come.
func (c *call) headReady(head *parser.Head) {
	switch {
	case head.Status == 101:
		c.switchProtocols(head)
	case head.Status < 200:
		c.inform(head)
	default:
		c.answered(head)
	}
}

// inform takes note of an informational response.
func (c *call) inform(head *parser.Head) {
	if c.informed++; c.informed > maxInformational {
		cause := fmt.Errorf("it has sent more than %d informational responses to one request", maxInformational)
		c.fail(c.failure(ErrUpstream, cause))
		return
	}
	if head.Status == 100 {
		c.conn.goOn()
	} else if informed := c.request.Informed; informed != nil {
		informed(head)
	}
}

// answered is the head of the final response. What was not sent of the request by now is sent on
// only if that was asked for: behind any other answer than a successful one nobody wants it.
func (c *call) answered(head *parser.Head) {
	k := c.conn
	c.begin((*responseBody)(c))
	if k.sender.state == senderAwaitsContinue || head.Status >= 300 && !k.sender.complete() {
		k.stopSending()
	}
}

// begin makes the response.
func (c *call) begin(body pipeline.Source[[]byte]) {
	c.state, c.readDeadline = callAnswered, 0
	status := c.parser.Head().Status
	c.bodiless = status == 101 || status == 204 || status == 304 || c.request.Method == "HEAD"
	c.response = Response{Body: body, call: c}
	if len(c.parser.Rest()) > 0 {
		c.conn.Wake() // see keepRest
	}
}

// switchProtocols begins the protocol that was asked for. From here on the upstream may be silent for
// as long as it likes.
func (c *call) switchProtocols(head *parser.Head) {
	if err := c.checkSwitch(head); err != nil {
		c.fail(c.failure(ErrUpstream, err))
		return
	}
	c.totalDeadline, c.down = 0, true
	c.begin((*tunnel)(c))
}

// checkSwitch returns why a 101 is no answer to the request, or nil (RFC 9110, section 15.2.2).
func (c *call) checkSwitch(head *parser.Head) error {
	if c.request.Upgrade == "" {
		return errors.New("it switches to a protocol that it was not asked for")
	}
	protocol := head.Fields.Get("Upgrade")
	for asked := range strings.SplitSeq(c.request.Upgrade, ",") {
		if head.Upgrade && protocol != "" && strings.EqualFold(strings.Trim(asked, " \t"), protocol) {
			return nil
		}
	}
	return fmt.Errorf("it was asked for the protocol %q, and switches to %q", c.request.Upgrade, protocol)
}

// broke is a failure of the connection before the answer. A kept connection that breaks without
// a word was closed by the upstream while the request was on its way: it is tried once more if it
// can be.
func (c *call) broke(cause error) {
	k := c.conn
	unanswered := !c.heard && k.sender.repeatable(c.request)
	if k.calls == 1 || c.retried || !unanswered {
		c.fail(&Error{Kind: ErrUpstream, Upstream: c.pool.upstream.address, Cause: describeBroken(cause), Unanswered: unanswered})
		return
	}
	c.retried = true
	if k.sender.source != nil {
		k.sender.source, c.bodyTaken = nil, false
	}
	c.giveParserBack()
	c.conn, k.call = nil, nil
	c.state, c.readDeadline, c.writeDeadline = callWaiting, 0, 0
	k.releaseInput()
	c.pool.acquireNew(c, k)
	c.setTimer()
}

// repeatable says whether a request may be sent again of which the upstream has said nothing: its
// body is still whole, and it was not received, or being received twice makes no difference.
func (s *sender) repeatable(r *Request) bool {
	return !s.polled && (!s.begun || r.idempotent())
}

func describeBroken(cause error) error {
	if cause == io.EOF {
		return errors.New("it has closed the connection without an answer")
	}
	return cause
}
