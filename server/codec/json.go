package codec

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/server"
)

// A JSONOption changes how JSON is read.
type JSONOption func(*jsonReader)

// MaxBytes has content of more than n bytes refused. Without it the limit is 1 MiB.
func MaxBytes(n int) JSONOption { return func(j *jsonReader) { j.limit = max(n, 0) } }

// MaxDepth has arrays and objects that lie more than n deep in each other refused. Without
// it they may be 100 deep; 10,000 is as far as encoding/json goes.
func MaxDepth(n int) JSONOption { return func(j *jsonReader) { j.depth = n } }

// RefuseUnknownMembers has members that T has no field for refused. Without it they are
// skipped.
func RefuseUnknownMembers() JSONOption { return func(j *jsonReader) { j.refusesUnknown = true } }

// AllowTrailingData has what stands behind the value skipped. Without it anything but
// whitespace is refused.
func AllowTrailingData() JSONOption { return func(j *jsonReader) { j.allowsTrailing = true } }

// AllowMissingType has requests accepted that say no Content-Type. Without it they are
// refused: any page can have a browser send them here, without asking first (Fetch,
// CORS-safelisted requests).
func AllowMissingType() JSONOption { return func(j *jsonReader) { j.allowsMissingType = true } }

// WithJSON is the response that answer makes of the request's content, read as [JSON] reads
// it. It is still to come until then. answer runs on the loop and must not block; it may
// itself return a response that is still to come.
func WithJSON[T any](r *server.Request, answer func(T) server.Response, options ...JSONOption) server.Response {
	return thenAnswer(JSON[T](r, options...), answer)
}

// JSON returns the request's content (RFC 8259) as one T, and then ends. The Content-Type
// must be application/json or end with +json (RFC 6839, section 3.1), and its charset, if it
// says one, must be UTF-8. Content in a coding that no layer has decoded is refused (415), and so
// is content that says itself that it is over the limit, before it is read; it otherwise does
// what [ReadJSON] does, and content over the limit ends it with a *[server.Problem] whose Cause
// is the *pipeline.LimitError.
func JSON[T any](r *server.Request, options ...JSONOption) pipeline.Source[T] {
	j := newJSONReader(options)
	if err := j.check(r); err != nil {
		return pipeline.Fail[T](err)
	}
	return explain(readJSON[T](r.Body, j))
}

// ReadJSON returns the bytes of src as one T, and then ends. It reads them as encoding/json
// does, into the zero T, with these differences:
//
//   - all of it must be valid UTF-8, at most so long and so deep as the options say, and,
//     unless they say otherwise, be one value and nothing else;
//   - a null in place of the whole value is of the wrong type unless T is an interface, a
//     slice, a map, or reads JSON itself.
//
// A T, or *T, that has a method Validate() error is asked then. It runs on the loop and must
// not block. An error of it is answered with 422 and told to the client: each
// [server.FieldError] in it, also where errors.Join has joined them, as a member of
// "errors", any other by its text. An error that has a status of its own stays as it is.
//
// What encoding/json refuses is told with the place: line, column and byte, counted from 1
// (the column in characters), or the JSON Pointer of the value and what was expected there.
// A part of T that reads JSON itself is told of only by the method Public() string of its
// error, if that has one; if it passes on an error of encoding/json, the place is not right.
//
// Memory grows with the bytes that come, not with the limit. The value is read in one go, on
// the loop, when all of it is there.
func ReadJSON[T any](src pipeline.Source[[]byte], options ...JSONOption) pipeline.Source[T] {
	return readJSON[T](src, newJSONReader(options))
}

func readJSON[T any](src pipeline.Source[[]byte], j *jsonReader) pipeline.Source[T] {
	return pipeline.Map(pipeline.Collect(src, j.limit), func(data []byte) (T, error) { return decodeJSON[T](j, data) })
}

// jsonReader is how JSON is read.
type jsonReader struct {
	limit             int
	depth             int
	refusesUnknown    bool
	allowsTrailing    bool
	allowsMissingType bool
	line              int // the number of the line that is read, 0 when it is no line of many
}

func newJSONReader(options []JSONOption) *jsonReader {
	j := &jsonReader{limit: 1 << 20, depth: 100}
	for _, option := range options {
		option(j)
	}
	return j
}

// check refuses a request by what its head says.
func (j *jsonReader) check(r *server.Request) error {
	if contentType := r.Type(); contentType != "" || !j.allowsMissingType {
		if err := checkType(contentType, isJSON, "application/json"); err != nil {
			return err
		}
	}
	return cmp.Or(checkCoding(r), checkLength(r, j.limit))
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

const (
	malformed     = http.StatusBadRequest
	unprocessable = http.StatusUnprocessableEntity
)
