package compress

import (
	"iter"
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/server"
)

// Options say what [Layer] does. The zero value is good for most.
type Options struct {
	// MinSize is how many bytes a body of known length must have to be coded; 0 is 1024.
	// A body of unknown length is coded whatever it has.
	MinSize int

	// Compressible says whether content of a media type, in lower case and without its
	// parameters, is worth coding; nil is [Compressible].
	Compressible func(mediaType string) bool
}

// maxComplete is the largest complete body that is coded. A handler that has more should
// stream it: coding it in one piece would hold the loop for too long.
const maxComplete = 512 << 10

// Layer returns a layer that codes the bodies of responses as the client's Accept-Encoding
// allows, with the coding that weighs more: complete ones ([server.Text], [server.Bytes],
// [server.JSON]) of up to 512 KiB with Zstandard or gzip, Zstandard if both weigh the same; a
// [server.Stream] with gzip or Zstandard, gzip if both weigh the same; an event stream
// ([server.Events]) with gzip or not at all. [Zstd] says why. A [server.File] and a
// [server.Fail] are not coded.
//
// A response is sent as it is if its Content-Type is not worth coding, or it has none; if it
// has Content-Encoding, Content-Range, Content-Digest or Repr-Digest; if its Cache-Control
// says no-transform; if its status is 204 or 206; and if its body is known to have fewer than
// MinSize bytes, or does not get shorter. It is so even if the client refuses identity: RFC
// 9110, section 12.5.3, leaves that to the server. An Accept-Encoding that is malformed, as a
// whole or in one member, accepts nothing.
//
// Of the others the representation depends on the request, so each gets a field line "Vary:
// Accept-Encoding", coded or not. A coded one gets Content-Encoding, its Accept-Ranges
// becomes none, and a strong ETag becomes weak, for the bytes are not those that the handler
// has named; so does that of a 304 to a client that accepts a coding. If-Match, which needs a
// strong one, then matches nothing. The answer to HEAD has the fields of the answer to GET, if
// the handler gives both the same response.
//
// A stream leaves as it comes: what its source has given is sent, coded, when the source is
// pending. One that waits holds about 3 KiB for gzip, and nothing for Zstandard. The comments
// of a silent event stream ([server.Response.Ping]) are coded like the rest of it.
//
// A response that holds a secret beside something that the client can choose, and that an
// attacker can make it ask for again and again, gives the secret away by its length, coded
// (BREACH). Such a response says no-transform, or stands outside of this layer.
func Layer(o Options) server.Layer {
	if o.MinSize == 0 {
		o.MinSize = 1 << 10
	}
	if o.Compressible == nil {
		o.Compressible = Compressible
	}
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			accepted := parseAcceptance(r.Fields().Values("Accept-Encoding"))
			return next(r).Map(func(response server.Response) server.Response {
				return o.respond(&accepted, response)
			})
		}
	}
}

// respond returns the response as it is to be sent.
func (o *Options) respond(accepted *acceptance, response server.Response) server.Response {
	if response.Status() == http.StatusNotModified {
		if accepted.best(codingGzip, codingZstd) != identity {
			response = weakenTag(addVary(response))
		}
		return response
	}
	if !o.eligible(response) {
		return response
	}
	body, complete := response.Complete()
	length, streams := response.Streams()
	switch {
	case complete && len(body) >= o.MinSize && len(body) <= maxComplete:
		return respondComplete(response, accepted.best(codingZstd, codingGzip), body)
	case streams && (length < 0 || length >= int64(o.MinSize)):
		return respondStream(response, accepted)
	}
	return response
}

// eligible says whether a coding is right for the response, whatever its body is.
func (o *Options) eligible(response server.Response) bool {
	switch response.Status() {
	case http.StatusNoContent, http.StatusPartialContent:
		return false
	}
	for _, name := range [...]string{"Content-Encoding", "Content-Range", "Content-Digest", "Repr-Digest"} {
		if _, found := response.Field(name); found {
			return false
		}
	}
	if hasMember(response.Values("Cache-Control"), "no-transform") {
		return false
	}
	mediaType := mediaTypeOf(response)
	return mediaType != "" && o.Compressible(mediaType)
}

func respondComplete(response server.Response, c coding, body []byte) server.Response {
	response = addVary(response)
	if c == identity {
		return response
	}
	short, err := encodeAll(c, body)
	if err != nil || len(short) >= len(body) {
		return response
	}
	return coded(response, c).WithBody(short)
}

func respondStream(response server.Response, accepted *acceptance) server.Response {
	response = addVary(response)
	c := accepted.best(codingGzip, codingZstd)
	if mediaTypeOf(response) == "text/event-stream" {
		c = accepted.best(codingGzip) // a frame for each event would be longer than the event
	}
	switch c {
	case codingGzip:
		return coded(response, c).MapBody(Gzip)
	case codingZstd:
		return coded(response, c).MapBody(Zstd)
	}
	return response
}

// coded returns the response with the fields that say how its body is coded.
func coded(response server.Response, c coding) server.Response {
	response = weakenTag(response.With("Content-Encoding", c.String()))
	if _, found := response.Field("Accept-Ranges"); found {
		response = response.With("Accept-Ranges", "none")
	}
	return response
}

// addVary adds a line: those that are there stay.
func addVary(response server.Response) server.Response {
	if values := response.Values("Vary"); hasMember(values, "Accept-Encoding") || hasMember(values, "*") {
		return response
	}
	return response.Add("Vary", "Accept-Encoding")
}

func weakenTag(response server.Response) server.Response {
	if tag, _ := response.Field("ETag"); strings.HasPrefix(tag, `"`) {
		return response.With("ETag", "W/"+tag)
	}
	return response
}

// hasMember says whether a field's lines, which are one list, have a member, in any case and
// with or without an argument.
func hasMember(lines iter.Seq[string], name string) bool {
	for line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			member, _, _ = strings.Cut(member, "=")
			if strings.EqualFold(strings.Trim(member, " \t"), name) {
				return true
			}
		}
	}
	return false
}
