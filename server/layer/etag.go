package layer

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/server"
)

// maxHashed is how large a body may be that is hashed on the loop: about a millisecond's work
// for a processor that has instructions for SHA-256.
const maxHashed = 1 << 20

// ETag answers conditional requests (RFC 9110, section 13): those with GET and HEAD whose
// answer is otherwise a 2xx. The answer becomes 304 when If-None-Match has its ETag (compared
// weakly) or "*", or, without that field, when it has a Last-Modified that is not after
// If-Modified-Since; and 412 when If-Match is there and does not have it (compared
// strongly), or, without that field, when its Last-Modified is after If-Unmodified-Since.
// Fields that are malformed are ignored.
//
// Complete answers with status 200 and at most 1 MiB get a strong ETag if they have
// none: 128 bits of a hash of the body. So it saves sending them, not making them. A stream,
// a file and a larger body need an ETag or a Last-Modified of the handler.
//
// A 304 has the fields of the answer it stands for, but those that describe a body (RFC 9110,
// section 15.4.5). Layers that change bodies, such as one that compresses, belong outside of
// this one.
func ETag() server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			if m := r.Method(); m != http.MethodGet && m != http.MethodHead {
				return next(r)
			}
			return next(r).Map(func(response server.Response) server.Response {
				return conditional(r, response)
			})
		}
	}
}

// conditional is the answer in place of response that the request's conditions ask for.
func conditional(r *server.Request, response server.Response) server.Response {
	status := response.Status()
	if status < 200 || status > 299 {
		return response
	}
	tag, tagged := response.Field("ETag")
	if !tagged && status == http.StatusOK {
		if body, complete := response.Complete(); complete && len(body) <= maxHashed {
			tag = strongTag(body)
			response = response.With("ETag", tag)
		}
	}
	switch evaluate(r, validatorsOf(tag, response)) {
	case preconditionFailed:
		response.Discard()
		return server.Text(http.StatusPreconditionFailed, "The content is not the one that the request is meant for.\n")
	case notModified:
		response.Discard()
		return notModifiedFor(response, tag != "")
	}
	return response
}

// strongTag returns an entity-tag that another body does not have.
func strongTag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}

// notModifiedFor returns the 304 in place of a response.
func notModifiedFor(response server.Response, tagged bool) server.Response {
	short := server.Empty(http.StatusNotModified)
	for name, value := range response.Fields() {
		switch strings.ToLower(name) {
		case "content-type", "content-encoding", "content-language", "content-range":
			continue // they describe a body
		case "last-modified":
			if tagged {
				continue // the better validator is there
			}
		}
		short = short.Add(name, value)
	}
	return short
}
