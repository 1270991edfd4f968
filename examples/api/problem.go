package main

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/penstock-go/penstock/server"
	"github.com/penstock-go/penstock/server/layer"
)

// problemOf returns an error as the problem document (RFC 9457) that the client is told. Of
// an error that is not fit for clients that is a 500 with nothing of it.
func problemOf(err error) *server.Problem {
	var problem *server.Problem
	if errors.As(err, &problem) {
		return problem
	}
	problem = &server.Problem{Code: http.StatusInternalServerError, Cause: err}
	var public interface{ Public() string }
	if errors.As(err, &public) {
		problem.Detail = public.Public()
	}
	var withStatus interface{ Status() int }
	if errors.As(err, &withStatus) {
		problem.Code = withStatus.Status()
	}
	return problem
}

// problems is the layer that has every failure answered with a problem document, and that logs
// those which are the service's own fault.
func problems(logger *slog.Logger) server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			return next(r).Map(func(response server.Response) server.Response {
				err := response.Err()
				if err == nil {
					return response
				}
				problem := problemOf(err)
				if problem.Status() == http.StatusInternalServerError {
					logger.Error("a request failed", "method", r.Method(), "target", r.Target(), "request_id", layer.RequestIDOf(r), "error", err)
				}
				return withFieldsOf(response, server.Fail(problem))
			})
		}
	}
}

// withFieldsOf returns answer with the fields of the failure in whose place it stands, such as
// Allow, and with Retry-After if trying again may help.
func withFieldsOf(failure, answer server.Response) server.Response {
	if problemOf(failure.Err()).Status() == http.StatusServiceUnavailable {
		answer = answer.With("Retry-After", "1")
	}
	for name, value := range failure.Fields() {
		answer = answer.Add(name, value)
	}
	return answer
}

// panicked answers a request whose handler, or work on a pool, has panicked. It fits
// layer.Recover.
func panicked(logger *slog.Logger) func(r *server.Request, value any, stack []byte) server.Response {
	return func(r *server.Request, value any, stack []byte) server.Response {
		logger.Error("a request panicked", "method", r.Method(), "target", r.Target(), "request_id", layer.RequestIDOf(r), "panic", value, "stack", string(stack))
		return (&server.Problem{Code: http.StatusInternalServerError}).Response()
	}
}
