package proxy

import (
	"errors"
	"net/http"

	"github.com/penstock-go/penstock/client"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// failure logs an error, unless it is that of the client or of the request's body, and returns what the
// server gets in its place, and what the target is told.
func (p *proxy) failure(err error, u *upload, r *client.Request) (answered, told error) {
	switch {
	case errors.Is(err, server.ErrClientGone):
		return &server.Error{Code: http.StatusBadRequest, Message: "The request's body was cut off."}, pipeline.ErrClosed
	case u != nil && u.failed != nil && errors.Is(err, u.failed):
		return err, pipeline.ErrClosed
	}
	attributes := make([]any, 0, 6)
	if r != nil {
		attributes = append(attributes, "method", r.Method, "target", r.Target)
	}
	p.options.Logger.Error("proxy: an upstream has failed", append(attributes, "error", err)...)
	return err, err
}
