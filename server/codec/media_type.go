package codec

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// checkType returns why content of this Content-Type (RFC 9110, section 8.3) is not read, or
// nil. accepts is asked about the media type in lower case, without parameters; expected is the
// one that the client is told to send.
func checkType(contentType string, accepts func(mediaType string) bool, expected string) error {
	if contentType == "" {
		return refuseType(expected, fmt.Sprintf("The request says no Content-Type; %s was expected.", expected))
	}
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	charset, found := parameters["charset"]
	switch {
	case err != nil:
		return refuseType(expected, fmt.Sprintf("The Content-Type is malformed; %s was expected.", expected))
	case !accepts(mediaType):
		return refuseType(expected, fmt.Sprintf("The Content-Type is %s; %s was expected.", shortened(mediaType), expected))
	case found && !strings.EqualFold(charset, "utf-8"):
		return refuseType(expected, fmt.Sprintf("The charset is %s; UTF-8 was expected.", shortened(charset)))
	}
	return nil
}

// refuseType is the problem of content of another type than expected, which the field Accept
// names (RFC 9110, sections 12.5.1 and 15.5.16).
func refuseType(expected, detail string) *server.Problem {
	p := refuse(http.StatusUnsupportedMediaType, detail)
	p.Fields = []server.Field{{Name: "Accept", Value: expected}}
	return p
}

// checkCoding refuses content in a coding (RFC 9110, section 8.4) that no layer has decoded. The
// field Accept-Encoding says that it must have none (section 15.5.16).
func checkCoding(r *server.Request) error {
	if !r.Coded() {
		return nil
	}
	p := refuse(http.StatusUnsupportedMediaType, fmt.Sprintf("The Content-Encoding is %s; content without a coding was expected.", shortened(r.Field("Content-Encoding"))))
	p.Fields = []server.Field{{Name: "Accept-Encoding", Value: "identity"}}
	return p
}

// checkLength refuses a request that says itself that it is over the limit, before any of it
// is read.
func checkLength(r *server.Request, limit int) error {
	if r.Length() > int64(limit) {
		return tooLarge(&pipeline.LimitError{Subject: "the content", Limit: int64(limit)})
	}
	return nil
}

// refuse is the problem of a client that has sent what cannot be read.
func refuse(status int, detail string) *server.Problem {
	return &server.Problem{Code: status, Detail: detail}
}

// shortened is text of the client's, as it may stand in an answer to it.
func shortened(text string) string {
	const most = 64
	if len(text) > most {
		text = text[:most] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// thenAnswer is the response that answer makes of the one value of source.
func thenAnswer[T any](source pipeline.Source[T], answer func(T) server.Response) server.Response {
	return server.Later(pipeline.Map(source, func(v T) (server.Response, error) { return answer(v), nil }))
}
