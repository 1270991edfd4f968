package layer

import (
	"time"

	"github.com/penstock-go/penstock/server"
)

// BodyLimit sets how many bytes the request's body may have, in place of the server's
// [server.Options].BodyLimit. A negative limit is none. A handler that calls
// [server.Request.SetBodyLimit] overrides it.
func BodyLimit(bytes int64) server.Layer {
	return setting(func(r *server.Request) { r.SetBodyLimit(bytes) })
}

// BodyTimeout sets the window in which a request's body has to make progress while it is
// being read, in place of the server's [server.Options].BodyTimeout.
func BodyTimeout(window time.Duration) server.Layer {
	return setting(func(r *server.Request) { r.SetBodyTimeout(window) })
}

// WriteTimeout sets how long the client may take none of the bytes of the answer, in place
// of the server's [server.Options].WriteTimeout.
func WriteTimeout(d time.Duration) server.Layer {
	return setting(func(r *server.Request) { r.SetWriteTimeout(d) })
}

// setting is a layer that does something to the request, and nothing to the answer.
func setting(set func(*server.Request)) server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			set(r)
			return next(r)
		}
	}
}
