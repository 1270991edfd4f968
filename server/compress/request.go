package compress

import (
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// RequestLayer returns a layer that decodes the bodies of requests that come with a
// Content-Encoding of gzip or zstd. The handler's Body is then what [Gunzip] or [Unzstd]
// makes of the client's: of at most limit bytes, while the server's own limit goes on to
// count what is sent. Length and the field Content-Encoding still say what the client has
// sent, but Coded that it was decoded.
//
// A request in another coding, or in several, is answered with 415 and the codings that
// there are (RFC 9110, section 15.5.16).
func RequestLayer(limit int64) server.Layer {
	return func(next server.Handler) server.Handler {
		return func(r *server.Request) server.Response {
			c, known := contentCoding(r)
			if !known {
				return server.Fail(errUnknownCoding).With("Accept-Encoding", "gzip, zstd")
			}
			if c != identity && r.Length() != 0 {
				r.SetDecodedBody(decodeBody(c, r.Body, limit))
				// The server closes its own source, and knows nothing of this one.
				r.OnFinish(closer{r.Body}.finished)
			}
			return next(r)
		}
	}
}

var errUnknownCoding = &server.Error{
	Code:    http.StatusUnsupportedMediaType,
	Message: "The request's content must have no coding, or one of gzip and zstd.",
}

type closer struct{ source pipeline.Source[[]byte] }

func (c closer) finished(int, int64) { c.source.Close() }

func decodeBody(c coding, body pipeline.Source[[]byte], limit int64) pipeline.Source[[]byte] {
	if c == codingZstd {
		return Unzstd(body, limit)
	}
	return Gunzip(body, limit)
}

// contentCoding returns the coding of the request's content. known is false if it is one
// that nobody knows here, or there is more than one.
func contentCoding(r *server.Request) (c coding, known bool) {
	for value := range r.Fields().Values("Content-Encoding") {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.Trim(name, " \t")
			if name == "" {
				continue
			}
			one, found := codingNamed(name)
			if !found || one != identity && c != identity {
				return identity, false
			}
			c = max(c, one)
		}
	}
	return c, true
}
