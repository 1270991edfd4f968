package proxy

import (
	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/server"
)

// A Picker chooses where a request goes. The handlers of all loops may share one.
type Picker interface {
	// Pick returns the target for r. It is called on the loop of r and must not block. failed are
	// the upstreams that this request could not be sent to so far, and nil at its first attempt:
	// another one is preferred. When there is none but these, one of them is returned, and
	// whoever asks waits before it tries that again.
	//
	// An error is what the request is answered with: see [server.Fail].
	Pick(r *server.Request, failed []*client.Upstream) (Target, error)
}

// A Target is one attempt at sending a request to an upstream, as chosen by a [Picker]. Its
// methods are called on the loop of the request. For each Pick there is one Done, and before it
// at most one Answered.
type Target interface {
	Upstream() *client.Upstream

	// Answered is called when the head of the final response has come, with its status. A
	// response may go on for hours; that the upstream works is known from here on.
	Answered(status int)

	// Done is called when the exchange with the upstream is over, however it has ended.
	Done(o Outcome)
}

// Outcome is how an exchange with an upstream has ended.
type Outcome struct {
	// Status of the final response; 0 when its head has not come. It is what Answered was
	// called with.
	Status int

	// Err is nil when the response was complete, what client.Upstream.Do or the response's body
	// has failed with, or pipeline.ErrClosed when it was broken off on this side.
	Err error
}

// One returns a picker that has one upstream only.
func One(u *client.Upstream) Picker { return only{u} }

// only is a target that is the same for every request.
type only struct{ upstream *client.Upstream }

func (o only) Pick(*server.Request, []*client.Upstream) (Target, error) { return o, nil }
func (o only) Upstream() *client.Upstream                               { return o.upstream }
func (o only) Answered(int)                                             {}
func (o only) Done(Outcome)                                             {}
