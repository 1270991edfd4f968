package layer

import (
	"context"
	"crypto/rand"

	"github.com/penstock-go/penstock/server"
)

const (
	requestIDField = "X-Request-ID"
	// maxRequestID is how long a client's own ID may be.
	maxRequestID = 128
)

// RequestID gives each request an ID, puts it into the answer's X-Request-ID field, and has
// [RequestIDOf] return it. It is the client's X-Request-ID if that came once, has 1 to 128
// bytes and only visible ASCII characters, so that it can be put into a log as it is; else
// it is made of 128 random bits or more. A client can send any ID, also one that was used
// before: behind a proxy that sets the field it identifies, else it only helps to find.
func RequestID() server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			id, found := single(r, requestIDField)
			if !found || !validRequestID(id) {
				id = rand.Text()
			}
			r.SetContext(&identified{Context: r.Context(), id: id})
			return next(r).Map(func(response server.Response) server.Response {
				return response.With(requestIDField, id)
			})
		}
	}
}

// RequestIDOf returns the ID that [RequestID] has given the request, or "". It is called
// where the request's methods may be.
func RequestIDOf(r *server.Request) string {
	id, _ := r.Context().Value(requestIDKey{}).(string)
	return id
}

// identified is the context of a request that has an ID: one object in place of a context
// with a value, which boxes it.
type identified struct {
	context.Context
	id string
}

type requestIDKey struct{}

func (c *identified) Value(key any) any {
	if _, ours := key.(requestIDKey); ours {
		return c.id
	}
	return c.Context.Value(key)
}

func validRequestID(id string) bool {
	for i := 0; i < len(id); i++ {
		if id[i] <= ' ' || id[i] >= 0x7f {
			return false
		}
	}
	return id != "" && len(id) <= maxRequestID
}
