// Package layer has the layers that most services need: what a handler should not have to
// do itself, wrapped around it.
//
//	log := layer.NewLogWriter(os.Stdout, 1<<20)
//	defer log.Close(ctx)
//	around := layer.Chain(
//		layer.CommonLog(log),
//		layer.RequestID(),
//		layer.CORS(layer.CORSOptions{Origins: []string{"https://example.com"}}),
//		layer.BodyLimit(64<<10),
//	)
//	s, err := server.New(around(handler), server.Options{})
//
// The example of the package is this program whole. docs/layers.md derives a layer from
// nothing, for those who write their own.
//
// # Order
//
// The first layer of a [Chain] is the outermost: it sees the request first and the answer
// last. From the outside in:
//
//  1. what looks at every answer: [AccessLog], [CommonLog], [CombinedLog];
//  2. what names the request: [RequestID], inside of the logs, so that they find the name in
//     the answer;
//  3. [Recover], so that its answer has the fields of 1 and 2, and passes those logs;
//  4. what may answer in place of the handler: [CORS] before [BasicAuth] and [BearerAuth],
//     since a preflight comes without credentials, and so that a 401 has its fields too;
//  5. [Timeout] and [ETag], which look at what the handler answers;
//  6. what is set for the handler: [BodyLimit], [BodyTimeout], [WriteTimeout].
//
// # Every kind of answer
//
// A layer here does its work on an answer that is complete, on one that is still to come
// ([server.Later]), when it has come, on streams and files, and on failures
// ([server.Fail]). It runs on the loop and does not block. The layers keep nothing of the
// request but strings, and may be used by many handlers and servers at once.
package layer

import "github.com/penstock-go/penstock/server"

// Chain makes one layer of many. The first is the outermost: Chain(a, b)(h) is a(b(h)).
// Without layers it changes nothing.
func Chain(layers ...server.Layer) server.Layer {
	layers = append([]server.Layer(nil), layers...)
	return func(h server.Handler) server.Handler {
		for i := len(layers) - 1; i >= 0; i-- {
			h = layers[i](h)
		}
		return h
	}
}

// single returns the value of a field that may come once only, and whether it has come
// exactly once.
func single(r *server.Request, name string) (value string, found bool) {
	for v := range r.Fields().Values(name) {
		if found {
			return "", false
		}
		value, found = v, true
	}
	return value, found
}
